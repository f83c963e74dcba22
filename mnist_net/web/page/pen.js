/**
 * The hand on the paper: mouse, pen and finger by pointer events, and a pen that the arrow keys
 * move. Points are in shares of the paper's width.
 */

const STEP = 0.03; // of the width, that an arrow key moves the pen; with Shift a third of it

/** Call `begin(point)`, `extend(points)` and `end()` as strokes are drawn on a canvas. */
export function drawOn(canvas, { begin, extend, end }) {
  let drawing = null;

  const place = (event) => {
    const { left, top, width } = canvas.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / width];
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (drawing !== null || event.button !== 0) return;
    event.preventDefault(); // no text is selected, no mouse event follows
    canvas.focus({ preventScroll: true, focusVisible: false });
    drawing = event.pointerId;
    canvas.setPointerCapture(drawing);
    begin(place(event));
  });

  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drawing) return;
    // The browser hands on a fast hand's points once a frame, and keeps those between.
    const events = event.getCoalescedEvents?.() ?? [];
    extend((events.length ? events : [event]).map(place));
  });

  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(name, (event) => {
      if (event.pointerId !== drawing) return;
      drawing = null;
      end();
    });
  }
}

/** A pen for the keyboard: where it is, and whether it is down. */
export class KeyboardPen {
  constructor(height, { begin, extend, end, moved }) {
    Object.assign(this, { height, begin, extend, end, moved });
    this.point = null; // until it is used
    this.isDown = false;
  }

  /** Whether the key was one of the pen's. */
  press(event) {
    const [right, down] = ARROWS[event.key] ?? [];
    if (right !== undefined) this.move(right, down, event.shiftKey ? STEP / 3 : STEP);
    else if (event.key === " ") this.isDown ? this.lift() : this.lower();
    else if (event.key === "Escape" && this.point) this.put(null);
    else return false;
    this.moved();
    return true;
  }

  move(right, down, step) {
    const [x, y] = this.point ?? [0.5, this.height() / 2];
    const within = (value, most) => Math.min(Math.max(value, 0.02), most - 0.02);
    this.point = [within(x + right * step, 1), within(y + down * step, this.height())];
    if (this.isDown) this.extend([this.point]);
  }

  lower() {
    this.point ??= [0.5, this.height() / 2];
    this.isDown = true;
    this.begin(this.point);
  }

  lift() {
    if (!this.isDown) return;
    this.isDown = false;
    this.end();
  }

  put(point) {
    this.lift();
    this.point = point;
  }
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
