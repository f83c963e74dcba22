// node drive.mjs BROWSER_FOLDER EXPORTED_FOLDER < cases.json > differences.json
import { readFileSync } from "node:fs";

const [browser, exported] = process.argv.slice(2);
(0, eval)(readFileSync(`${exported}/page/weights.js`, "utf8"));
const { compare } = await import(`${browser}/compare.js`);
const { storedReader } = await import(`${browser}/stored.js`);
const reader = storedReader();
const cases = JSON.parse(readFileSync(0, "utf8"));
const began = performance.now();
const differences = compare(cases, (picture) => reader.read(picture));
console.error(`${((performance.now() - began) / cases.length).toFixed(1)} ms a picture`);
console.log(JSON.stringify(differences));
