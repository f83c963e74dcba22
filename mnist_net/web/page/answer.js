/** What was read of one digit: the answer, how sure it is, and why. */

const $ = (id) => document.getElementById(id);

const UNITS = 8; // hidden units that are shown

/** Ten empty bars, and small pictures to fill. */
export function prepare() {
  for (let digit = 0; digit < 10; digit++) {
    const item = document.createElement("li");
    item.innerHTML = `<span class="track" aria-hidden="true"><span class="bar"></span></span>`;
    const share = document.createElement("span");
    share.className = "unseen";
    item.append(String(digit), share);
    $("bars").append(item);
  }
  for (let k = 0; k < UNITS; k++) {
    $("units").append(Object.assign(document.createElement("canvas"), { width: 28, height: 28 }));
  }
}

/** Show a reading, or that there is none; returns what a screen reader says of it. */
export function show(reading, emptyText = "Nothing drawn yet") {
  const state = reading ? (reading.digit === null ? "none" : "digit") : "empty";
  $("answer").dataset.state = state;
  $("digit").textContent = { digit: reading?.digit, none: "–", empty: "\u00a0" }[state];
  if (state === "digit") $("sure").replaceChildren(strong(percent(reading.score)), " sure");
  else $("sure").textContent = state === "none" ? sentence(reading.reason) : emptyText;
  showBars(reading?.probabilities ?? null);
  if (!reading?.probabilities) $("why").hidden = true;
  else if (reading.seen) showWhy(reading); // in the middle of a stroke there is no time for it
  if (state === "empty") return "";
  if (state === "none") return `No digit. ${sentence(reading.reason)}.`;
  return `${reading.digit}, ${percent(reading.score)} sure`;
}

/** Rounded down, so that 100 % is said of nothing less. */
const percent = (share) => `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;

const sentence = (reason) => reason[0].toUpperCase() + reason.slice(1);

function strong(text) {
  return Object.assign(document.createElement("strong"), { textContent: text });
}

function showBars(probabilities) {
  const best = probabilities ? probabilities.indexOf(Math.max(...probabilities)) : -1;
  [...$("bars").children].forEach((item, digit) => {
    const share = probabilities?.[digit] ?? 0;
    item.classList.toggle("best", digit === best);
    item.querySelector(".bar").style.setProperty("--share", share);
    item.querySelector(".unseen").textContent = probabilities ? `: ${percent(share)}` : "";
    item.title = probabilities ? percent(share) : "";
  });
}

function showWhy({ seen, saliency, units }) {
  $("why").hidden = false;
  const { ink, accent, cool } = colours();
  paint($("seen"), seen.flat().map((level) => [ink, level / 255]));
  paint($("saliency"), spoke(seen, saliency, ink, accent, cool));
  [...$("units").children].forEach((canvas, k) => {
    const unit = units?.[k];
    canvas.style.visibility = unit ? "" : "hidden";
    // A weight that is small is noise: it fades the more.
    if (unit) paint(canvas, twoSided(unit.weights, accent, cool).map(([c, share]) => [c, share ** 1.4]));
  });
}

/** Ink in the colour of its side, as strong as the gradient times the ink; over the ink's trace. */
function spoke(seen, saliency, ink, accent, cool) {
  const levels = seen.flat().map((level) => level / 255);
  const gradients = saliency.flat();
  const said = twoSided(gradients.map((gradient, k) => gradient * levels[k]), accent, cool);
  return said.map(([colour, strength], k) => {
    const share = strength ** 0.6; // the eye sees less of what is faint
    const trace = 0.16 * levels[k];
    const opacity = share + trace * (1 - share);
    return [colour.map((c, i) => (c * share + ink[i] * trace * (1 - share)) / (opacity || 1)), opacity];
  });
}

/** What is positive in one colour and what is negative in another, as strong as it is large. */
function twoSided(values, positive, negative) {
  const flat = values.flat();
  const most = Math.max(...flat.map(Math.abs)) || 1;
  return flat.map((value) => [value > 0 ? positive : negative, Math.abs(value) / most]);
}

function paint(canvas, pixels) {
  const image = new ImageData(28, 28);
  pixels.forEach(([[red, green, blue], opacity], k) =>
    image.data.set([red, green, blue, Math.round(255 * opacity)], 4 * k),
  );
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const channels = (name) => {
    const hex = style.getPropertyValue(name).trim();
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  };
  return { ink: channels("--ink"), accent: channels("--accent"), cool: channels("--cool") };
}
