/** What hangs together, and the one digit of it; see `pieces.py`, `layout.py`, `not_writing.py`. */

import { BOX as AVERAGE, Grid, distances, resized, roundEven } from "./grid.js";

const LEAST_SIZE = 5;
const LEAST_SHARE = 0.01;
const SPECK = 0.02;
const LARGE = 0.12;
const DOT = 0.3;
const COARSE = 20;
const NEAR = 0.2;
const PART = 0.1;
const OFF = 0.5;

const widthOf = (box) => box.right - box.left;
const heightOf = (box) => box.bottom - box.top;
const sizeOf = (box) => Math.max(widthOf(box), heightOf(box));
const strokeOf = (piece) => piece.area / sizeOf(piece.box);

const union = (a, b) => ({
  left: Math.min(a.left, b.left),
  top: Math.min(a.top, b.top),
  right: Math.max(a.right, b.right),
  bottom: Math.max(a.bottom, b.bottom),
});

function gap(a, b) {
  const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return Math.hypot(Math.min(across, 0), Math.min(down, 0));
}

/** Pixels of ink that hang together, corners included: a number for each pixel, and the pieces. */
function findPieces(ink) {
  const { width, height } = ink;
  const numbers = new Int32Array(width * height);
  const pieces = [];
  for (let start = 0; start < numbers.length; start++) {
    if (numbers[start] || ink.data[start] < 0.5) continue;
    pieces.push(flood(ink, numbers, start, pieces.length + 1));
  }
  for (const piece of pieces) {
    const { left, top, right, bottom } = piece.box;
    piece.borders = (left === 0) + (top === 0) + (right === width) + (bottom === height);
  }
  return { numbers, pieces };
}

function flood({ data, width, height }, numbers, start, number) {
  const box = { left: width, top: height, right: 0, bottom: 0 };
  const open = [start];
  let area = 0;
  numbers[start] = number;
  while (open.length) {
    const k = open.pop();
    const x = k % width;
    const y = (k - x) / width;
    area++;
    box.left = Math.min(box.left, x);
    box.top = Math.min(box.top, y);
    box.right = Math.max(box.right, x + 1);
    box.bottom = Math.max(box.bottom, y + 1);
    for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, height - 1); v++) {
      for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, width - 1); u++) {
        const next = v * width + u;
        if (numbers[next] || data[next] < 0.5) continue;
        numbers[next] = number;
        open.push(next);
      }
    }
  }
  return { number, area, box };
}

/** Without the pieces that nowhere reach the strength of ink; null if none does. */
function onlySolid({ ink, solid }) {
  const { numbers, pieces } = findPieces(ink);
  const kept = new Set([0]); // soft edges
  numbers.forEach((number, k) => solid.data[k] && kept.add(number));
  if (!pieces.some(({ number }) => kept.has(number))) return null;
  return new Grid(ink.width, ink.height, ink.data.map((level, k) => (kept.has(numbers[k]) ? level : 0)));
}

/** The one digit of a picture: its ink with soft edges, and its box; null if there is none. */
export function mainFigure(found) {
  const ink = onlySolid(found);
  if (!ink) return null;
  const { numbers, pieces } = findPieces(ink);
  if (!pieces.length) return null;
  const least = Math.max(LEAST_SIZE, LEAST_SHARE * Math.sqrt(ink.data.length));
  const large = pieces.filter(({ box }) => sizeOf(box) >= least);
  const main = (large.length ? large : pieces).reduce((best, piece) =>
    prominence(piece, ink) > prominence(best, ink) ? piece : best,
  );
  const chosen = withNeighbours(main, pieces);
  const box = chosen.map((piece) => piece.box).reduce(union);
  return sizeOf(box) >= least ? figureOf(ink, numbers, chosen, box) : null;
}

function withNeighbours(main, pieces) {
  const chosen = [main];
  let box = main.box;
  let rest = pieces.filter((p) => p !== main && (main.borders || !p.borders));
  for (;;) {
    const near = rest.filter((piece) => belongs(piece, box, main));
    if (!near.length) return chosen;
    chosen.push(...near);
    rest = rest.filter((piece) => !near.includes(piece));
    box = chosen.map((piece) => piece.box).reduce(union);
  }
}

function prominence({ area, box, borders }, { width, height }) {
  const offCentre = Math.hypot((box.left + box.right) / width - 1, (box.top + box.bottom) / height - 1);
  return Math.sqrt(area * sizeOf(box)) * (1 - OFF * Math.min(offCentre, 1)) * OFF ** Math.min(borders, 2);
}

function belongs(piece, box, main) {
  if (isFullStop(piece, main, box)) return false;
  const size = sizeOf(main.box);
  const isSpeck = sizeOf(piece.box) <= LARGE * size || piece.area <= SPECK * main.area;
  const apart = gap(box, piece.box);
  return (apart < NEAR * size && !isSpeck) || (apart < 3 * strokeOf(main) && piece.area > PART * main.area);
}

function isFullStop({ area, box }, main, digit) {
  const [width, height] = [widthOf(box), heightOf(box)];
  const isDot = sizeOf(box) < 2 * Math.min(width, height) && area > 0.6 * width * height;
  return isDot && sizeOf(box) < DOT * sizeOf(main.box) && box.left >= digit.right;
}

function figureOf(ink, numbers, pieces, box) {
  const margin = 1 + Math.floor(heightOf(box) / 60);
  const wide = {
    left: Math.max(box.left - margin, 0),
    top: Math.max(box.top - margin, 0),
    right: Math.min(box.right + margin, ink.width),
    bottom: Math.min(box.bottom + margin, ink.height),
  };
  const chosen = new Set(pieces.map(({ number }) => number));
  const isChosen = (x, y) => (chosen.has(numbers[y * ink.width + x]) ? 1 : 0);
  let near = Grid.from(widthOf(wide), heightOf(wide), (x, y) => isChosen(wide.left + x, wide.top + y));
  near = widened(widened(near, margin).transposed(), margin).transposed();
  const part = ink.cut(wide);
  return { ink: new Grid(part.width, part.height, part.data.map((v, k) => (near.data[k] ? v : 0))), box };
}

/** Whatever lies at most so many columns from what is set. */
function widened(grid, by) {
  return Grid.from(grid.width, grid.height, (x, y) => {
    for (let u = Math.max(x - by, 0); u <= Math.min(x + by, grid.width - 1); u++) {
      if (grid.at(u, y)) return 1;
    }
    return 0;
  });
}

/** Whether a figure passes for writing: no disc of half its size fits into its ink. */
export function isWriting({ ink, box }) {
  const scale = COARSE / sizeOf(box);
  const size = (length) => Math.max(1, roundEven(length * scale));
  const coarse = resized(ink, size(widthOf(box)), size(heightOf(box)), AVERAGE);
  return distances(coarse.map((level) => (level >= 0.5 ? 1 : 0)).padded(1)).max() <= COARSE / 4;
}
