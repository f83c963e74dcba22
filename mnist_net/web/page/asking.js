/**
 * When to ask: while a stroke is drawn, one question at a time and as often as answers come; when
 * it ends, at once, whatever is still under way. The old answer stays until the new one is here.
 */

const LEAST_REST = 60; // milliseconds

export class Asking {
  /** See `main.js` for what it is given: snapshot, ask, busy, answered and failed. */
  constructor(parts) {
    Object.assign(this, parts);
    this.underWay = null;
    this.rest = 0; // until when no question is asked in the middle of a stroke, ...
    this.later = null; // ... and the timer of the one that is asked then
  }

  /** In the middle of a stroke; the hand goes before the answer, so most of the time is its own. */
  asIsDrawn() {
    if (this.later) return;
    const wait = this.underWay ? LEAST_REST : Math.max(0, this.rest - performance.now());
    this.later = setTimeout(() => {
      this.later = null;
      if (this.underWay) this.asIsDrawn();
      else this.#ask(false);
    }, wait);
  }

  /** A stroke has ended, or a picture has come or gone. */
  now() {
    this.stop();
    this.#ask(true);
  }

  stop() {
    clearTimeout(this.later);
    this.later = null;
    this.underWay?.abort();
    this.underWay = null;
    this.busy(false);
  }

  async #ask(isWhole) {
    const begin = performance.now();
    const controller = (this.underWay = new AbortController());
    const isStale = () => this.underWay !== controller;
    this.busy(isWhole);
    try {
      const snapshot = this.snapshot();
      const options = { explain: isWhole, signal: controller.signal };
      const found = snapshot && (await this.ask(snapshot, options));
      if (isStale()) return;
      this.answered(found, snapshot);
      if (isWhole) performance.measure("stroke to answer", { start: begin });
    } catch (error) {
      if (!isStale() && error.name !== "AbortError") this.failed(error);
    } finally {
      const end = performance.now();
      this.rest = end + Math.max(LEAST_REST, 3 * (end - begin));
      if (!isStale()) {
        this.underWay = null;
        this.busy(false);
      }
    }
  }
}
