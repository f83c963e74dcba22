/**
 * What is written on a picture of one digit, the cheapest way to see it first; see `looks.py`,
 * `judge.py` and `reader.py`. On paper of one colour alone: who follows light and shadow is
 * `mnist-net serve`.
 */

import { deslanted, fitted, inMnistForm, narrowed } from "./form.js";
import { channelsOf, cleanPaper, findInk, inkOnCleanPaper } from "./ink.js";
import { rows } from "./network.js";
import { isWriting, mainFigure } from "./pieces.js";

const SURE = 0.92;
const DETECTORS_WEIGHT = 0.75;
const ODDS_PREPARED = 3;
const HASTY = 0;
const LIKELIER_AS_IT_IS = 0.95;
const WIDTHS = [0.8, 0.6];
const UNITS = 8;

const BLANK = "nothing on it is darker or lighter than its paper";
const UNLIKE = "what is on it does not look like a digit";
export const UNEVEN =
  "The paper of this picture is not of one colour: photographs are read by mnist-net serve.";

export class Reader {
  /** The networks, the score below which something is no digit, and whether both read digits. */
  constructor(model, detector, rejectBelow, twoReaders) {
    Object.assign(this, { model, detector, rejectBelow, twoReaders });
  }

  /** Read the digit of a picture (ImageData); null if its paper is not of one colour. */
  read(picture) {
    const channels = channelsOf(picture);
    const ready = inMnistForm(channels);
    if (!ready && !cleanPaper(channels)) return null;
    const judged = [];
    for (const views of ready ? [[{ image: ready, prior: 1, ready, prepared: true }]] : looks(channels)) {
      judged.push(...views.map((view) => this.judge(view)));
      if (best(judged)?.score >= SURE) return this.reading(best(judged));
    }
    return this.reading(best(judged.map((view) => this.judgeAgain(view))));
  }

  /** The view with what both networks say of it. */
  judge(view) {
    return { ...view, ...this.score(view.image, view) };
  }

  /** What both networks say; what came in MNIST's form, the first knows best; see networks.py. */
  score(image, { ready = null, prepared }) {
    let probabilities = this.model.predict(image);
    let isDigit = 1;
    if (this.detector) {
      const [none, ...digits] = this.detector.predict(image);
      isDigit = 1 - none;
      const known = digits.reduce((sum, one) => sum + one, 0);
      if (this.twoReaders && !ready && known > 0) {
        const mean = (p, q) => (1 - DETECTORS_WEIGHT) * p + DETECTORS_WEIGHT * q;
        probabilities = probabilities.map((p, k) => mean(p, digits[k] / known));
      }
    }
    const score = Math.max(...probabilities) * isDigit;
    const odds = prepared ? ODDS_PREPARED : 1;
    return { probabilities, score: (score * odds) / (1 + (odds - 1) * score) };
  }

  /** The mean over the view and the same digit upright and, if it is not narrow, narrower. */
  judgeAgain(view) {
    if (view.ready) return view;
    const isNarrow = 2 * view.ink.width <= view.ink.height;
    const changed = isNarrow ? [deslanted(view.ink)] : [deslanted(view.ink), narrowed(view.ink)];
    const further = changed.map((ink) => this.score(fitted(ink, 1, { usualStrokes: true }), view));
    const all = [view, ...further];
    const mean = (value) => all.reduce((sum, one) => sum + value(one), 0) / all.length;
    const probabilities = view.probabilities.map((_, k) => mean((one) => one.probabilities[k]));
    return { ...view, probabilities, score: mean(({ score }) => score) };
  }

  reading(view) {
    if (!view) return { digit: null, probability: 0, score: 0, probabilities: null, reason: BLANK };
    const { probabilities, score, image } = view;
    const answer = probabilities.indexOf(Math.max(...probabilities));
    const isRefused = score < this.rejectBelow;
    return {
      digit: isRefused ? null : this.model.classes[answer],
      probability: probabilities[answer],
      score,
      probabilities,
      reason: isRefused ? UNLIKE : null,
      seen: rows(image.data),
      explain: () => this.model.explain(image, answer, UNITS),
    };
  }
}

const best = (views) =>
  views.reduce((a, b) => (a && a.prior * a.score >= b.prior * b.score ? a : b), undefined);

/** Views of the one digit on clean paper, in stages: all ink at once; then piece by piece. */
function* looks(channels) {
  const paper = cleanPaper(channels);
  const all = inkOnCleanPaper(channels, paper);
  if (all) {
    const levels = all.cut(all.bounds(0));
    const ink = levels.map((level) => Math.fround(level / 255));
    const figure = ink.cut(ink.map((level) => (level >= 0.5 ? 1 : 0)).bounds(0));
    const prepared = wasPrepared(all.bounds(127), channels[0]);
    yield [{ image: fitted(levels, 255), ink: figure, prior: HASTY, prepared }];
  }
  const found = findInk(channels, paper);
  const figure = found && mainFigure(found);
  if (!figure || !isWriting(figure)) return;
  const { box } = figure;
  const prepared = wasPrepared(box, channels[0]);
  const view = (ink, prior) => ({
    image: fitted(ink, 1, { usualStrokes: true }),
    ink,
    prior,
    prepared,
  });
  const isWhole =
    !box.left && !box.top && box.right === channels[0].width && box.bottom === channels[0].height;
  const shares = isWhole ? WIDTHS : []; // who cuts a picture off at the ink may have stretched it
  yield [
    view(figure.ink, 1),
    ...shares.map((share) => view(narrowed(figure.ink, share), LIKELIER_AS_IT_IS)),
  ];
}

/** Whether the picture ends where its ink does, at both ends of the longer side. */
function wasPrepared({ left, top, right, bottom }, { width, height }) {
  const upright = bottom - top >= right - left;
  const [first, last, end] = upright ? [top, bottom, height] : [left, right, width];
  return first <= 1 && last >= end - 1;
}
