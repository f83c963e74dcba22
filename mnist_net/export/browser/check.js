/** A page that says whether this browser reads as Python does. */

import { compare } from "./compare.js";
import { storedReader } from "./stored.js";

const CLOSE = 1e-3; // of probabilities and scores

const cases = globalThis.MNIST_NET_GOLDEN;
const reader = storedReader();
const differences = compare(cases, (picture) => reader.read(picture));
const most = (value) => Math.max(...differences.map(value));
const alike = differences.filter(
  ({ digit, probability, score }) => digit && probability <= CLOSE && score <= CLOSE,
).length;
document.getElementById("result").textContent =
  `${alike} of ${cases.length} answers are Python\u2019s; probabilities differ by at most ` +
  `${most(({ probability }) => probability).toExponential(1)}, grey levels of what was seen by ` +
  `${most(({ seen }) => seen)}.`;
document.body.dataset.alike = String(alike === cases.length);
