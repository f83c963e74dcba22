/** Compares what is read here with what Python has read of the same pictures. */

function bytesOf(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = binary.charCodeAt(k);
  return bytes;
}

/** What differs, case by case: {digit, seen, probability, score}. */
export function compare(cases, read) {
  return cases.map((one) => {
    const reading = read(pictureOf(one));
    const seen = bytesOf(one.seen);
    const apart = (a, b) => Math.max(...a.map((value, k) => Math.abs(value - b[k])));
    return {
      digit: reading.digit === one.digit,
      seen: reading.seen ? apart(reading.seen.flat(), seen) : 0,
      probability: one.probabilities ? apart(reading.probabilities, one.probabilities) : 0,
      score: Math.abs(reading.score - one.score),
    };
  });
}

function pictureOf({ size: [width, height], pixels }) {
  const levels = bytesOf(pixels);
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let k = 0; k < levels.length; k++) data[4 * k] = data[4 * k + 1] = data[4 * k + 2] = levels[k];
  return { width, height, data };
}
