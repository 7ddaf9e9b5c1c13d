/** Measures what a page loads, and fails over the budget. */
import { readdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const BUDGET = { loader: 3, total: 30 };
const dist = new URL("dist/", import.meta.url);
const kb = async (name) => gzipSync(await readFile(new URL(name, dist)), { level: 9 }).length / 1024;

const loader = await kb("webchat.js");
const parts = [["webchat.js", loader]];
const languages = [];
for (const name of (await readdir(new URL("webchat/", dist))).sort()) if (/\.(?:js|css|json)$/.test(name)) (name.endsWith(".json") ? languages : parts).push([name, await kb(`webchat/${name}`)]);
// A visitor fetches one language: the larger one counts.
const total = [...parts, languages.sort(([, a], [, b]) => b - a)[0]].reduce((sum, [, size]) => sum + size, 0);
const unopened = loader + parts.find(([name]) => name.startsWith("launcher"))[1];
const emoji = (await readdir(new URL("webchat/", dist))).find((name) => name.endsWith(".txt"));
for (const [name, size] of [...parts, ...languages, ["total", total], [emoji, await kb(`webchat/${emoji}`)], ["sdk/webchat.js (apart)", await kb("sdk/webchat.js")]]) console.log(`${size.toFixed(2).padStart(7)} KB gzip  ${name}`);
if (process.argv.includes("--json")) console.log(JSON.stringify({ "widget.loader_gzip_kb": loader, "widget.unopened_gzip_kb": unopened, "widget.total_gzip_kb": total }));
const over = [["loader", loader], ["total", total]].filter(([name, size]) => size > BUDGET[name]);
for (const [name, size] of over) console.error(`${name}: ${size.toFixed(2)} KB is over its budget of ${BUDGET[name]} KB`);
process.exitCode = over.length ? 1 : 0;
