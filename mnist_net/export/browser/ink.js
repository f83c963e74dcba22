/** How much ink lies on each pixel, on paper of one colour; see `mnist_net/pictures/ink.py`. */

import { Grid, median, roundEven } from "./grid.js";

const SAMPLE = 60000;
const LEAST_CONTRAST = 0.06;
const NOISE = 4;
const CLEAR = 1.25;
const EDGE = 0.42;
const SOLID = 0.5;
const MOST_INK = 0.7;
const TRACE = 0.03;
const BLACK = 8;
const MAD = 1.4826;
const COLOURED = 24; // as in `decoding.py`

const f32 = Math.fround;

/** Channels of a picture (ImageData): one if it is grey, three if not, each a grid of 0 … 255. */
export function channelsOf({ data, width, height }) {
  let widest = 0;
  for (let k = 0; k < data.length; k += 4) {
    const [red, green, blue] = [data[k], data[k + 1], data[k + 2]];
    widest = Math.max(widest, Math.max(red, green, blue) - Math.min(red, green, blue));
  }
  if (widest >= COLOURED) return [0, 1, 2].map((c) => Grid.from(width, height, (x, y) => data[4 * (y * width + x) + c]));
  const grey = new Grid(width, height);
  for (let k = 0, from = 0; from < data.length; k++, from += 4) {
    // Luma as Pillow has it, in whole numbers.
    grey.data[k] = (data[from] * 19595 + data[from + 1] * 38470 + data[from + 2] * 7471 + 0x8000) >> 16;
  }
  return [grey];
}

/** Level of each channel, where all of the border and most of the picture have just one. */
export function cleanPaper(channels) {
  const [{ width, height }] = channels;
  const corner = channels.map(({ data }) => data[0]);
  const [{ data: first }, ...others] = channels;
  const isPaper = (k) => first[k] === corner[0] && others.every(({ data }, c) => data[k] === corner[c + 1]);
  for (let x = 0; x < width; x++) if (!isPaper(x) || !isPaper((height - 1) * width + x)) return null;
  for (let y = 0; y < height; y++) if (!isPaper(y * width) || !isPaper((y + 1) * width - 1)) return null;
  let n = 0;
  for (let k = 0; k < width * height; k++) n += isPaper(k);
  return n / (width * height) > 0.5 ? corner : null;
}

/** Whatever is not paper, bright on black up to 255; null if nothing is. */
export function inkOnCleanPaper(channels, paper) {
  const [{ width, height }] = channels;
  const departure = new Grid(width, height);
  channels.forEach(({ data }, c) => {
    for (let k = 0; k < data.length; k++) {
      departure.data[k] = Math.max(departure.data[k], Math.abs(data[k] - paper[c]));
    }
  });
  const strongest = departure.max();
  if (strongest < LEAST_CONTRAST * 255) return null;
  return departure.map((d) => (d < TRACE * strongest ? 0 : roundEven(d * (255 / strongest))));
}

/** Ink of 0, at the edge of a stroke 0.5, and within it 1; null where nothing stands out. */
export function findInk(channels, paper) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const isDark = mean(paper) >= mean(channels.map(({ data }) => mean(data)));
  const turn = (level) => (isDark ? level : 255 - level);
  // A channel whose paper is the darker part shows another ink than the others: green on red.
  const kept = channels
    .map(({ data }, c) => ({ data, level: turn(paper[c]), isLight: turn(paper[c]) >= mean(data.map(turn)) }))
    .filter(({ isLight }, _, all) => isLight || all.every((one) => !one.isLight));
  const contrasts = kept.map(({ data, level }) =>
    data.map((value) => f32(1 - f32(f32(turn(value) + BLACK) / f32(level + BLACK)))),
  );
  const [{ width, height }] = channels;
  const strength = new Grid(width, height, norm(contrasts, 1));
  return inkOf(strength, norm(contrasts, -1));
}

function inkOf(strength, opposite) {
  // What is lighter than the paper cannot be ink; so it tells how noisy the paper is.
  const step = Math.max(1, Math.floor(opposite.length / SAMPLE));
  const noises = opposite.filter((value, k) => k % step === 0 && value > 0);
  const least = Math.max(NOISE * (noises.length ? MAD * median(noises) : 0), LEAST_CONTRAST);
  const candidates = strength.data.filter((value) => value > least);
  if (!candidates.length) return null;
  const threshold = otsu(candidates);
  const typical = median(candidates.filter((value) => value >= threshold));
  if (typical < CLEAR * least) return null;
  const edge = Math.max(least, EDGE * typical);
  const ink = strength.map((value) => Math.min(Math.max(value / (2 * edge), 0), 1));
  const share = ink.data.reduce((n, value) => n + (value >= 0.5), 0) / ink.data.length;
  if (share > MOST_INK) return null;
  return { ink, solid: strength.map((value) => (value > SOLID * typical ? 1 : 0)) };
}

function norm(contrasts, sign) {
  const positive = contrasts.map((one) => one.map((value) => Math.max(sign * value, 0)));
  if (positive.length === 1) return positive[0];
  return positive[0].map((_, k) =>
    Math.sqrt(positive.reduce((sum, one) => sum + one[k] ** 2, 0) / positive.length),
  );
}

/** Level that best parts values into two classes (Otsu 1979, equation 18). */
export function otsu(values) {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (least === most) return least;
  const edges = Float64Array.from({ length: 257 }, (_, k) => (k * (most - least)) / 256 + least);
  edges[256] = most;
  const counts = new Float64Array(256);
  for (const value of values) {
    let bin = Math.min(Math.trunc(((value - least) / (most - least)) * 256), 255);
    if (value < edges[bin]) bin--;
    else if (bin < 255 && value >= edges[bin + 1]) bin++;
    counts[bin]++;
  }
  return bestCut(counts.map((n) => n / values.length), edges);
}

function bestCut(shares, edges) {
  const level = (k) => (edges[k] + edges[k + 1]) / 2;
  const mean = shares.reduce((sum, share, k) => sum + share * level(k), 0);
  let [weight, moment] = [0, 0];
  const between = shares.map((share, k) => {
    weight += share;
    moment += share * level(k);
    const spread = weight * (1 - weight);
    return spread > 1e-12 ? (mean * weight - moment) ** 2 / spread : 0;
  });
  const most = between.reduce((a, b) => Math.max(a, b), 0);
  const best = [...between.keys()].filter((k) => between[k] >= most * (1 - 1e-9));
  return level(best[best.length >> 1]);
}
