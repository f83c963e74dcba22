/** What answers: here the networks in the browser itself, behind the functions of the service. */

import { UNEVEN } from "./reader.js";
import { stored, storedReader } from "./stored.js";

const MOST_PIXELS = 1_000_000; // as in Python, a larger picture is shrunk to about this

export class Trouble extends Error {}

let reader = null;

export async function describe() {
  const { name, members } = stored().model;
  const { layers } = members[0];
  const sizes = [layers[0].inputs, ...layers.map(({ outputs }) => outputs)];
  return { name, layer_sizes: sizes, feedback: false, page: false };
}

export async function predict(snapshot, { explain }) {
  reader ??= storedReader();
  const reading = reader.read(reduced(snapshot.pixels()));
  if (!reading) throw new Trouble(UNEVEN);
  return explain && reading.explain ? { ...reading, ...reading.explain() } : { ...reading, seen: null };
}

export async function read() {
  throw new Trouble("Pages are read by mnist-net serve; this file reads one digit.");
}

export async function correct() {
  throw new Trouble("This file keeps no corrections.");
}

/** Every so many pixels across and down as one, their mean. */
function reduced(picture) {
  const factor = Math.round(Math.sqrt((picture.width * picture.height) / MOST_PIXELS));
  if (factor < 2) return picture;
  const [width, height] = [picture.width, picture.height].map((length) => Math.ceil(length / factor));
  const result = new ImageData(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) result.data.set(meanOf(picture, x * factor, y * factor, factor), 4 * (y * width + x));
  }
  return result;
}

function meanOf({ data, width, height }, left, top, factor) {
  const sums = [0, 0, 0, 0];
  let n = 0;
  for (let y = top; y < Math.min(top + factor, height); y++) {
    for (let x = left; x < Math.min(left + factor, width); x++, n++) {
      for (let c = 0; c < 4; c++) sums[c] += data[4 * (y * width + x) + c];
    }
  }
  return sums.map((sum) => Math.round(sum / n));
}
