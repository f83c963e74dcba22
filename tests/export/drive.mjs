// node drive.mjs BROWSER_FOLDER EXPORTED_FOLDER < cases.json > differences.json
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [browser, exported] = process.argv.slice(2);
(0, eval)(readFileSync(`${exported}/page/weights.js`, "utf8"));
const module = (name) => import(pathToFileURL(`${browser}/${name}`));
const { compare } = await module("compare.js");
const { storedReader } = await module("stored.js");
const reader = storedReader();
const cases = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(compare(cases, (picture) => reader.read(picture))));
