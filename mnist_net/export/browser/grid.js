/**
 * Grids of numbers, and what Pillow and SciPy do with them in Python: the same sums in the same
 * order, because a picture that is one grey level off is another picture.
 */

/** Rows of numbers; a grid of ink is 0 on paper and 1 within a stroke. */
export class Grid {
  constructor(width, height, data = new Float32Array(width * height)) {
    Object.assign(this, { width, height, data });
  }

  static from(width, height, value) {
    const grid = new Grid(width, height);
    for (let y = 0, k = 0; y < height; y++) {
      for (let x = 0; x < width; x++, k++) grid.data[k] = value(x, y);
    }
    return grid;
  }

  at(x, y) {
    return this.data[y * this.width + x];
  }

  map(change) {
    const data = new this.data.constructor(this.data.length);
    for (let k = 0; k < data.length; k++) data[k] = change(this.data[k]); // far faster than its map
    return new Grid(this.width, this.height, data);
  }

  max() {
    let most = -Infinity;
    for (const value of this.data) if (value > most) most = value;
    return most;
  }

  cut({ left, top, right, bottom }) {
    return Grid.from(right - left, bottom - top, (x, y) => this.at(left + x, top + y));
  }

  padded(columns, rows = columns) {
    const within = (x, y) => x >= 0 && y >= 0 && x < this.width && y < this.height;
    return Grid.from(this.width + 2 * columns, this.height + 2 * rows, (x, y) =>
      within(x - columns, y - rows) ? this.at(x - columns, y - rows) : 0,
    );
  }

  transposed() {
    return Grid.from(this.height, this.width, (x, y) => this.at(y, x));
  }

  /** Sums of the columns, then of the rows. */
  profiles(value = (level) => level) {
    const [columns, rows] = [new Float64Array(this.width), new Float64Array(this.height)];
    for (let y = 0, k = 0; y < this.height; y++) {
      for (let x = 0; x < this.width; x++, k++) {
        const level = value(this.data[k]);
        columns[x] += level;
        rows[y] += level;
      }
    }
    return [columns, rows];
  }

  /** Smallest box around what is more than a level; right and bottom are beyond it. */
  bounds(level) {
    const [columns, rows] = this.profiles((value) => (value > level ? 1 : 0));
    const first = (counts) => counts.findIndex((n) => n > 0);
    const beyond = (counts) => counts.findLastIndex((n) => n > 0) + 1;
    return { left: first(columns), top: first(rows), right: beyond(columns), bottom: beyond(rows) };
  }
}

/** To the nearest whole number, and of two to the even one, as Python rounds. */
export function roundEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

export const clip = (value, least, most) => Math.min(Math.max(value, least), most);

export const BOX = { support: 0.5, weigh: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };
export const BILINEAR = { support: 1, weigh: (x) => Math.max(0, 1 - Math.abs(x)) };
export const BICUBIC = {
  support: 2,
  weigh(x) {
    const [a, t] = [-0.5, Math.abs(x)];
    if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
    return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
  },
};

/** Another size, by a filter that is as wide as what it shrinks (`Image.resize` of Pillow). */
export function resized(grid, width, height, filter) {
  const across = width === grid.width ? grid : resizedAcross(grid, width, filter);
  if (height === grid.height) return across;
  return resizedAcross(across.transposed(), height, filter).transposed();
}

function resizedAcross(grid, width, { support, weigh }) {
  const scale = grid.width / width;
  const stretch = Math.max(scale, 1);
  const result = new Grid(width, grid.height);
  for (let x = 0; x < width; x++) {
    const centre = (x + 0.5) * scale;
    const begin = Math.max(Math.trunc(centre - support * stretch + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support * stretch + 0.5), grid.width);
    const weights = Array.from({ length: end - begin }, (_, k) =>
      weigh((begin + k - centre + 0.5) / stretch),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let y = 0; y < grid.height; y++) {
      let sum = 0;
      for (let k = begin; k < end; k++) sum += grid.at(k, y) * (weights[k - begin] / total);
      result.data[y * width + x] = sum;
    }
  }
  return result;
}

/** Columns moved by so much a row below the given one (`Image.transform` of Pillow, bilinear). */
export function sheared(grid, shear, row) {
  return Grid.from(grid.width, grid.height, (x, y) => {
    const from = x + 0.5 + shear * (y + 0.5) - shear * row;
    if (from < 0 || from >= grid.width) return 0;
    const left = Math.floor(from - 0.5);
    const share = from - 0.5 - left;
    const value = (column) => grid.at(clip(column, 0, grid.width - 1), y);
    return value(left) + (value(left + 1) - value(left)) * share;
  });
}

/** Of each pixel the distance to the nearest that is not set (Felzenszwalb and Huttenlocher 2012). */
export function distances(isSet) {
  const far = 1e12;
  const along = (grid) => {
    const result = new Grid(grid.width, grid.height, new Float64Array(grid.data.length));
    for (let y = 0; y < grid.height; y++) {
      const begin = y * grid.width;
      result.data.set(squaredAlong(grid.data.subarray(begin, begin + grid.width)), begin);
    }
    return result;
  };
  const start = new Grid(isSet.width, isSet.height, Float64Array.from(isSet.data, (v) => (v ? far : 0)));
  const across = along(start);
  const down = along(transposedDouble(across));
  return transposedDouble(down).map(Math.sqrt);
}

function transposedDouble(grid) {
  const result = new Grid(grid.height, grid.width, new Float64Array(grid.data.length));
  for (let y = 0; y < grid.height; y++) {
    for (let x = 0; x < grid.width; x++) result.data[x * grid.height + y] = grid.at(x, y);
  }
  return result;
}

/** Lower envelope of parabolas, one over each place, at each place. */
function squaredAlong(values) {
  const places = [0];
  const limits = [-Infinity, Infinity];
  for (let q = 1; q < values.length; q++) {
    let meets = -Infinity;
    for (;;) {
      const v = places.at(-1);
      meets = (values[q] + q * q - values[v] - v * v) / (2 * q - 2 * v);
      if (meets > limits[places.length - 1]) break;
      places.pop();
    }
    places.push(q);
    limits[places.length - 1] = meets;
    limits[places.length] = Infinity;
  }
  const result = new Float64Array(values.length);
  for (let q = 0, k = 0; q < values.length; q++) {
    while (limits[k + 1] < q) k++;
    result[q] = (q - places[k]) ** 2 + values[places[k]];
  }
  return result;
}

/** Of each pixel the greatest of the nine around it. */
export function greatestAround(grid) {
  const result = new Grid(grid.width, grid.height, new Float64Array(grid.data.length));
  for (let y = 0; y < grid.height; y++) {
    for (let x = 0; x < grid.width; x++) {
      let most = -Infinity;
      for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, grid.height - 1); v++) {
        for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, grid.width - 1); u++) {
          most = Math.max(most, grid.at(u, v));
        }
      }
      result.data[y * grid.width + x] = most;
    }
  }
  return result;
}

export function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
