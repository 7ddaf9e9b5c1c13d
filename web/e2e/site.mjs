/**
 * What the acceptance checks share: a page of somebody's site with the widget on it, in Chromium, and a bot of its own on a
 * running installation. The Python tests start that (tests/integration/webchat/test_in_chromium.py), and say where it is:
 * MALGIL_API and MALGIL_SOCKET, MALGIL_CONTROL (makes bots, pushes frames), MALGIL_KEY (of the open API).
 */
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, afterEach } from "node:test";
import { chromium } from "playwright-core";
import { Line } from "./line.mjs";

const { MALGIL_API: API, MALGIL_SOCKET: SOCKET, MALGIL_CONTROL: CONTROL, MALGIL_KEY: KEY, MALGIL_SCREENSHOTS: SCREENSHOTS } = process.env;
export { API };

let browser;
let opened = [];
const pages = new Map();
const shop = createServer((request, response) => {
  const page = pages.get(new URL(request.url, "http://shop").pathname);
  response.writeHead(page ? 200 : 404, { "content-type": "text/html; charset=utf-8" }).end(page ?? "");
});
/** At the first check: a file of which none was chosen begins nothing. */
async function begin() {
  assert.ok(API && SOCKET && CONTROL && KEY, "run by pytest, which starts the installation");
  await new Promise((resolve) => shop.listen(0, "127.0.0.1", resolve));
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}
after(async () => {
  await browser?.close();
  shop.closeAllConnections();
  if (shop.listening) shop.close();
});
afterEach(async () => {
  for (const thing of opened.reverse()) await thing.close();
  opened = [];
});

/** The owner's snippet; BOT becomes the test's own bot. */
export function snippet(host, bind = "undefined", botId = "BOT") {
  return `<script>(function(c,l,o,s,e,r){c[e]=c[e]||{};r=l.createElement('script');s&&(o+='?botId='+s);e&&(o+=('&bind='+e));r.src=o;r.async=1;l.head.appendChild(r);})(window,document,'${host}/webchat.js','${botId}',${bind})</script>`;
}

/** Its style fights with the widget's. */
const html = (body) => `<!doctype html><html lang="ko"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Shop</title>
<style>body{margin:0;font:16px/1.6 system-ui;background:#fbfaf7;color:#222}main{max-width:640px;margin:60px auto;padding:0 20px}button{background:red!important;text-transform:uppercase}</style>
<main><h1>말길 문구점</h1><p>오늘의 추천 문구를 만나 보세요.</p></main>${body}</html>`;

const picture = (name) => `<svg xmlns="http://www.w3.org/2000/svg" width="480" height="251"><rect width="480" height="251" fill="#0E6B5C"/><text x="240" y="140" font-size="44" text-anchor="middle" fill="#fff">${name}</text></svg>`;

