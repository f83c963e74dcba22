/**
 * What is on the paper: strokes, on top of a picture if there is one. Lengths are in shares of the
 * paper's width, so that a drawing is the same on a phone and on a large screen; what is read is
 * always drawn anew, black on white.
 */

const SIDE = 400; // pixels across what is read of a drawing; a digit needs 20
const WIDEST = 1600; // likewise of a picture that is drawn on

const NEAR = 0.06; // what is further apart was not drawn as a curve
const FLATTEST = 0.5; // height of paper that takes a picture's proportions, to its width ...
const TALLEST = 1.3; // ... and at most

export class Sketch {
  /** Paper so high, which may take the proportions of the picture that lies on it. */
  constructor(height, { follows = false } = {}) {
    Object.assign(this, { blankHeight: height, follows });
    this.strokes = [];
    this.picture = null;
    this.past = [];
  }

  get height() {
    if (!this.follows || !this.picture) return this.blankHeight;
    const { width, height } = this.picture.bitmap;
    return Math.min(Math.max(height / width, FLATTEST), TALLEST);
  }

  get isBlank() {
    return !this.picture && !this.strokes.length;
  }

  get canUndo() {
    return this.past.length > 0;
  }

  /** Whatever changes the paper can be taken back. */
  change(strokes, picture) {
    this.past.push([this.strokes, this.picture]);
    this.strokes = strokes;
    this.picture = picture;
  }

  begin(point, width) {
    this.change([...this.strokes, { width, points: [point] }], this.picture);
  }

  extend(points) {
    this.strokes.at(-1).points.push(...points);
  }

  clear() {
    if (!this.isBlank) this.change([], null);
  }

  undo() {
    if (this.canUndo) [this.strokes, this.picture] = this.past.pop();
  }

  /** Show a picture: {bitmap, upright, and the file that it came from}. */
  show(picture) {
    this.change([], picture);
  }

  /** Where the picture lies on paper of such a width: x, y, width, height. */
  place(width) {
    const { bitmap } = this.picture;
    const scale = Math.min(width / bitmap.width, (width * this.height) / bitmap.height);
    const [w, h] = [bitmap.width * scale, bitmap.height * scale];
    return [(width - w) / 2, (width * this.height - h) / 2, w, h];
  }

  paint(context, width, ink) {
    if (this.picture) context.drawImage(this.picture.bitmap, ...this.place(width));
    paintStrokes(context, this.strokes, width, this.picture ? "#111" : ink);
  }

  /** What is to be read, as it is now; x, y and scale lead from its pixels to the paper's width. */
  snapshot() {
    const { picture, strokes } = this;
    if (picture && !strokes.length) {
      const [x, y, width] = this.place(1);
      return new Snapshot(() => photocopy(picture.bitmap), picture.file, [x, y, width / picture.bitmap.width]);
    }
    const side = picture ? Math.min(WIDEST, Math.max(SIDE, picture.bitmap.width)) : SIDE * (this.height < 1 ? 2 : 1);
    const canvas = blank(side, Math.round(side * this.height));
    this.paint(canvas.getContext("2d"), side, "#000");
    return new Snapshot(() => canvas, null, [0, 0, 1 / side]);
  }
}

/** A picture to read, at one moment. */
class Snapshot {
  constructor(drawn, file, place) {
    this.drawn = drawn;
    this.file = file;
    this.place = place;
  }

  /** Bytes of a file: the one that came, as it came, or a drawing as PNG. */
  async blob() {
    return this.file ?? pngBlob(this.drawn());
  }

  pixels() {
    const canvas = this.drawn();
    return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  }

  /** PNG in base64, of a picture too. */
  png() {
    return base64(this.drawn());
  }
}

const base64 = (canvas) => canvas.toDataURL("image/png").split(",")[1];

/** At once: `toBlob` waits until the browser has nothing else to do. */
function pngBlob(canvas) {
  const binary = atob(base64(canvas));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}

function blank(width, height) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  return canvas;
}

function photocopy(bitmap) {
  const scale = Math.min(1, WIDEST / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.ceil(bitmap.width * scale), Math.ceil(bitmap.height * scale)];
  const canvas = blank(width, height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0, width, height);
  return canvas;
}

function paintStrokes(context, strokes, width, ink) {
  Object.assign(context, { lineCap: "round", lineJoin: "round", strokeStyle: ink, fillStyle: ink });
  for (const stroke of strokes) {
    context.lineWidth = stroke.width * width;
    context.beginPath();
    trace(context, stroke.points.map(([x, y]) => [x * width, y * width]), NEAR * width);
    context.stroke();
  }
}

/** Smooth through the middles between near points, so that a fast hand draws curves. */
function trace(context, points, near) {
  const isNear = (k) => Math.hypot(points[k][0] - points[k - 1][0], points[k][1] - points[k - 1][1]) < near;
  context.moveTo(...points[0]);
  for (let k = 1; k < points.length - 1; k++) {
    const [[x, y], [nextX, nextY]] = [points[k], points[k + 1]];
    if (isNear(k) && isNear(k + 1)) context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    else context.lineTo(x, y); // a corner
  }
  context.lineTo(...points.at(-1)); // of a single point: a dot
}
