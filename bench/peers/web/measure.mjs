/**
 * The worker of bench/web.py: lines of JSON, {operation} in, {result} or {error} out. `sizes` gives gzip bytes by widget;
 * `visit WIDGET NETWORK` opens a page with the widget in Chromium and presses its launcher as soon as it is there.
 *
 * Every visit has a browser context of its own, so that nothing is cached; the main thread runs at a quarter of its speed.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const SLOW_DOWN = 4;
/** "Slow 4G" of Chromium's developer tools, which Lighthouse's mobile runs have: 1.6 Mbit/s and 150 ms there and back, as it is laid upon requests. */
const NETWORKS = { local: null, slow_4g: { offline: false, latency: 562.5, downloadThroughput: (1.6e6 * 0.9) / 8, uploadThroughput: (750e3 * 0.9) / 8 } };
const LONGEST = 60_000;

/**
 * Runs in the page, before anything of it: looks once a frame for the launcher, presses it when it is shown, then waits for a control
 * of the window that takes the focus, then for the text field to take it. Milliseconds since the navigation began.
 */
function probe({ launcher, window: opened, start, field }) {
  const marks = {};
  let blocking = 0;
  new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => (blocking += duration))).observe({ type: "longtask", buffered: true });
  const find = (path) => path.reduce((root, selector) => root && (root.shadowRoot ?? root).querySelector(selector), document);
  const shown = (path) => {
    const found = find(path);
    const box = found?.getBoundingClientRect();
    return box?.width && box.height && found.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) ? found : null;
  };
  const takesFocus = (element) => {
    element.focus();
    return element.getRootNode().activeElement === element;
  };
  const CONTROLS = "button, a[href], input, textarea, select, [tabindex='0']";
  const painted = new Promise((resolve) => {
    const note = (list) => list.getEntriesByName("first-contentful-paint").forEach(({ startTime }) => resolve(startTime));
    new PerformanceObserver(note).observe({ type: "paint", buffered: true });
  });
  const done = (resolve) => painted.then((first_paint) => setTimeout(() => resolve({ ...marks, first_paint, blocking }), 0));
  globalThis.measured = new Promise((resolve) => {
    const steps = [
      () => {
        const found = shown(launcher);
        if (!found) return false;
        marks.launcher = performance.now();
        found.click();
        return true;
      },
      () => {
        const found = shown(opened);
        const control = found && [...(found.shadowRoot ?? found).querySelectorAll(CONTROLS)].find((element) => !element.disabled && element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && takesFocus(element));
        if (!control) return false;
        marks.interactive = performance.now();
        return true;
      },
      () => {
        const found = start ? shown(start) : true;
        found?.click?.();
        return !!found;
      },
      () => {
        const found = shown(field);
        if (!found || found.disabled || !takesFocus(found)) return false;
        marks.typing = performance.now();
        return true;
      },
    ];
    const look = () => {
      if (document.body && steps[0]()) steps.shift();
      if (steps.length) requestAnimationFrame(look);
      else done(resolve);
    };
    if (launcher) requestAnimationFrame(look);
    else addEventListener("load", () => done(resolve));
  });
}

async function visit(browser, site, network) {
  const context = await browser.newContext({ locale: "ko-KR", viewport: { width: 1280, height: 800 } });
  try {
    const tab = await context.newPage();
    const cdp = await context.newCDPSession(tab);
    let bytes = 0;
    cdp.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
    await cdp.send("Network.enable");
    await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
    if (NETWORKS[network]) await cdp.send("Network.emulateNetworkConditions", NETWORKS[network]);
    await cdp.send("Emulation.setCPUThrottlingRate", { rate: SLOW_DOWN });
    await tab.addInitScript(probe, { launcher: site.widget.launcher, window: site.widget.window, start: site.widget.start, field: site.widget.field });
    await tab.goto(`${site.host}/`, { waitUntil: "commit" });
    let timer;
    const late = new Promise((_, reject) => (timer = setTimeout(() => reject(Error(`${site.widget.label ?? "our widget"} was not ready after ${LONGEST / 1000} s`)), LONGEST)));
    try {
      const marks = await Promise.race([tab.evaluate("measured"), late]);
      const { metrics } = await cdp.send("Performance.getMetrics");
      return { ...marks, bytes, cpu: metrics.find(({ name }) => name === "TaskDuration").value * 1000 };
    } finally {
      clearTimeout(timer);
    }
  } finally {
    await context.close();
  }
}

const say = (words) => process.stdout.write(`${JSON.stringify(words)}\n`);
const widgets = {};
const sites = {};
let browser, chromium, gzipped, Site, WIDGETS;

async function widgetOf(name) {
  return (widgets[name] ??= await WIDGETS[name]());
}

async function run(operation) {
  const [verb, name, network] = operation.split(" ");
  if (verb === "sizes") {
    const { label, counted, files } = await widgetOf(name);
    return { label, counted, bytes: Object.values(files).reduce((sum, body) => sum + gzipped(body).length, 0) };
  }
  if (!existsSync(CHROMIUM)) throw Error(`there is no Chromium at ${CHROMIUM}; the variable CHROMIUM names another`);
  const { label } = await widgetOf(name);
  sites[name] ??= await new Site(await widgetOf(name)).listen();
  browser ??= await chromium.launch({
    executablePath: CHROMIUM,
    // Nothing but this machine: what a widget fetches from elsewhere (fonts) fails at once.
    args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
  });
  return { label, ...(await visit(browser, sites[name], network)) };
}

try {
  ({ chromium } = createRequire(new URL("../../../web/package.json", import.meta.url))("playwright-core"));
  ({ gzipped, Site, WIDGETS } = await import("./widgets.mjs"));
} catch (error) {
  say({ error: `the npm packages of web are not installed, \`make web\` does it (${String(error.message).split("\n")[0]})` });
  process.exit();
}
say({ ready: process.pid });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    say({ result: await run(JSON.parse(line).operation) });
  } catch (error) {
    say({ error: String(error.message).split("\n")[0] });
  }
}
await browser?.close();
for (const site of Object.values(sites)) await site.close();
