/** What was read of a page: boxes over the picture, the text, and a table to save. */

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

let shown = null;

export function prepare() {
  $("copy").addEventListener("click", copy);
  $("save").addEventListener("click", save);
}

/** Show what was read, and where: x, y and scale lead to shares of the paper's width. */
export function show(page, place, height, emptyText = "Nothing read yet") {
  shown = page;
  const n = page?.digits.length ?? 0;
  const rows = n ? page.text.split("\n").length : 0;
  $("count").textContent = n ? `${count(n, "digit")} in ${count(rows, "row")}` : page ? "No digits" : emptyText;
  $("text").value = n ? page.text : "";
  $("text").placeholder = page?.reason ? `${page.reason}` : "The digits, row by row";
  $("copy").disabled = $("save").disabled = !n;
  $("copied").textContent = "";
  $("boxes").setAttribute("viewBox", `0 0 1000 ${1000 * height}`);
  $("boxes").replaceChildren(...(n ? page.digits.flatMap((digit) => boxOf(digit, place)) : []));
  return page ? (n ? `${$("count").textContent}: ${page.text}` : `No digits: ${page.reason}`) : "";
}

const count = (n, thing) => `${n} ${thing}${n === 1 ? "" : "s"}`;

function boxOf({ digit, score, box }, [left, top, scale]) {
  const toPaper = (length) => 1000 * length * scale;
  const [x, y] = [1000 * left + toPaper(box[0]), 1000 * top + toPaper(box[1])];
  const [width, height] = [toPaper(box[2]), toPaper(box[3])];
  const size = Math.max(16, Math.min(34, height / 3));
  const frame = element("rect", { x: x - 3, y: y - 3, width: width + 6, height: height + 6, rx: 4 });
  frame.style.opacity = 0.35 + 0.65 * score;
  const [plateX, plateY] = [x - 3, y - 3 - size < 0 ? y + height + 3 : y - 3 - size];
  const plate = element("rect", { class: "plate", x: plateX, y: plateY, width: 0.85 * size, height: size, rx: 3 });
  const label = element("text", { x: plateX + 0.425 * size, y: plateY + 0.8 * size });
  label.setAttribute("font-size", 0.85 * size);
  label.textContent = digit;
  return [frame, plate, label];
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

async function copy() {
  try {
    await navigator.clipboard.writeText($("text").value);
    $("copied").textContent = "Copied.";
  } catch {
    $("text").select(); // where a page may not copy, whoever reads it may
    $("copied").textContent = "Selected: copy it with Ctrl C.";
  }
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([table(shown)], { type: "text/csv" }));
  link.download = "digits.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** One line a digit; boxes in the picture's own pixels. */
function table({ text, digits }) {
  const lengths = text.split("\n").map((row) => row.length);
  const places = lengths.flatMap((length, row) =>
    Array.from({ length }, (_, column) => [row + 1, column + 1]),
  );
  const lines = digits.map(({ digit, probability, score, box }, k) =>
    [...places[k], digit, probability, score, ...box].join(","),
  );
  return ["row,column,digit,probability,score,x,y,width,height", ...lines, ""].join("\r\n");
}
