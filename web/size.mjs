/** Measures what a page loads, as it is served (infra/compress_web.py), and fails over the budget. */
import { readdir, stat } from "node:fs/promises";

const BUDGET = { loader: 3, total: 30 };
const dist = new URL("dist/", import.meta.url);
const kb = async (name) => (await stat(new URL(`${name}.gz`, dist))).size / 1024;

if (!(await readdir(dist)).includes("webchat.js.gz")) throw new Error("dist holds no compressed files: `make web` writes them");
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
