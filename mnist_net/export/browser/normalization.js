/** What a network makes of a picture by its moments; see `mnist_net/learning/normalization.py`. */

const SIDE = 28;
const LAST = SIDE - 1;
const HEIGHT = 10;
const BREADTH = 8;
const MOST = 2;
const STEEPEST = 1;
const TINY = 1e-6;
const PIXEL = 1 / 12;

const clipped = (value, least, most) => Math.min(Math.max(value, least), most);

function towards(usual, variance) {
  const deviation = Math.sqrt(Math.max(variance, PIXEL));
  return clipped(Math.sqrt(deviation / usual), 1 / MOST, MOST);
}

/** Row and column that each pixel comes from, fractional, from the corner. */
function placesOf(pixels) {
  const middles = [...pixels.keys()].map((k) => [Math.floor(k / SIDE) - LAST / 2, (k % SIDE) - LAST / 2]);
  const moment = (i, j) => middles.reduce((sum, [r, c], k) => sum + pixels[k] * r ** i * c ** j, 0);
  const mass = Math.max(moment(0, 0), TINY);
  const [row, column] = [moment(1, 0) / mass, moment(0, 1) / mass];
  const height = moment(2, 0) / mass - row * row;
  const breadth = moment(0, 2) / mass - column * column;
  const both = moment(1, 1) / mass - row * column;
  const slant = clipped(both / Math.max(height, PIXEL), -STEEPEST, STEEPEST);
  const tall = towards(HEIGHT, height);
  const broad = towards(BREADTH, breadth - slant * both);
  return middles.map(([r, c]) =>
    [row + tall * r, column + broad * c + slant * tall * r].map((place) => clipped(place + LAST / 2, 0, LAST)),
  );
}

/** The four pixels around a place, and how much of each is in it. */
function around([y, x]) {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [down, right] = [y - top, x - left];
  const [below, beside] = [Math.min(top + 1, LAST), Math.min(left + 1, LAST)];
  return [
    [SIDE * top + left, (1 - down) * (1 - right)],
    [SIDE * top + beside, (1 - down) * right],
    [SIDE * below + left, down * (1 - right)],
    [SIDE * below + beside, down * right],
  ];
}

function upright(pixels) {
  const sum = (place) => around(place).reduce((total, [k, part]) => total + part * pixels[k], 0);
  return placesOf(pixels).map(sum);
}

/** The gradient by the pixels, as if their ink moved no moment. */
function uprightBackward(pixels, gradient) {
  const back = new Float64Array(pixels.length);
  placesOf(pixels).forEach((place, n) => {
    for (const [k, part] of around(place)) back[k] += part * gradient[n];
  });
  return back;
}

export const NORMALIZATIONS = {
  none: { apply: (pixels) => pixels, backward: (_, gradient) => gradient },
  moments: { apply: upright, backward: uprightBackward },
};
