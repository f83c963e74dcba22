/**
 * What answers: here the HTTP service that this page came from. A page that runs in the browser
 * alone has a module of the same name with the same functions.
 */

/** A sentence for whoever draws. */
export class Trouble extends Error {
  constructor(sentence, status = 0) {
    super(sentence);
    this.status = status;
  }
}

/** What the service is: {model, feedback, ...}. */
export const describe = () => ask("api/model", {});

/** Read the one digit of a snapshot; a stale question is aborted by its signal. */
export async function predict(snapshot, { explain, signal }) {
  const address = explain ? "api/predict?explain=1" : "api/predict";
  const [reading] = (await ask(address, { ...(await picture(snapshot)), signal })).readings;
  // By name of the class: in the order of their numbers, as JavaScript keeps them.
  const probabilities = reading.probabilities && Object.values(reading.probabilities);
  return { ...reading, probabilities };
}

/** Read all digits of a snapshot: {text, digits, reason}. */
export async function read(snapshot, { signal }) {
  return ask("api/read", { ...(await picture(snapshot)), signal });
}

async function picture(snapshot) {
  const body = await snapshot.blob();
  const type = body.type.startsWith("image/") ? body.type : "application/octet-stream";
  return { method: "POST", body, headers: { "content-type": type } };
}

/** Store what a picture is: {label, png, said}. */
export const correct = (correction) =>
  ask("api/feedback", {
    method: "POST",
    body: JSON.stringify(correction),
    headers: { "content-type": "application/json" },
  });

async function ask(address, options) {
  let response;
  try {
    response = await fetch(address, { cache: "no-store", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble("mnist-net does not answer: is it still running?");
  }
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  const body = isJson ? await response.json() : {};
  if (!response.ok) throw new Trouble(sentence(body.detail ?? response.statusText), response.status);
  return body;
}

/** With a capital and a full stop. */
function sentence(text) {
  const said = text || "mnist-net could not answer";
  return said[0].toUpperCase() + said.slice(1) + (/[.?!]$/.test(said) ? "" : ".");
}
