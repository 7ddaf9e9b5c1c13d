/**
 * A storm: visitors in Chromium talk with a bot of a real installation while the network between them fails in every way
 * that it can, pages are reloaded and frozen, and tabs come and go. `node e2e/storm.mjs '{"http", "botId", "key"}'`.
 *
 * The bot answers every text with one text that ends with it; `key` may write conversations. Everything that is left to
 * chance comes from one seed, which is printed: MALGIL_STORM_SEED sets it, MALGIL_STORM_SECONDS how long the storm is.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createServer, request as ask } from "node:http";
import { connect, createServer as listen } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { seeded } from "../testing/fake-server.mjs";

const root = fileURLToPath(new URL("../dist", import.meta.url));
const { http, botId, key } = JSON.parse(process.argv[2]);
const seed = Number(process.env.MALGIL_STORM_SEED ?? Date.now() % 1_000_000);
const seconds = Number(process.env.MALGIL_STORM_SECONDS ?? 75);
const MESSAGES = Number(process.env.MALGIL_STORM_MESSAGES ?? 200);
/** A person is let through ten times in ten seconds; more than one message a second takes more people. */
const VISITORS = Math.max(1, Math.ceil(MESSAGES / (seconds * 0.9)));
/** The widget keeps twenty; who waits below that is never refused. */
const WAITING = 12;
/** The shop's page comes from no network at all: Chromium would not let it open sockets of this machine. */
const LOCAL_SOCKETS = "--disable-features=LocalNetworkAccessChecks";
const CALM_MS = Number(process.env.MALGIL_STORM_CALM_MS ?? 90_000);

/** Everybody has dice of their own: what they do does not hang on who was faster. */
let dice = 0;
function chances() {
  const chance = seeded(seed * 100 + (dice += 1));
  return { chance, between: (low, high) => low + chance() * (high - low), one: (list) => list[Math.floor(chance() * list.length)] };
}
const met = new Map();
const count = (what) => met.set(what, (met.get(what) ?? 0) + 1);

// ---- the network

const UP = new URL(http);
let sockets;

/** In front of the installation: pages are told of our socket instead of its own. */
const front = createServer((request, response) => {
  const { "accept-encoding": _, ...headers } = request.headers;
  const onward = ask({ host: UP.hostname, port: UP.port, method: request.method, path: request.url, headers }, (answer) => {
    const chunks = [];
    answer.on("data", (chunk) => chunks.push(chunk));
    answer.on("end", () => {
      let body = Buffer.concat(chunks);
      if (request.url.endsWith("/sessions") && answer.statusCode === 201) {
        const session = JSON.parse(String(body));
        const real = new URL(session.socketUrl);
        sockets.to(real.hostname, Number(real.port));
        body = Buffer.from(JSON.stringify({ ...session, socketUrl: `ws://127.0.0.1:${sockets.port}${real.pathname}` }));
      }
      const { "content-length": __, "transfer-encoding": ___, ...rest } = answer.headers;
      response.writeHead(answer.statusCode, { ...rest, "content-length": body.length }).end(body);
    });
  });
  onward.on("error", () => request.socket.destroy());
  request.on("error", () => onward.destroy());
  request.pipe(onward);
});

/** A line that can be cut, go silent, be slow, and be refused. */
class Line {
  live = new Set();
  refusing = false;
  /** Sockets of both sides: one whose other side went silent is nobody's link any more, and still open. */
  #ends = new Set();
  #dice = chances();
  #host = "";
  #port = 0;

