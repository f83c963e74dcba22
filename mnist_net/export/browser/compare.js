/** Compares what is read here with what Python has read of the same pictures. */

const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

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
  const data = new Uint8ClampedArray(4 * width * height);
  bytesOf(pixels).forEach((level, k) => data.set([level, level, level, 255], 4 * k));
  return { width, height, data };
}
