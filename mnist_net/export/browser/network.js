/** A trained network: 28 × 28 to probabilities, and why; see `mnist_net/trained`. */

import { NORMALIZATIONS } from "./normalization.js";

const ACTIVATIONS = {
  sigmoid: [(z) => 0.5 * (1 + Math.tanh(0.5 * z)), (a) => a * (1 - a)],
  tanh: [Math.tanh, (a) => 1 - a * a],
  relu: [(z) => Math.max(z, 0), (a) => (a > 0 ? 1 : 0)],
  identity: [(z) => z, () => 1],
};

/** One network, or several that answer as one: the mean of their probabilities. */
export class Predictor {
  constructor(stored) {
    this.members = stored.members.map((member) => new Network(member));
    this.classes = stored.classes;
    this.name = stored.name;
  }

  /** Probabilities of the classes; the image is 28 × 28 grey levels, ink bright on black. */
  predict(image) {
    const all = this.members.map((member) => member.predict(image));
    return all[0].map((_, k) => all.reduce((sum, one) => sum + one[k], 0) / all.length);
  }

  /** What spoke for a class: gradient by the pixels, and the hidden units that pushed most. */
  explain(image, answer, nUnits) {
    const all = this.members.map((member) => member.explain(image, answer, nUnits));
    const saliency = all[0].saliency.map(
      (_, k) => all.reduce((sum, one) => sum + one.saliency[k], 0) / all.length,
    );
    return { saliency: rows(saliency), units: all[0].units };
  }
}

class Network {
  constructor({ layers, activations, scaling, temperature }) {
    this.layers = layers.map(({ inputs, outputs, weights, biases }) => ({
      inputs,
      outputs,
      weights: numbersOf(weights),
      biases: biases && numbersOf(biases),
    }));
    this.activations = activations.map((name) => ACTIVATIONS[name]);
    this.normalization = NORMALIZATIONS[scaling.normalization];
    Object.assign(this, { scaling, temperature });
  }

  /** Activations of every layer, the input's first. */
  forward(image) {
    const { shift, scale } = this.scaling;
    const seen = this.normalization.apply(image.data);
    const A = [Float32Array.from(seen, (pixel) => Math.fround(pixel - Math.fround(shift)) / scale)];
    this.layers.forEach((layer, level) => {
      const [activate] = this.activations[level];
      A.push(logits(A.at(-1), layer).map(activate));
    });
    return A;
  }

  predict(image) {
    return softmax([...this.forward(image).at(-1)].map((z) => z / this.temperature));
  }

  explain(image, answer, nUnits) {
    const A = this.forward(image);
    let delta = A.at(-1).map((a, k) => (k === answer ? this.activations.at(-1)[1](a) : 0));
    let pushes = [];
    for (let level = this.layers.length - 1; level >= 0; level--) {
      const error = backward(delta, this.layers[level]);
      if (level === 1) pushes = error.map((e, k) => e * A[1][k]);
      delta = level ? error.map((e, k) => e * this.activations[level - 1][1](A[level][k])) : error;
    }
    const back = this.normalization.backward(image.data, delta);
    const saliency = [...back].map((d) => (d * 255) / this.scaling.scale);
    const strongest = [...pushes.keys()].sort((a, b) => pushes[b] - pushes[a]).slice(0, nUnits);
    const units = strongest.map((unit) => ({
      unit,
      activation: A[1][unit],
      push: pushes[unit],
      weights: rows(this.weightsInto(unit)),
    }));
    return { saliency, units };
  }

  weightsInto(unit) {
    const { inputs, outputs, weights } = this.layers[0];
    return Array.from({ length: inputs }, (_, k) => weights[k * outputs + unit]);
  }
}

/** Z = X W + b of one row X; what is 0 costs nothing. */
function logits(X, { inputs, outputs, weights, biases }) {
  const Z = biases ? Float64Array.from(biases) : new Float64Array(outputs);
  for (let j = 0; j < inputs; j++) {
    const x = X[j];
    if (x === 0) continue;
    const row = j * outputs;
    for (let k = 0; k < outputs; k++) Z[k] += x * weights[row + k];
  }
  return Z;
}

/** delta Wᵀ of one row. */
function backward(delta, { inputs, outputs, weights }) {
  const error = new Float64Array(inputs);
  for (let j = 0; j < inputs; j++) {
    let sum = 0;
    for (let k = 0; k < outputs; k++) sum += delta[k] * weights[j * outputs + k];
    error[j] = sum;
  }
  return error;
}

function softmax(z) {
  const most = Math.max(...z);
  const powers = z.map((value) => Math.exp(value - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

export function rows(flat) {
  return Array.from({ length: 28 }, (_, row) => Array.from(flat.slice(28 * row, 28 * (row + 1))));
}

/** Base64 of float16, little-endian, as numbers. */
function numbersOf(base64) {
  const binary = atob(base64);
  const numbers = new Float32Array(binary.length / 2);
  for (let k = 0; k < numbers.length; k++) {
    numbers[k] = HALVES[binary.charCodeAt(2 * k) | (binary.charCodeAt(2 * k + 1) << 8)];
  }
  return numbers;
}

/** The number of each of the 65,536 halves (IEEE 754, binary16). */
const HALVES = Float32Array.from({ length: 65536 }, (_, bits) => {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
});