  async open() {
    this.server = listen({ allowHalfOpen: false }, (near) => this.#take(near));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.port = this.server.address().port;
    return this;
  }

  to(host, port) {
    [this.#host, this.#port] = [host, port];
  }

  #take(near) {
    near.on("error", () => undefined);
    if (this.refusing) return near.resetAndDestroy();
    const far = connect(this.#port, this.#host);
    this.#ends.add(near).add(far);
    const link = { silent: false, delay: 0, cutNext: false, reset: () => (near.resetAndDestroy(), far.resetAndDestroy()) };
    this.live.add(link);
    for (const [from, to] of [[near, far], [far, near]]) {
      let last = Promise.resolve();
      from.on("error", () => undefined);
      from.on("data", (bytes) => {
        if (link.silent) return;
        if (link.cutNext) {
          // Some of it arrives: a cut in the middle of a frame, or of an answer.
          link.cutNext = false;
          to.write(bytes.subarray(0, Math.floor(bytes.length * this.#dice.chance())), link.reset);
          return;
        }
        const { delay } = link;
        last = last.then(() => delay && pause(delay)).then(() => to.destroyed || link.silent || to.write(bytes));
      });
      from.on("close", () => {
        this.#ends.delete(from);
        this.live.delete(link);
        // Nobody tells the far end of what went silent: it finds out by itself, or never.
        if (!link.silent) void last.then(() => to.destroy());
      });
    }
  }

  close() {
    for (const end of this.#ends) end.destroy();
    this.server.close();
  }
}

let storming = true;

/** What happens to a line, again and again. */
async function weather(line, name) {
  const { chance, between, one } = chances();
  while (storming) {
    await pause(between(150, 900));
    if (!storming) break;
    const link = one([...line.live]);
    const roll = chance();
    if (roll < 0.06) {
      count(`${name} refused`);
      line.refusing = true;
      await pause(between(300, 2_500));
      line.refusing = false;
    } else if (!link) continue;
    else if (roll < 0.26) (count(`${name} reset`), link.reset());
    else if (roll < 0.46) (count(`${name} cut within`), (link.cutNext = true));
    else if (roll < 0.56) {
      count(`${name} silent`);
      link.silent = true;
      // Some routers forget and say so later, others never.
      if (name === "http" || chance() < 0.5) void pause(between(1_000, 6_000)).then(link.reset);
    } else if (roll < 0.75) (count(`${name} slow`), (link.delay = between(20, 800)));
    else link.delay = 0;
  }
}

// ---- visitors

/** The build as it was when the storm began. */
const scripts = new Map();
for (const name of await readdir(root, { recursive: true })) if (/\.js(?:on)?$/.test(name)) scripts.set(`/${name}`, await readFile(`${root}/${name}`));

const until = async (holds, what, ms = CALM_MS) => {
  const end = Date.now() + ms;
  for (;;) {
    const found = await holds();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${what()}`);
    await pause(150);
  }
};

class Visitor {
  said = new Map();
  told = [];
  asked = 0;
  tabs = 0;

  constructor(number) {
    this.name = `v${number}`;
    this.dice = chances();
    this.owner = chances();
    this.userKey = `${this.name}-${randomUUID()}`;
  }

  async enter(browser, line) {
    this.line = line;
    this.context = await browser.newContext({ locale: "ko-KR" });
    this.context.setDefaultTimeout(15_000);
    const host = `http://127.0.0.1:${line.port}`;
    this.address = `${host}/shop`;
    const html = `<!doctype html><meta charset="utf-8"><title>shop</title><script>
      var tag = document.createElement("script");
      tag.src = "${host}/webchat.js?botId=${botId}";
      tag.onLoad = function (init) { window.chat = init({ userKey: "${this.userKey}", defaultOpen: true, theme: { skipWelcome: true } }); };
      document.documentElement.append(tag);
    </script><body></body>`;
    // The shop's page, scripts and words, which browsers keep, are not what is on trial.
    await this.context.route(/\/shop$/, (route) => route.fulfill({ contentType: "text/html", body: html }));
    await this.context.route(/\.js(on)?(\?.*)?$/, (route) =>
      route.fulfill({ contentType: route.request().url().endsWith("json") ? "application/json" : "text/javascript", headers: { "access-control-allow-origin": "*" }, body: scripts.get(new URL(route.request().url()).pathname) }),
    );
    this.main = await this.open();
    this.said.set("main", []);
    await this.say(this.main, "main");
  }

  async open() {
    const page = await this.context.newPage();
    page.on("pageerror", (error) => wrong.push(`${this.name}: ${error.message}`));
    await page.goto(this.address);
    return page;
  }

  /** Through the script API, or as people do. What the widget took is never taken back. */
  async say(page, name, patience = CALM_MS) {
    const said = this.said.get(name);
    const text = `${this.name} ${name} ${said.length + 1}.`;
    const end = Date.now() + patience;
    for (;;) {
      if (Date.now() > end) return false;
      const state = await page.evaluate(
        async ([text, room, write]) => {
          const root = document.querySelector(".closer_webchat_chat_wrapper")?.shadowRoot;
          if (!root || root.querySelectorAll('[data-status="queued"], [data-status="sending"]').length >= room) return "full";
          if (!write) return "room";
          try {
            await window.chat.sendMessage({ data: { type: "text", text } });
            return "said";
          } catch (error) {
            if (error.code !== "NOT_STARTED") throw error;
            return "early";
          }
        },
        [text, WAITING, said.length % 5 !== 4],
      );
      this.at = `${name} ${state}`;
      if (state === "said") break;
      if (state === "room") {
        await page.getByTestId("wc-input").fill(text);
        await page.getByTestId("wc-send").click();
        break;
      }
      await pause(100);
    }
    said.push(text);
    return true;
  }

  async rest(deadline, share) {
    const { chance, between } = this.dice;
    while (Date.now() < deadline && this.count < share) {
      const roll = chance();
      if (roll < 0.72) await this.say(this.main, "main");
      else if (roll < 0.81) {
        count("reload");
        await this.main.reload();
      } else if (roll < 0.89) await this.visit();
      else if (roll < 0.94) {
        count("offline");
        await this.context.setOffline(true);
        await this.say(this.main, "main", 500);
        await pause(between(300, 3_000));
        await this.context.setOffline(false);
      } else {
        count("frozen");
        const lid = await this.context.newCDPSession(this.main);
        await lid.send("Page.setWebLifecycleState", { state: "frozen" });
        await pause(between(500, 6_000));
        await lid.send("Page.setWebLifecycleState", { state: "active" });
        await lid.detach();
      }
      await pause(between(0, 1) * Math.max(0, (2 * (deadline - Date.now())) / Math.max(1, share - this.count) - 500));
    }
    while (this.count < share) assert.ok(await this.say(this.main, "main"), `${this.name} may write: ${await this.state(this.main)}`);
  }

  async state(page) {
    const { rows, bar } = await page.evaluate(() => {
      const root = document.querySelector(".closer_webchat_chat_wrapper")?.shadowRoot;
      return { rows: [...(root?.querySelectorAll("[data-status]") ?? [])].map((row) => row.dataset.status), bar: root?.querySelector('[data-testid="wc-conn"]')?.innerText };
    });
    return JSON.stringify({ bar, rows: Object.fromEntries([...Map.groupBy(rows, (status) => status)].map(([status, { length }]) => [status, length])) });
  }

  get count() {
    return [...this.said.values()].flat().length;
  }

  /** Another tab comes, writes, and is closed at once: what it wrote must not be lost with it. */
  async visit() {
    count("second tab");
    const name = `tab${(this.tabs += 1)}`;
    this.said.set(name, []);
    const tab = await this.open();
    for (let left = Math.ceil(this.dice.between(0, 3)); left > 0; left -= 1) if (!(await this.say(tab, name, 10_000))) count("second tab was too late");
    await tab.close();
  }

  /** The bot's owner writes, unasked, on a good line. */
  async hear(deadline) {
    while (Date.now() < deadline) {
      await pause(this.owner.between(500, 4_000));
      const text = `${this.name} unasked ${(this.asked += 1)}.`;
      const answer = await fetch(`${http}/openapi/message`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ botId, platform: "web", userKey: this.userKey, message: { type: "text", text } }),
      });
      // What was not taken for sure may be there or not.
      if (answer.status === 409 || answer.status === 429 || answer.status >= 500) continue;
      assert.equal(answer.status, 201, await answer.text());
      this.told.push(text);
    }
  }

  /** What the installation has. */
  async log() {
    const call = async (path, options) => {
      for (;;) {
        const answer = await fetch(`${http}/webchat/v1${path}`, options);
        if (answer.ok) return answer.json();
        assert.ok(answer.status === 429 || answer.status >= 500, `${path}: ${answer.status}`);
        await pause(1_000);
      }
    };
    this.token ??= (await call("/sessions", { method: "POST", body: JSON.stringify({ botId, userKey: this.userKey }), headers: { "content-type": "application/json" } })).token;
    let messages = [];
    for (let before = ""; ; ) {
      const page = await call(`/messages?limit=100${before}`, { headers: { authorization: `Bearer ${this.token}` } });
      messages = [...page.items, ...messages];
      if (!page.more) return messages;
      before = `&before=${page.rev}`;
    }
  }

  /** What a tab shows, after it was asked for everything older. */
  async shown(page) {
    return page.evaluate(() => {
      const root = document.querySelector(".closer_webchat_chat_wrapper").shadowRoot;
      root.querySelector(".wc-older")?.click();
      return [...root.querySelectorAll('[data-testid^="wc-msg-"]')].map((row) => ({ id: row.dataset.testid.slice(7), status: row.dataset.status, text: row.innerText }));
    });
  }

  /** Once the network is well, every tab shows what the log has: nothing less, nothing twice, in its order. */
  async settle() {
    const last = await this.open();
    this.said.set("last", []);
    await this.say(last, "last");
    await this.say(this.main, "main");
    let log;
    for (const [name, page] of [["main", this.main], ["last", last]]) {
      let shown;
      await until(
        async () => {
          log = await this.log();
          shown = await this.shown(page);
          return shown.every(({ status }) => status === "sent") && String(shown.map(({ id }) => id)) === String(log.map(({ id }) => id)) && this.missing(log).length === 0;
        },
        () => `${this.name}'s tab ${name} shows the log's ${log.length} messages: ${JSON.stringify(difference(log, shown))}; never sent: ${this.missing(log)}`,
      );
    }
    const heard = log.filter(({ isUser }) => isUser).map(({ data }) => data.text);
    const answered = log.filter(({ isUser }) => !isUser).map(({ data }) => data.text);
    for (const [name, said] of this.said) assert.deepEqual(heard.filter((text) => text.startsWith(`${this.name} ${name} `)), said, `${name}: each once, in order`);
    for (const text of heard) assert.equal(answered.filter((answer) => answer !== text && answer.endsWith(text)).length, 1, `one answer to ${text}`);
    assert.deepEqual(answered.filter((text) => this.told.includes(text)), this.told, "what came unasked, each once, in order");
    return log.length;
  }

  missing(log) {
    const heard = new Set(log.map(({ data }) => data.text));
    return [...this.said.values()].flat().filter((text) => !heard.has(text));
  }
}

function difference(log, shown) {
  const at = log.findIndex(({ id }, index) => shown[index]?.id !== id);
  const unsent = shown.filter(({ status }) => status !== "sent").map(({ text, status }) => `${text} ${status}`);
  return { at, shown: shown.length, expected: log[at]?.data.text, found: shown[at]?.text ?? null, unsent: unsent.slice(0, 5) };
}

console.log(`seed ${seed}, ${seconds} s, ${MESSAGES} messages of ${VISITORS} visitors`);
const wrong = [];
if (process.env.MALGIL_STORM_TALKS) setInterval(() => console.error(JSON.stringify([...met]), everybody.map((visitor) => `${visitor.name} ${visitor.count} ${visitor.at}`)), 5_000).unref();
let everybody = [];
sockets = await new Line().open();
const line = await new Line().open();
await new Promise((resolve) => front.listen(0, "127.0.0.1", resolve));
line.to("127.0.0.1", front.address().port);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", LOCAL_SOCKETS] });
try {
  const visitors = (everybody = Array.from({ length: VISITORS }, (_, number) => new Visitor(number)));
  for (const visitor of visitors) await visitor.enter(browser, line);
  const deadline = Date.now() + seconds * 1_000;
  const share = Math.ceil(MESSAGES / VISITORS);
  const storm = [weather(sockets, "socket"), weather(line, "http")];
  let within = 0;
  void pause(seconds * 1_000).then(() => {
    // What a slow machine has not said by then it says in the calm.
    storming = false;
    within = visitors.reduce((sum, visitor) => sum + visitor.count, 0);
  });
  await Promise.all([...storm, ...visitors.flatMap((visitor) => [visitor.rest(deadline, share), visitor.hear(deadline)])]);
  const sizes = [];
  for (const visitor of visitors) sizes.push(await visitor.settle());
  assert.deepEqual(wrong, []);
  console.log(`said ${visitors.reduce((sum, visitor) => sum + visitor.count, 0)}, ${within} of them in the storm; unasked ${visitors.reduce((sum, visitor) => sum + visitor.told.length, 0)}, logs of ${sizes} messages; ${[...met].map((entry) => entry.reverse().join(" ")).join(", ")}`);
} finally {
  await browser.close();
  for (const each of [line, sockets]) each.close();
  front.close();
  front.closeAllConnections();
}
