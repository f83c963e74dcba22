/** The reader of the networks that weights.js, a script that came before, has left. */

import { Predictor } from "./network.js";
import { Reader } from "./reader.js";

export const stored = () => globalThis.MNIST_NET;

export function storedReader() {
  const { model, detector, reject_below: rejectBelow, two_readers: twoReaders } = stored();
  const second = detector && new Predictor(detector);
  return new Reader(new Predictor(model), second, rejectBelow, twoReaders);
}
