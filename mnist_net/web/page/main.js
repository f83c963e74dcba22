/** The page: what is drawn is asked about, and what is answered is shown. */

import * as answer from "./answer.js";
import { Asking } from "./asking.js";
import { KeyboardPen, drawOn } from "./pen.js";
import * as service from "./service.js";
import * as sheet from "./sheet.js";
import { Sketch } from "./sketch.js";
import { offerCamera, receivePictures } from "./sources.js";
import { followTheme } from "./theme.js";

const $ = (id) => document.getElementById(id);

const sketches = { draw: new Sketch(1), page: new Sketch(3 / 4, { follows: true }) };
const read = { draw: null, page: null }; // what was read last, in each mode
let mode = "draw";
let abilities = { feedback: true, page: true };

const sketch = () => sketches[mode];
const strokeWidth = () => ($("width").value / 100) * sketch().height;

const hand = {
  begin(point) {
    sketch().begin(point, strokeWidth());
    repaint();
  },
  extend(points) {
    sketch().extend(points);
    repaint();
    if (mode === "draw") asking.asIsDrawn();
  },
  end: () => asking.now(),
};
const pen = new KeyboardPen(() => sketch().height, { ...hand, moved: repaint });

const asking = new Asking({
  snapshot: () => (sketch().isBlank ? null : sketch().snapshot()),
  ask: (snapshot, options) =>
    mode === "draw" ? service.predict(snapshot, options) : service.read(snapshot, options),
  busy: (isBusy) => {
    $("answer").setAttribute("aria-busy", String(isBusy && mode === "draw"));
    $("text").setAttribute("aria-busy", String(isBusy && mode === "page"));
  },
  answered(found, snapshot) {
    trouble(null);
    read[mode] = found && { found, place: snapshot.place };
    showRead();
  },
  failed(error) {
    trouble(error);
    read[mode] = null;
    showRead("No answer");
  },
});

function showRead(emptyText) {
  const { found = null, place = [0, 0, 1] } = read[mode] ?? {};
  if (mode === "draw") {
    tell(answer.show(found, emptyText));
    $("correction").hidden = !abilities.feedback || !found;
    $("thanks").textContent = "";
    $("boxes").replaceChildren();
  } else {
    tell(sheet.show(found, place, sketch().height, emptyText));
  }
}

let telling;

/** A screen reader is told once the hand rests. */
function tell(text) {
  clearTimeout(telling);
  telling = setTimeout(() => ($("told").textContent = text), 600);
}

function trouble(error) {
  $("trouble").hidden = !error;
  $("trouble").textContent = error ? error.message : "";
  if (error && !(error instanceof service.Trouble)) throw error; // a fault of ours: not hidden
}

let painting = 0;

function repaint() {
  painting ||= requestAnimationFrame(() => {
    painting = 0;
    paint();
  });
}

function paint() {
  const canvas = $("canvas");
  $("paper").style.aspectRatio = 1 / sketch().height;
  const width = Math.round(canvas.clientWidth * devicePixelRatio);
  const height = Math.round(canvas.clientHeight * devicePixelRatio);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const style = getComputedStyle(document.documentElement);
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  sketch().paint(context, width, style.getPropertyValue("--ink"));
  if (pen.point) paintPen(context, width, style.getPropertyValue("--accent"));
  $("paper").classList.toggle("blank", sketch().isBlank && !pen.point);
  $("undo").disabled = !sketch().canUndo;
  $("clear").disabled = sketch().isBlank;
}

/** Where the keyboard's pen is: a ring, filled while it is down. */
function paintPen(context, width, colour) {
  const [x, y] = pen.point.map((share) => share * width);
  Object.assign(context, { strokeStyle: colour, fillStyle: colour, lineWidth: width / 250 });
  context.beginPath();
  context.arc(x, y, width / 60, 0, 2 * Math.PI);
  if (pen.isDown) context.fill();
  context.stroke();
}

function changed() {
  repaint();
  asking.now();
}

function undo() {
  pen.lift();
  sketch().undo();
  changed();
}

function clear() {
  pen.put(null);
  sketch().clear();
  changed();
}

function switchTo(chosen) {
  asking.stop();
  pen.put(null);
  mode = document.body.dataset.mode = chosen;
  for (const button of document.querySelectorAll(".modes button")) {
    button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  }
  trouble(null);
  showRead();
  paint();
}

async function correct(label) {
  const { found } = read.draw;
  const said = found.digit;
  try {
    await service.correct({ label, png: sketch().snapshot().png(), said });
    $("thanks").textContent = `Thank you: kept as a ${label}, on this machine only.`;
  } catch (error) {
    if (error.status === 404) abilities.feedback = false;
    $("correction").hidden = !abilities.feedback;
    trouble(error);
  }
}

function onKey(event) {
  const writes = event.target.matches("textarea");
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && !writes) undo();
  else if (event.target !== $("canvas") || event.ctrlKey || event.metaKey || event.altKey) return;
  else if (event.key === "Backspace") undo();
  else if (event.key === "Delete") clear();
  else if (!pen.press(event)) return;
  event.preventDefault();
}

async function meet() {
  try {
    abilities = { ...abilities, ...(await service.describe()) };
  } catch (error) {
    trouble(error);
  }
  const isAlone = abilities.page === false;
  $("alone").hidden = !isAlone;
  if (isAlone) document.querySelector("#hint .for-page").textContent = "A page is for mnist-net serve";
  $("count").hidden = $("text").hidden = $("copy").hidden = $("save").hidden = isAlone;
  const units = abilities.layer_sizes?.map((n) => n.toLocaleString("en")).join(" · ");
  if (units) $("model").textContent = `Read by a network of ${units} units, written from its equations.`;
}

function start() {
  answer.prepare();
  sheet.prepare();
  for (let label = 0; label < 10; label++) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
    button.setAttribute("aria-label", `It is a ${label}`);
    button.addEventListener("click", () => correct(label));
    $("labels").append(button);
  }
  for (const button of document.querySelectorAll(".modes button")) {
    button.addEventListener("click", () => switchTo(button.dataset.mode));
  }
  $("undo").addEventListener("click", undo);
  $("clear").addEventListener("click", clear);
  document.addEventListener("keydown", onKey);
  $("canvas").addEventListener("blur", () => pen.lift());

  const take = (picture) => {
    pen.put(null);
    sketch().show(picture);
    changed();
  };
  const elements = Object.fromEntries(
    ["paper", "file", "choose", "video", "camera", "shoot"].map((id) => [id, $(id)]),
  );
  receivePictures(elements, take, trouble);
  offerCamera(elements, take, trouble);
  drawOn($("canvas"), hand);
  followTheme($("theme"), () => {
    repaint();
    showRead();
  });
  new ResizeObserver(repaint).observe($("canvas"));
  showRead();
  meet();
}

start();