async function call(method, url, body, key) {
  const response = await fetch(url, { method, body: body && JSON.stringify(body), headers: { "content-type": "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) } });
  const answer = await response.json();
  return { status: response.status, answer };
}

/** `body` is the shop's page, `path` opens another page of the installation (BOT is the bot), `config` overrides what the widget
 * reads of the bot, `edit` changes answers on their way, `off` is a bot whose web chat is off. */
export async function site({ body = (host) => snippet(host, "'wc'"), locale = "ko-KR", viewport = { width: 1000, height: 760 }, config = {}, path = null, colorScheme = "light", edit = (_, answer) => answer, off = false, ...more } = {}) {
  browser ??= await begin();
  const { answer: { botId } } = await call("POST", `${CONTROL}/bots`, { enabled: !off });
  const edited = (at, answer) => edit(at, at.startsWith("/bots/") && answer.botId ? { ...answer, ...config, theme: { ...answer.theme, ...config.theme } } : answer);
  const line = await new Line({ api: API, socket: SOCKET, edit: edited }).listen();
  const shopPath = `/${botId}`;
  pages.set(shopPath, html(body(line.host)).replaceAll("BOT", botId));
  const context = await browser.newContext({ locale, viewport, colorScheme, ...more });
  opened.push(line, context);
  await context.route("https://cdn.shop.example/**", (route) => {
    const name = decodeURIComponent(new URL(route.request().url()).pathname.slice(1, -4));
    return route.request().url().endsWith(".svg") ? route.fulfill({ contentType: "image/svg+xml", body: picture(name) }) : route.fulfill({ status: 404 });
  });
  const made = { context, botId, line, session: null, frames: [] };
  const visit = async () => {
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.errors = [];
    page.sent = []; // What the page said over its sockets, as objects.
    page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => {
      const frame = JSON.parse(payload);
      page.sent.push(frame);
      made.frames.push(frame);
    }));
    page.on("pageerror", (error) => page.errors.push(error.message));
    page.on("response", async (response) => {
      if (response.request().method() === "POST" && response.url().endsWith("/webchat/v1/sessions") && response.ok()) made.session = await response.json().catch(() => made.session);
    });
    page.id = (id) => page.getByTestId(id);
    await page.goto(path ? line.host + path.replace("BOT", botId) : `http://shop.localhost:${shop.address().port}${shopPath}`);
    return page;
  };
  const page = await visit();
  return Object.assign(made, {
    page,
    id: page.id,
    visit,
    /** Messages that the page sent, over the socket or over HTTP. */
    messages: () => [...made.frames, ...line.posted].filter((frame) => frame.type === "message"),
    sessions: () => line.requests.filter((it) => it === "POST /webchat/v1/sessions").length,
    connected: () => eventually(() => line.sockets.size > 0 && made.frames.some((frame) => frame.type === "sync"), true),
    stored: () => stored(made),
    agent: agent(made),
  });
}

/** All messages of the person as the installation keeps them. */
async function stored({ session, line }) {
  const all = [];
  for (let rev = 0, more = true; more; ) {
    const { answer } = await call("GET", `${line.host}/webchat/v1/messages?after=${rev}`, undefined, session.token);
    assert.equal(answer.type, "context", JSON.stringify(answer));
    all.push(...answer.messages);
    ({ rev, more = false } = answer);
    Object.assign(all, { call: answer.call, context: answer.context });
  }
  return all;
}

/** The other side, as a console would be it. */
function agent(made, who = { id: "lee", profile: { displayName: "이하나" } }) {
  const open = async (method, path, body, done) => {
    const { status, answer } = await call(method, `${API}/openapi${path}`, body, KEY);
    assert.equal(status, done, JSON.stringify(answer));
    return answer;
  };
  const manual = async (change) => {
    const { context: { conversationId } } = await made.stored();
    // New ids are made known within seconds.
    await eventually(async () => (await call("GET", `${API}/openapi/conversation/${conversationId}`, undefined, KEY)).status, 200, 30_000);
    await open("PUT", `/conversation/${conversationId}/manual`, change, 200);
  };
  return {
    joins: (agent = who) => manual({ status: "connect", agent }),
    ends: () => manual({ status: "complete" }),
    says: (text) => open("POST", "/message", { botId: made.botId, platform: "web", userKey: made.session.userKey, message: { text }, agent: who }, 201),
    types: () => call("POST", `${CONTROL}/push`, { botId: made.botId, userKey: made.session.userKey, frame: { type: "typing", by: { id: who.id, displayName: who.profile.displayName } } }),
  };
}

export async function chat(options) {
  const made = await site(options);
  if (!options?.path) await made.id("wc-launcher").click();
  await made.id("wc-start").click();
  await made.id("wc-qr-0").waitFor();
  return { ...made, get session() { return made.session; }, say: async (text) => (await made.id("wc-input").fill(text), made.id("wc-send").click()) };
}

/** The browser has kept so many messages of a talk for the next visit. */
export const kept = (page, messages = 1) => page.waitForFunction(async (messages) => {
  // Whoever opens it before the widget does makes one that holds nothing.
  if (!(await indexedDB.databases()).some(({ name }) => name === "malgil-webchat")) return false;
  return new Promise((done) => {
    indexedDB.open("malgil-webchat").onsuccess = ({ target: { result } }) => {
      result.transaction("talks").objectStore("talks").getAll().onsuccess = ({ target }) => (result.close(), done(target.result.some((talk) => talk.messages.length >= messages)));
    };
  });
}, messages);

export const from = (page, who) => page.locator(`[data-from="${who}"]`);

export const eventually = async (read, wanted, within = 15_000) => {
  const end = Date.now() + within;
  for (;;) {
    const found = await read();
    if (found === wanted) return;
    if (Date.now() > end) assert.equal(found, wanted);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

/** Keeps what is seen, for people who look at it. */
export async function shoot(page, name) {
  if (!SCREENSHOTS) return;
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
}

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** What axe finds in all that is ours: [where, rule, elements], of any impact. */
export async function audit({ page }, where) {
  if (!(await page.evaluate(() => window.axe !== undefined))) await page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  const { violations } = await page.evaluate((values) => {
    const include = [".closer_webchat_button_wrapper", ".closer_webchat_chat_wrapper"].filter((it) => document.querySelector(it)).map((it) => [it]);
    return window.axe.run({ include }, { runOnly: { type: "tag", values } });
  }, RULES);
  return violations.map(({ id, nodes }) => [where, id, nodes.map((node) => node.html.slice(0, 120))]);
}
