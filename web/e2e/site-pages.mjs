/** The demo site of a running installation in Chromium: `ADDRESS=http://127.0.0.1:8789 node --test e2e/site-pages.mjs`. The bot is examples/bots/shop. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import * as ours from "../../examples/site/assets/color.js";
import { KINDS, snippet } from "../../examples/site/assets/snippet.js";

const address = process.env.ADDRESS;
if (!address) throw Error("ADDRESS names no running demo site");
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rule = await build({ entryPoints: [fileURLToPath(new URL("../widget/src/color.ts", import.meta.url))], format: "esm", write: false });
const widgets = await import(`data:text/javascript,${encodeURIComponent(rule.outputFiles[0].text)}`);
const NASTY = `</script><img src=x onerror="window.hurt=1">'"\\`;

let browser;
let context;
let wrong;
let server;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(() => browser?.close());
afterEach(async () => {
  await context?.close();
  server?.close();
  context = server = undefined;
});

async function visit(path, options = {}) {
  wrong = [];
  context = await browser.newContext({ locale: "ko-KR", viewport: { width: 1360, height: 950 }, permissions: ["clipboard-read", "clipboard-write"], ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.started = []; // What conversations were begun with.
  page.on("request", (request) => {
    const body = request.method() === "POST" && request.url().endsWith("/messages") ? request.postDataJSON() : {};
    if (body.type === "start") page.started.push(body.params);
  });
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => message.type() === "error" && wrong.push(`${message.text()} ${message.location().url}`));
  page.id = (id) => page.getByTestId(id);
  page.told = (what) => page.locator(`[data-testid="log"] [data-what="${what}"]`);
  await page.goto(address + path);
  return page;
}
/** The address of a fresh page of somebody else's site, with a snippet pasted in. */
async function somebody(pasted) {
  const body = `<!doctype html><meta charset="utf-8"><title>Site</title><link rel="icon" href="data:,"><p>Somebody's page.</p>${pasted}`;
  server = createServer((request, response) => response.setHeader("content-type", "text/html").end(body));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${server.address().port}/`;
}
const at = (root, id) => root.locator(`[data-testid="${id}"]`);
const bot = (root, text) => root.locator('[data-from="bot"]').filter({ hasText: text });

/** From the first view to the bot's answer: the real shop bot is behind it. */
async function talk(root) {
  await at(root, "wc-start").click();
  await at(root, "wc-qr-0").waitFor();
  await at(root, "wc-input").fill("배송 조회");
  await at(root, "wc-send").click();
  await bot(root, "주문번호를 알려 주세요").waitFor();
}
async function open(page) {
  await page.id("wc-launcher").click();
  await talk(page);
}
const started = (page) => page.started.at(-1);
const clean = () => assert.deepEqual(wrong, []);

async function serious(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}

test("the generator warns by the widget's own rule for colours", () => {
  for (let n = 0; n < 1_000; n += 1) {
    const full = `#${((n * 65_793 + n * n) % 0x1000000).toString(16).padStart(6, "0")}`;
    for (const ground of ["#ffffff", "#1c1f25", "#0e6b5c", "#ffff00"]) {
      assert.equal(ours.contrast(ground, full), widgets.contrast(ground, full));
      assert.equal(ours.readableOn(ground, full), widgets.readableOn(ground, full));
      assert.equal(ours.textOn(full, ground), widgets.textOn(full, ground));
    }
  }
  for (const value of ["#aBc", "#AABBCC", "red", "#12", "", null]) assert.equal(ours.parseHex(value), widgets.parseHex(value));
});

test("whatever is typed stays a text in every form of snippet", () => {
  const options = { params: { page: NASTY, [NASTY]: "x" }, theme: { title: NASTY, description: "a\u2028b" } };
  for (const kind of KINDS) {
    const made = snippet(kind, { host: "https://chat.example", bot: "shop", name: "chat", options });
    assert.equal((made.match(/<script/g) ?? []).length, (made.match(/<\/script>/g) ?? []).length, kind);
    assert.equal(/<img|\u2028/.test(made), false, kind);
  }
});

