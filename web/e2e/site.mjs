/** What the acceptance checks share: a page of somebody's site with the widget on it, in Chromium. */
import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { chromium } from "playwright-core";
import { page as html, root, snippet } from "../testing/demo.mjs";
import { FakeServer } from "../testing/fake-server.mjs";

export { snippet };
let browser;
let opened = [];
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(() => browser.close());
afterEach(async () => {
  for (const thing of opened.reverse()) await thing.close();
  opened = [];
});

export async function site({ body = (host) => snippet(host, "'wc'"), locale = "ko-KR", viewport = { width: 1000, height: 760 }, config = {}, path = "/", colorScheme = "light" } = {}) {
  const server = await new FakeServer({ root, config }).listen();
  server.pages["/"] = html(body(server.host));
  const context = await browser.newContext({ locale, viewport, colorScheme });
  opened.push(server, context);
  const visit = async () => {
    const page = await context.newPage();
    page.errors = [];
    page.sent = []; // What the page said over its sockets, as objects.
    page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => page.sent.push(JSON.parse(payload))));
    page.on("pageerror", (error) => page.errors.push(error.message));
    page.id = (id) => page.getByTestId(id);
    await page.goto(server.host + path);
    return page;
  };
  const page = await visit();
  return { server, context, page, id: page.id, visit, log: () => [...server.logs.values()].at(-1) };
}

export async function chat(options) {
  const made = await site(options);
  await made.id("wc-launcher").click();
  await made.id("wc-start").click();
  await made.id("wc-qr-0").waitFor();
  return { ...made, say: async (text) => (await made.id("wc-input").fill(text), made.id("wc-send").click()) };
}

export const from = (page, who) => page.locator(`[data-from="${who}"]`);
export const eventually = async (read, wanted) => {
  const end = Date.now() + 8_000;
  for (;;) {
    const found = await read();
    if (found === wanted) return;
    if (Date.now() > end) assert.equal(found, wanted);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};
export const sessions = (server) => server.requests.filter((line) => line.endsWith("/sessions")).length;
