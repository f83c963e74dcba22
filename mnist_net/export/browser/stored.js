/** The reader of the networks that weights.js, a script that came before, has left. */

import { Predictor } from "./network.js";
import { Reader } from "./reader.js";

export const stored = () => globalThis.MNIST_NET;

export function storedReader() {
  const { model, detector, reject_below: rejectBelow } = stored();
  return new Reader(new Predictor(model), detector && new Predictor(detector), rejectBelow);
}