test("the shop: the widget is in the visitor's language, and the page's buttons ask the bot", async () => {
  const page = await visit("/");
  await page.locator('[data-product="mug"] button').click();
  await bot(page, "요즘 인기 있는 상품이에요").waitFor();
  const picture = page.locator(".mv-card img").first();
  await picture.scrollIntoViewIfNeeded();
  assert.equal(await picture.evaluate((image) => image.decode().then(() => image.naturalWidth > 0)), true);
  assert.deepEqual(started(page), { page: "shop" });
  assert.equal(await page.id("wc-input").getAttribute("aria-label"), "메시지를 입력하세요");
  await page.locator('[data-language="en"]').click();
  assert.match(await page.locator("h1").innerText(), /^[^가-힣]+$/);
  await page.id("wc-launcher").and(page.getByLabel("Open chat")).waitFor();
  clean();
});

test("the shop and the generator have no Hangul of their own in English", async () => {
  for (const path of ["/", "/snippet.html", "/snippets/"]) {
    const page = await visit(path, { locale: "en-US" });
    await page.locator('[data-language="en"][aria-pressed="true"]').waitFor();
    const left = await page.evaluate(() => {
      const texts = [document.title, document.body.innerText, ...[...document.querySelectorAll("[aria-label], [alt], [placeholder]")].flatMap((it) => [it.getAttribute("aria-label"), it.alt, it.placeholder])];
      return texts.flatMap((text) => String(text ?? "").match(/[가-힣]+/g) ?? []).filter((word) => word !== "한국어");
    });
    assert.deepEqual(left, [], path);
    await context.close();
  }
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing serious on the shop and the generator, ${colorScheme}`, async () => {
    for (const path of ["/", "/snippet.html", "/snippets/", "/snippets/v2-name.html"]) {
      const page = await visit(path, { colorScheme });
      if (path === "/") await page.id("wc-launcher").waitFor();
      assert.deepEqual(await serious(page), [], path);
      await context.close();
    }
  });
}

test("no page is wider than a phone", async () => {
  for (const path of ["/", "/snippet.html", "/snippets/", "/snippets/v2-function.html", "/snippets/sdk.html"]) {
    const page = await visit(path, { viewport: { width: 360, height: 740 } });
    await page.locator("h1").waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, path);
    await context.close();
  }
});

// ---- every form of snippet

const FORMS = {
  "v2-function": { params: { page: "v2-function" }, control: true },
  "v2-name": { params: {}, control: true },
  "v2-alone": { params: {} },
  "v2-data-bind": { params: { page: "v2-data-bind" }, control: true },
  "v2-then": { params: { page: "v2-then" }, control: true },
  v1: { params: { param1: "abc", firstName: "Kim", lastVisit: "yesterday" }, control: true },
  "v1-styled": { params: { page: "v1-styled" } },
  "no-eval": { params: { page: "no-eval" }, control: true },
};
for (const [name, { params, control }] of Object.entries(FORMS)) {
  test(`${name}: the snippet as it stands ends in a conversation`, async () => {
    const page = await visit(`/snippets/${name}.html`);
    await open(page);
    assert.deepEqual(started(page), params);
    assert.match(await page.id("snippet").innerText(), /webchat(?:\.min)?\.js/);
    if (control) {
      await page.told("open").waitFor();
      await page.told("message").filter({ hasText: "주문번호를 알려 주세요" }).waitFor();
      assert.match(await page.told("params").innerText(), new RegExp(Object.values(params).join(".*")));
    }
    clean();
  });
}

test("methods of the control object do as the page says", async () => {
  const page = await visit("/snippets/v2-name.html");
  const call = (name, n = 0) => page.locator(`[data-call="${name}"]`).nth(n).click();
  await page.id("wc-launcher").waitFor();
  await call("sendMessage");
  await page.locator("[data-what^=sendMessage]").filter({ hasText: "NOT_STARTED" }).waitFor();
  await call("startConversation");
  await call("setOpen");
  await page.id("wc-qr-0").waitFor();
  await call("sendMessage");
  await bot(page, "오전 11시부터").waitFor();
  await call("setOpen", 1);
  await page.id("wc-window").waitFor({ state: "hidden" });
  await call("setEnabled");
  await page.id("wc-launcher").waitFor({ state: "detached" });
  await call("setEnabled", 1);
  await page.id("wc-launcher").waitFor();
  clean();
});

test("v1's methods do as the page says", async () => {
  const page = await visit("/snippets/v1.html");
  const call = (name) => page.locator(`[data-call="${name}"]`).click();
  await page.id("wc-launcher").waitFor();
  await call("openChatWindow");
  await page.id("wc-start").waitFor();
  await call("closeChatWindow");
  await page.id("wc-window").waitFor({ state: "hidden" });
  await call("hideChatButton");
  await page.id("wc-launcher").waitFor({ state: "detached" });
  await call("showChatButton");
  await page.id("wc-launcher").waitFor();
  clean();
});

test("v1, styled: the page's own style decides on place and size", async () => {
  const page = await visit("/snippets/v1-styled.html");
  await open(page);
  const [button, window] = [await page.id("wc-launcher").boundingBox(), await page.id("wc-window").boundingBox()];
  assert.deepEqual([button.x, window.x, window.height], [40, 40, 520]);
  clean();
});

test("page: the full page in a frame ends in a conversation, its query are start params", async () => {
  const page = await visit("/snippets/page.html");
  await talk(page.frameLocator("iframe.own"));
  assert.deepEqual(started(page), { ref: "frame", page: "page" });
  clean();
});

test("sdk: the context comes first, then the talk", async () => {
  const page = await visit("/snippets/sdk.html");
  await page.id("sdk-keyboard").getByText("배송 조회").click();
  await page.id("sdk-talk").getByText("주문번호를 알려 주세요").waitFor();
  await page.id("sdk-input").fill("20261121-001");
  await page.id("sdk-send").click();
  await page.id("sdk-talk").getByText("김하늘님의 주문이에요").waitFor();
  const told = await page.locator("[data-testid=log] li").evaluateAll((lines) => lines.map((line) => line.dataset.what));
  assert.deepEqual(told.slice(0, 3), ["open", "context", "message"]);
  assert.match(await page.told("context").innerText(), /"platform":"web"/);
  assert.match(await page.told("context").innerText(), /"page":"sdk"/);
  clean();
});

// ---- the generator

const preview = (page) => page.frameLocator('[data-testid="gen-preview"]');
const color = (locator, name) => locator.evaluate((element, property) => getComputedStyle(element)[property], name);
const eventually = async (read, wanted) => {
  const end = Date.now() + 10_000;
  for (let found; ; ) {
    found = await read();
    if (JSON.stringify(found) === JSON.stringify(wanted) || Date.now() > end) return assert.deepEqual(found, wanted);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

test("generator: title, colour and place change the preview, and the form keeps what it has", async () => {
  const page = await visit("/snippet.html");
  const inside = preview(page);
  const title = at(inside, "wc-welcome").locator("h1");
  await title.filter({ hasText: "말길상점" }).waitFor();
  await page.id("gen-title").pressSequentially("꽃과 나무", { delay: 60 });
  await title.filter({ hasText: "꽃과 나무" }).waitFor();
  await page.id("gen-color").fill("#7a1f5c");
  await eventually(() => color(at(inside, "wc-launcher"), "backgroundColor"), "rgb(122, 31, 92)");
  await page.id("gen-position").selectOption("left");
  await eventually(() => at(inside, "wc-launcher").evaluate((button) => button.getBoundingClientRect().left), 24);
  await page.id("gen-title").fill("");
  await title.filter({ hasText: "말길상점" }).waitFor();
  assert.equal(await page.id("gen-color").inputValue(), "#7a1f5c");
  clean();
});

test("generator: closed, greeting, chat, phone and dark", async () => {
  const page = await visit("/snippet.html");
  const inside = preview(page);
  const choose = (name, value) => chosen(page, name, value);
  await choose("state", "closed");
  await at(inside, "wc-launcher").waitFor();
  await at(inside, "wc-window").waitFor({ state: "hidden" });
  await page.id("gen-greeting").fill("무엇을 찾으세요?");
  await choose("state", "teaser");
  await at(inside, "wc-teaser").filter({ hasText: "무엇을 찾으세요?" }).waitFor();
  await choose("state", "chat");
  await bot(inside, "안녕하세요, 말길상점이에요").waitFor();
  await choose("scheme", "dark");
  await eventually(() => inside.locator(".closer_webchat_chat_wrapper").getAttribute("data-scheme"), "dark");
  await choose("screen", "phone");
  await eventually(() => inside.locator(".closer_webchat_chat_wrapper").evaluate((it) => it.getBoundingClientRect().width), 390);
  assert.deepEqual(await page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage)]), [[], []]);
  clean();
});

test("generator: a colour that cannot be read warns, and offers the nearest shade that can", async () => {
  const page = await visit("/snippet.html");
  const warning = page.id("gen-warn-primaryColor");
  await page.id("gen-color").fill("#f2c200");
  await warning.filter({ hasText: "대비가 1.6:1" }).waitFor();
  const better = widgets.readableOn("#ffffff", "#f2c200");
  await page.id("gen-use-primaryColor").click();
  assert.equal(await page.id("gen-color").inputValue(), better);
  assert.equal(await warning.innerText(), "");
  await page.id("gen-color").fill("yellow");
  await warning.filter({ hasText: "#rrggbb" }).waitFor();
  assert.doesNotMatch(await page.id("gen-code").innerText(), /yellow/);
  clean();
});

async function filled(page) {
  await page.id("gen-title").fill(NASTY.slice(0, 30));
  await page.id("gen-color").fill("#7a1f5c");
  await page.id("gen-position").selectOption("top-left");
  await page.getByText("창과 시작").first().click();
  await page.id("gen-params").fill(`page=home\nfirstName=${NASTY}\n아무 줄`);
}

/** As people do, by the words: the button of the form itself is not seen, and the words move while the preview loads. */
async function chosen(page, name, value) {
  const label = page.locator(`label:has(input[name="${name}"][value="${value}"])`);
  await label.click();
  assert.equal(await label.locator("input").isChecked(), true);
}

for (const kind of KINDS) {
  test(`generator, ${kind}: what is copied is what is shown, and pasted elsewhere it does what was chosen`, async () => {
    const page = await visit("/snippet.html");
    await filled(page);
    await chosen(page, "kind", kind);
    const shown = await page.id("gen-code").evaluate((code) => code.textContent);
    await page.id("gen-copy").click();
    await page.id("gen-copy").filter({ hasText: "복사했어요" }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), shown);

    await page.goto(await somebody(shown));
    const params = { page: "home", firstName: NASTY };
    if (kind === "page") await talk(page.frameLocator("iframe"));
    else {
      const button = page.id("wc-launcher");
      await button.waitFor();
      await eventually(() => color(button, "backgroundColor"), "rgb(122, 31, 92)");
      assert.deepEqual(await button.evaluate((it) => [it.getBoundingClientRect().left, it.getBoundingClientRect().top]), [24, 24]);
      await button.click();
      await page.id("wc-welcome").locator("h1").filter({ hasText: NASTY.slice(0, 30) }).waitFor();
      await talk(page);
      if (kind === "name") assert.equal(await page.evaluate(() => window.chat.isOpen), true);
    }
    assert.deepEqual(started(page), params);
    assert.equal(await page.evaluate(() => window.hurt), undefined);
    clean();
  });
}

test("generator: the settings are the theme as JSON, and can be copied", async () => {
  const page = await visit("/snippet.html");
  await filled(page);
  await page.id("gen-copy-settings").click();
  await page.id("gen-copy-settings").filter({ hasText: "복사했어요" }).waitFor();
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  assert.deepEqual(copied, { title: NASTY.slice(0, 30), primaryColor: "#7a1f5c", position: "top-left" });
  clean();
});

test("generator: another bot by its query or its field", async () => {
  const page = await visit("/snippet.html?bot=order");
  assert.match(await page.id("gen-code").innerText(), /botId=order"/);
  await at(preview(page), "wc-welcome").locator("h1").filter({ hasText: "말길꽃집 주문" }).waitFor();
  await page.id("gen-bot").fill("reservation");
  await at(preview(page), "wc-welcome").locator("h1").filter({ hasText: "말길식당 예약" }).waitFor();
  assert.match(await page.id("gen-code").innerText(), /botId=reservation"/);
  clean();
});
