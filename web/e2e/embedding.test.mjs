/** How sites embed the chat: the snippets of CLOSER's sites, the full page, the SDK; against a running installation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, eventually, from, site, snippet } from "./site.mjs";

test("a snippet with a function that arrives as its source text, with then", async () => {
  const { id } = await site({ body: (host) => snippet(host, "function (init) { init({params: {a: 1 && 2}}).then(function (control) { window.mine = control; control.setOpen(true); }); }") });
  await id("wc-start").waitFor();
});

test("the elder sister's snippet with data-bind", async () => {
  const { page, id } = await site({ body: (host) => `<script>(function(c,l,o,s,e,r){c[e]=c[e]||{};r=l.createElement('script');r.src=o+'?botId='+s;r.setAttribute('data-bind',e);r.async=1;l.head.appendChild(r);})(window,document,'${host}/webchat.js','BOT','mychat')</script>` });
  await id("wc-launcher").waitFor();
  assert.equal(await page.evaluate(() => window.mychat.isEnabled), true);
});

test("our own snippet, which evaluates nothing", async () => {
  const { id, page } = await site({ body: (host) => `<script>var r=document.createElement('script');r.src='${host}/webchat.js?botId=BOT';r.onLoad=function(init){window.mine=init()};document.head.append(r)</script>` });
  await id("wc-launcher").waitFor();
  assert.equal(await page.evaluate(() => typeof window.mine.setOpen), "function");
});

test("version 1 with data params and callback", async () => {
  const made = await site({ body: (host) => `<script>function onInit(c){c.openChatWindow();window.v1=c}</script><script id="embeddedChatbot" botId="BOT" callback="onInit" data-first-name="kim" data-last_name="lee" src="${host}/js/webchat.min.js"></script>` });
  const { page, id, stored } = made;
  await id("wc-start").click();
  await id("wc-qr-0").waitFor();
  assert.deepEqual((await stored()).context.params, { firstName: "kim", lastName: "lee" });
  await page.evaluate(() => window.v1.closeChatWindow());
  await id("wc-launcher").waitFor();
});

test("version 1 with a callback that stands below its script", async () => {
  const { id } = await site({ body: (host) => `<script botId="BOT" callback="onInit" src="${host}/js/webchat.min.js"></script><script>function onInit(c){c.openChatWindow()}</script>` });
  await id("wc-start").waitFor();
});

test("where the widget's scripts are blocked the page hears a warning and no error", async () => {
  const { page } = await site({ body: (host) => snippet(host, "function(init){window.wc=init()}") });
  const said = [];
  page.on("console", (message) => message.type() === "warning" && said.push(message.text()));
  await page.route(/\/webchat\/launcher\.\w+\.js/, (route) => route.abort());
  await page.reload();
  await page.waitForFunction(() => window.wc?.ready.catch(() => true));
  await page.evaluate(() => window.wc.destroy());
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  assert.deepEqual(page.errors, []);
  assert.match(said.join(), /webchat: .*not loaded/);
});

test("the full page starts with its query", async () => {
  const made = await chat({ path: "/webchat/BOT?ref=abc&userKey=kim", viewport: { width: 800, height: 600 } });
  const { context } = await made.stored();
  assert.deepEqual([context.params, context.userKey], [{ ref: "abc" }, "kim"]);
});

test("the full page talks in two tabs, reloads and starts over, and its policy stands in no way", async () => {
  const { page, id, visit, say } = await chat({ path: "/webchat/BOT" });
  const wrong = [];
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  await id("wc-qr-1").click();
  await page.getByText("인기 상품입니다.").waitFor();
  await page.locator('[data-testid^="wc-card-"] img').first().waitFor();
  const other = await visit();
  await other.id("wc-start").click();
  await other.getByText("인기 상품입니다.").waitFor();
  await say("두 번째 말");
  await page.getByText('"두 번째 말"라고').waitFor();
  await other.getByText('"두 번째 말"라고').waitFor();
  const said = () => page.locator("[data-from]").allInnerTexts();
  const before = await said();
  await page.reload();
  await page.getByText('"두 번째 말"라고').waitFor();
  assert.deepEqual(await said(), before);
  await id("wc-menu").click();
  await id("wc-restart").click();
  await id("wc-restart-confirm").click();
  await id("wc-separator").waitFor();
  await eventually(() => from(page, "bot").getByText("안녕하세요!").count(), 2);
  await id("wc-emoji").click();
  await id("wc-palette").getByRole("button").first().waitFor();
  assert.deepEqual([wrong, page.errors, other.errors], [[], [], []]);
});

test("the SDK gives the context first, then messages", async () => {
  const { page } = await site({ body: (host) => `<script src="${host}/sdk/webchat.js"></script><script>var bot='BOT'</script>` });
  const heard = await page.evaluate(() => new Promise((done) => {
    const heard = [];
    const client = new CloserSDK.WebChat({ apiKey: "x" }).open({ botId: window.bot, userKey: "kim", params: { a: 1 } });
    client.addListener("message", (message) => {
      heard.push(message.platform ?? message.data.text);
      if (heard.length === 2) void client.sendMessage({ type: "text", text: "hi" });
      if (heard.length === 4) done(heard);
    });
  }));
  assert.equal(heard[0], "web");
  assert.match(heard[1], /안녕하세요/);
  assert.deepEqual(heard.slice(2), ["hi", '"hi"라고 하셨네요.']);
});
