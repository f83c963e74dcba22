/** MNIST's form: crop to the ink, scale, centre; see `mnist_net/pictures/form.py`. */

import {
  BICUBIC, BILINEAR, BOX as AVERAGE, Grid, clip, distances, greatestAround, resized, roundEven, sheared,
} from "./grid.js";

export const SIDE = 28;
const BOX = 20;
const FULL_INK = 230;
const OVERSAMPLING = 4;
const PADDING = 6;
const MOST_THINNING = 2;
const WIDTHS = [1.8, 3.6];

/** A picture that is as MNIST's are, bright on black; null if it is not. */
export function inMnistForm(channels) {
  const [grey] = channels;
  if (channels.length !== 1 || grey.width !== SIDE || grey.height !== SIDE) return null;
  const border = [...grey.data].filter(
    (_, k) => k < SIDE || k >= SIDE * (SIDE - 1) || k % SIDE === 0 || k % SIDE === SIDE - 1,
  );
  const isBlack = border.every((level) => level === 0);
  if (!isBlack && !border.every((level) => level === 255)) return null;
  const ink = isBlack ? grey : grey.map((level) => 255 - level);
  if (ink.max() < FULL_INK) return null;
  const { left, top, right, bottom } = ink.bounds(0);
  if (Math.max(right - left, bottom - top) !== BOX) return null;
  return ink.profiles().every((profile) => Math.abs(centreOf(profile) - SIDE / 2) < 1) ? ink : null;
}

/** Crop to the ink, scale its longer side to 20, and centre by mass: grey levels, 28 × 28. */
export function fitted(ink, full, { usualStrokes = false } = {}) {
  let [levels, filter] = [ink, BICUBIC];
  if (usualStrokes) {
    levels = withUsualStrokes(ink.map((level) => level / full)).map((level) => full * level);
    filter = AVERAGE;
  }
  const [columns, rows] = greatest(levels).map(extent);
  const part = { left: columns[0], right: columns[1], top: rows[0], bottom: rows[1] };
  const digit = scaled(levels.cut(part), BOX, filter).map((level) => clip(level, 0, full));
  const most = digit.max();
  return centred(digit.map((level) => roundEven(Math.fround(level * Math.fround(255 / most)))));
}

/** Greatest of each column, then of each row. */
function greatest(grid) {
  const [columns, rows] = [new Float32Array(grid.width), new Float32Array(grid.height)];
  for (let y = 0, k = 0; y < grid.height; y++) {
    for (let x = 0; x < grid.width; x++, k++) {
      columns[x] = Math.max(columns[x], grid.data[k]);
      rows[y] = Math.max(rows[y], grid.data[k]);
    }
  }
  return [columns, rows];
}

/** From the first to beyond the last with solid ink, and its soft edge. */
function extent(profile) {
  const half = profile.reduce((a, b) => Math.max(a, b)) / 2;
  let first = profile.findIndex((level) => level > half);
  let last = profile.findLastIndex((level) => level > half);
  let edge = Math.max(1, Math.floor((last - first) / BOX));
  while (edge && first > 0 && profile[first - 1] > 0) [first, edge] = [first - 1, edge - 1];
  edge = Math.max(1, Math.floor((last - first) / BOX));
  while (edge && last < profile.length - 1 && profile[last + 1] > 0) [last, edge] = [last + 1, edge - 1];
  return [first, last + 1];
}

function scaled(grid, longer, filter = BICUBIC) {
  const scale = longer / Math.max(grid.width, grid.height);
  if (scale === 1) return grid;
  const size = (length) => Math.max(1, roundEven(length * scale));
  return resized(grid, size(grid.width), size(grid.height), filter);
}

function centreOf(profile) {
  const mass = profile.reduce((sum, level) => sum + level, 0);
  return profile.reduce((sum, level, k) => sum + level * k, 0) / mass;
}

function centred(digit) {
  const [left, top] = digit.profiles().map((profile) =>
    clip(roundEven(SIDE / 2 - centreOf(profile)), 0, SIDE - profile.length),
  );
  const within = (x, y) => x >= 0 && y >= 0 && x < digit.width && y < digit.height;
  return Grid.from(SIDE, SIDE, (x, y) => (within(x - left, y - top) ? digit.at(x - left, y - top) : 0));
}

function withUsualStrokes(ink) {
  const distance = signedDistance(oversampled(ink));
  const width = strokeWidth(distance);
  const change = Math.max(clip(width, ...WIDTHS) - width, -MOST_THINNING);
  const grown = (by) => distance.map((d) => clip(d + by + 0.5, 0, 1));
  let strokes = grown((change * OVERSAMPLING) / 2);
  if (strokes.max() <= 0.5) strokes = grown(0); // thinned away
  return strokes.cut(strokes.bounds(0.5));
}

function oversampled(ink) {
  const factor = Math.floor(Math.max(ink.width, ink.height) / (BOX * OVERSAMPLING));
  const fine = scaled(factor > 1 ? strongest(ink, factor) : ink, BOX * OVERSAMPLING).padded(PADDING);
  const edge = Math.min(0.5, 0.5 * fine.max());
  return fine.map((level) => (level > edge ? 1 : 0));
}

/** The strongest pixel of each block, so that a hairline is not averaged away. */
function strongest(ink, factor) {
  const blocks = new Grid(Math.ceil(ink.width / factor), Math.ceil(ink.height / factor));
  for (let y = 0, k = 0; y < ink.height; y++) {
    for (let x = 0; x < ink.width; x++, k++) {
      const block = Math.floor(y / factor) * blocks.width + Math.floor(x / factor);
      blocks.data[block] = Math.max(blocks.data[block], ink.data[k]);
    }
  }
  return blocks;
}

function signedDistance(strokes) {
  const inside = distances(strokes);
  const outside = distances(strokes.map((isInk) => 1 - isInk));
  const data = inside.data.map((d, k) => (strokes.data[k] ? d - 0.5 : 0.5 - outside.data[k]));
  return new Grid(strokes.width, strokes.height, data);
}

function strokeWidth(distance) {
  const around = greatestAround(distance);
  const ridge = distance.data.filter((d, k) => d > 0 && d >= around.data[k]);
  return (2 * (ridge.reduce((sum, d) => sum + d, 0) / ridge.length)) / OVERSAMPLING;
}

/** The same at a share of its width. */
export function narrowed(ink, share = 0.8) {
  return resized(ink, Math.max(1, roundEven(share * ink.width)), ink.height, BILINEAR);
}

/** The same with its main axis upright. */
export function deslanted(ink) {
  const mass = ink.data.reduce((sum, level) => sum + level, 0);
  const mean = (value) =>
    ink.data.reduce((sum, level, k) => sum + level * value(Math.floor(k / ink.width), k % ink.width), 0) / mass;
  const [row, column] = [mean((y) => y), mean((_, x) => x)];
  const variance = mean((y) => (y - row) ** 2);
  const covariance = mean((y, x) => (y - row) * (x - column));
  const shear = clip(covariance / (variance || 1), -1, 1);
  const margin = Math.trunc(Math.abs(shear) * ink.height) + 1;
  const upright = sheared(ink.padded(margin, 0), shear, row);
  const [columns] = greatest(upright);
  const [left, right] = [columns.findIndex((c) => c >= 0.5), columns.findLastIndex((c) => c >= 0.5)];
  return left < 0 ? ink : upright.cut({ left, right: right + 1, top: 0, bottom: ink.height });
}
