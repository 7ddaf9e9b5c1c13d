/** The acceptance checks of the widget, W-01 to W-25, in Chromium against the fake server. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { chat, eventually, from, sessions, site, snippet } from "./site.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const messages = (server) => server.frames.filter((frame) => frame.type === "message");

test("W-01 the launcher appears and no session is made before the first click", async () => {
  const { server, id } = await site();
  await id("wc-launcher").waitFor();
  assert.equal(sessions(server), 0);
  await id("wc-launcher").click();
  await id("wc-start").waitFor();
  assert.equal(sessions(server), 0);
  await id("wc-start").click();
  await eventually(() => sessions(server), 1);
});

test("W-02 a click opens, the focus is on Start, Esc closes and gives the focus back", async () => {
  const { page, id } = await site();
  await id("wc-launcher").click();
  await id("wc-start").waitFor();
  assert.equal(await id("wc-launcher").getAttribute("aria-expanded"), "true");
  const focused = () => page.evaluate(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at?.dataset.testid;
  });
  await eventually(focused, "wc-start");
  await page.keyboard.press("Escape");
  await eventually(focused, "wc-launcher");
  assert.equal(await id("wc-window").isVisible(), false);
});

test("W-03 Start shows the welcome and its chips; a pressed chip becomes my message", async () => {
  const { page, id } = await chat();
  assert.match(await from(page, "bot").first().innerText(), /안녕하세요/);
  await id("wc-qr-2").click();
  await eventually(() => from(page, "user").count(), 1);
  assert.match(await from(page, "user").innerText(), /별점/);
  await eventually(() => id("wc-qr-0").count(), 0);
});

test("W-04 nothing is sent while Hangul is composed", async () => {
  const { server, id } = await chat();
  await id("wc-input").evaluate((area) => {
    area.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true, composed: true }));
    area.value = "한";
    area.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }));
    area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, isComposing: true, bubbles: true, composed: true }));
    area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, composed: true }));
  });
  assert.equal(messages(server).length, 0);
  await id("wc-input").evaluate((area) => area.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true, composed: true })));
  await id("wc-input").press("Enter");
  await eventually(() => messages(server).length, 1);
  assert.equal(messages(server)[0].data.text, "한");
});

test("W-05 Shift+Enter keeps a line break", async () => {
  const { page, id } = await chat();
  await id("wc-input").pressSequentially("a");
  await id("wc-input").press("Shift+Enter");
  await id("wc-input").pressSequentially("b");
  await id("wc-input").press("Enter");
  await eventually(async () => (await from(page, "user").locator(".mv-text").allInnerTexts())[0], "a\nb");
});

test("W-06 1,001 characters cannot be sent; the counter shows from 900", async () => {
  const { id } = await chat();
  await id("wc-input").fill("가".repeat(899));
  assert.equal(await id("wc-count").count(), 0);
  await id("wc-input").fill("가".repeat(1001));
  assert.equal(await id("wc-count").innerText(), "1,001/1,000");
  assert.equal(await id("wc-send").isDisabled(), true);
});

test("W-07 the button of the second card sends the second card's payload", async () => {
  const { server, page, id, say } = await chat();
  await say("상품 보기");
  await page.locator('[data-testid^="wc-card-"]').nth(1).getByRole("button", { name: "에코백: 고르기" }).click();
  await eventually(() => messages(server).at(-1)?.data.payload, "card-2");
  assert.equal(messages(server).at(-1).data.text, "고르기");
});

test("W-08 W-10 links are safe, and text of others is text", async () => {
  const { server, page, say } = await chat({ config: { title: "<img src=x onerror=window.pwned=1>", theme: { greetingMessage: "<img src=x onerror=window.pwned=1>" } } });
  await say("link-xss");
  await page.getByText("나쁜 링크").waitFor();
  const before = messages(server).length;
  await page.getByText("나쁜 링크").click();
  await say("배송 조회");
  const link = page.getByRole("link", { name: "배송 지도" });
  assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
  assert.equal(await link.getAttribute("target"), "_blank");
  assert.equal(messages(server).length, before + 1);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.ok((await page.getByText("<img src=x", { exact: false }).count()) >= 3);
});

test("W-09 an old goto button still jumps", async () => {
  const { server, page, say } = await chat();
  await say("배송 조회");
  for (let n = 0; n < 10; n += 1) {
    await say(`말 ${n}`);
    await page.getByText(`"말 ${n}"라고`).waitFor();
  }
  await page.getByRole("button", { name: "처음으로" }).click();
  await page.getByText("플로우 1입니다.").waitFor();
  assert.equal(server.frames.filter((frame) => frame.type === "navigate").length, 1);
});

test("W-11 a reload shows the messages before the network answers, once", async () => {
  const { server, page, id, say } = await chat();
  await say("하나");
  await page.getByText('"하나"라고').waitFor();
  await page.waitForFunction(() => new Promise((done) => {
    const asked = indexedDB.open("malgil-webchat");
    asked.onsuccess = () => (asked.result.transaction("talks").objectStore("talks").getAll().onsuccess = (event) => done(event.target.result[0]?.messages.length >= 3));
  }));
  server.delay = 2_000;
  const at = Date.now();
  await page.reload();
  await page.getByText('"하나"라고').waitFor();
  assert.ok(Date.now() - at < 2_000);
  await id("wc-qr-0").waitFor();
  assert.equal(await page.getByText('"하나"라고').count(), 1);
});

test("W-12 another tab sees the message, and loses its chips", async () => {
  const { page, id, visit, server } = await chat();
  const two = await visit();
  await two.id("wc-launcher").click();
  await two.id("wc-start").click();
  await two.id("wc-qr-2").waitFor();
  await eventually(() => server.sockets.size, 2);
  await id("wc-qr-2").click();
  await two.getByText("1에서 5까지").waitFor();
  assert.equal(await from(two, "user").count(), 1);
  await eventually(() => two.id("wc-qr-0").count(), 0);
  assert.deepEqual(page.errors, []);
});

test("W-13 a restart begins a new conversation below a separator", async () => {
  const { page, id, log } = await chat();
  const before = log().conversationId;
  await id("wc-menu").click();
  await id("wc-restart").click();
  await id("wc-restart-confirm").click();
  await id("wc-separator").waitFor();
  assert.notEqual(log().conversationId, before);
  await eventually(() => from(page, "bot").count(), 2);
});

test("W-14 a picture is sent, a file that is too large is refused, the others go on", async () => {
  const { page, id } = await chat();
  const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
  await page.locator('input[type="file"]').setInputFiles([
    { name: "big.png", mimeType: "image/png", buffer: Buffer.alloc(11 * 1024 * 1024) },
    { name: "small.png", mimeType: "image/png", buffer: png },
  ]);
  await page.getByText("big.png: 10 MB까지").waitFor();
  await from(page, "user").locator('img[alt="small.png"]').waitFor();
  assert.equal(await id("wc-tray-0").count(), 1);
});

test("W-15 an agent joins, types, and stops", async () => {
  const { server, id, log } = await chat();
  await eventually(() => server.sockets.size, 1);
  server.agent(log(), "in_progress", { id: "a", displayName: "이하나" }, "안녕하세요");
  await eventually(() => id("wc-agent-name").innerText(), "이하나");
  assert.equal(await id("wc-system").innerText(), "이하나 상담원이 연결되었습니다");
  server.push(log(), { type: "typing", by: { displayName: "이하나" } });
  await id("wc-typing").waitFor();
  await id("wc-typing").waitFor({ state: "detached", timeout: 8_000 });
});

test("W-16 Cancel takes the call back", async () => {
  const { server, id, say, log } = await chat();
  await say("상담원 연결");
  await id("wc-cancel-call").click();
  await eventually(() => log().call.status, "missed");
  assert.equal(messages(server).at(-1).data.text, "요청 취소");
  await id("wc-wait-strip").waitFor({ state: "detached" });
});

test("W-17 offline: a bar after 3 s, a clock on the message, and it is sent once", async () => {
  const { server, page, id, say, log } = await chat();
  await eventually(() => server.sockets.size, 1);
  server.down = true;
  server.cutAll();
  await say("하나");
  await say("둘");
  await id("wc-conn").waitFor();
  assert.deepEqual(await from(page, "user").evaluateAll((all) => all.map((it) => it.dataset.status)), ["queued", "queued"]);
  server.down = false;
  await id("wc-conn").getByRole("button").click();
  await page.getByText('"둘"라고').waitFor({ timeout: 40_000 });
  assert.deepEqual(log().turns.flatMap((turn) => turn.messages.filter((it) => it.isUser).map((it) => it.data.text)), ["하나", "둘"]);
  assert.equal(await from(page, "user").count(), 2);
});

test("W-18 text on any colour can be read", async () => {
  const { page, say } = await chat({ config: { theme: { primaryColor: "#FFFF00", primaryContrastTextColor: "#ffffff" } } });
  await say("색");
  const bubble = from(page, "user").locator(".mv-bubble").first();
  await bubble.waitFor();
  assert.deepEqual(await bubble.evaluate((it) => [getComputedStyle(it).color, getComputedStyle(it).backgroundColor]), ["rgb(0, 0, 0)", "rgb(255, 255, 0)"]);
});

test("W-19 the script API does as said", async () => {
  const { page, id } = await site();
  await id("wc-launcher").waitFor();
  const run = (act) => page.evaluate(act);
  assert.equal(await run(() => window.wc.sendMessage({ data: { type: "text", text: "a" } }).catch((error) => error.code)), "NOT_STARTED");
  await run(() => {
    window.heard = [];
    window.wc.on("open", () => window.heard.push("open"));
    window.wc.setOpen(true);
  });
  await id("wc-window").waitFor();
  assert.deepEqual(await run(() => [window.heard, window.wc.isOpen, window.wc.view.current]), [["open"], true, "welcome"]);
  await run(() => window.wc.startConversation({ params: { from: "test" } }));
  await run(() => window.wc.sendMessage({ data: { type: "text", text: "API" } }));
  await page.getByText('"API"라고').waitFor();
  await run(() => window.wc.changeNavigation({ flowId: 7 }));
  await page.getByText("플로우 7입니다.").waitFor();
  await run(() => window.wc.changeView("welcome"));
  await id("wc-welcome").waitFor();
  await run(() => window.wc.setEnabled(false));
  await id("wc-launcher").waitFor({ state: "detached" });
  await run(() => window.wc.setEnable(true));
  await id("wc-launcher").waitFor();
  await run(() => window.wc.destroy());
  await eventually(() => page.locator("[class^=closer_webchat]").count(), 0);
  assert.deepEqual(page.errors, []);
});

test("W-20 a phone's screen is filled", async () => {
  const { page, id } = await chat({ viewport: { width: 375, height: 667 } });
  assert.deepEqual(await id("wc-window").boundingBox(), { x: 0, y: 0, width: 375, height: 667 });
  assert.ok((await id("wc-input").evaluate((it) => parseFloat(getComputedStyle(it).fontSize))) >= 16);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 375));
});

test("W-21 a number out of range is refused here", async () => {
  const { server, id, say } = await chat();
  await id("wc-qr-2").click();
  await eventually(() => id("wc-qr-0").count(), 0);
  await eventually(() => id("wc-input").getAttribute("inputmode"), "numeric");
  await say("9");
  assert.equal(await id("wc-problem").innerText(), "5 이하여야 합니다.");
  await say("4");
  await eventually(() => messages(server).at(-1).data.text, "4");
  assert.equal(messages(server).length, 2);
});

for (const [colorScheme, locale] of [["light", "ko-KR"], ["dark", "en-US"]]) {
  test(`W-22 axe finds nothing serious (${colorScheme}, ${locale})`, async () => {
    const { page, id } = await site({ colorScheme, locale });
    const check = async (where) => {
      await page.waitForTimeout(250); // Animations change the colours that are measured.
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run({ include: [[".closer_webchat_button_wrapper"], ...(document.querySelector(".closer_webchat_chat_wrapper") ? [[".closer_webchat_chat_wrapper"]] : [])] }));
      const bad = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.deepEqual(bad.map(({ id: rule, nodes }) => [where, rule, nodes.map((node) => node.html.slice(0, 120))]), []);
    };
    await id("wc-launcher").waitFor();
    await check("launcher");
    await id("wc-launcher").click();
    await id("wc-start").waitFor();
    await check("welcome");
    await id("wc-start").click();
    await id("wc-input").fill("상품 보기");
    await id("wc-send").click();
    await page.locator('[data-testid^="wc-card-"]').first().waitFor();
    await check("chat");
    await id("wc-emoji").click();
    await page.locator(".wc-cells button").first().waitFor();
    await check("emoji");
  });
}

test("W-23 a bot that is off shows nothing and throws nothing", async () => {
  const { page, id, server } = await site({ config: { enabled: false } });
  await eventually(() => server.requests.filter((line) => line.includes("/bots/")).length, 1);
  await page.waitForFunction(() => window.wc?.ready.then(() => true));
  assert.equal(await id("wc-launcher").count(), 0);
  assert.deepEqual(page.errors, []);
});

test("W-24 another person does not see what was said before", async () => {
  const { page, id } = await site({ body: (host) => snippet(host, "function(init){window.wc=init({userKey:'A'})}") });
  await id("wc-launcher").click();
  await id("wc-start").click();
  await id("wc-input").fill("비밀");
  await id("wc-send").click();
  await page.getByText('"비밀"라고').waitFor();
  await page.evaluate(() => window.wc.setUserKey("B"));
  await id("wc-qr-0").waitFor();
  assert.equal(await page.getByText("비밀").count(), 0);
  assert.equal(await page.evaluate(() => window.wc.userKey), "B");
});

test("W-25 English chrome holds no Hangul", async () => {
  const { page, id } = await site({ locale: "en-US", config: { title: "Shop", description: "Ask" } });
  const said = () => page.locator(".closer_webchat_chat_wrapper").evaluate((it) => it.shadowRoot.querySelector(".wc-root").innerHTML.replace(/한국어/, ""));
  await id("wc-launcher").click();
  await id("wc-start").waitFor();
  assert.doesNotMatch(await said(), /[가-힣]/);
  await id("wc-menu").click();
  await id("wc-locale-ko").waitFor();
  assert.doesNotMatch(await said(), /[가-힣]/);
});

test("snippets of CLOSER's sites work", async (t) => {
  await t.test("a function that arrives as its source text, with then", async () => {
    const { id } = await site({ body: (host) => snippet(host, "function (init) { init({params: {a: 1 && 2}}).then(function (control) { window.mine = control; control.setOpen(true); }); }") });
    await id("wc-start").waitFor();
  });
  await t.test("the elder sister with data-bind", async () => {
    const { page, id } = await site({ body: (host) => `<script>(function(c,l,o,s,e,r){c[e]=c[e]||{};r=l.createElement('script');r.src=o+'?botId='+s;r.setAttribute('data-bind',e);r.async=1;l.head.appendChild(r);})(window,document,'${host}/webchat.js','demo','mychat')</script>` });
    await id("wc-launcher").waitFor();
    assert.equal(await page.evaluate(() => window.mychat.isEnabled), true);
  });
  await t.test("our own, which evaluates nothing", async () => {
    const { id, page } = await site({ body: (host) => `<script>var r=document.createElement('script');r.src='${host}/webchat.js?botId=demo';r.onLoad=function(init){window.mine=init()};document.head.append(r)</script>` });
    await id("wc-launcher").waitFor();
    assert.equal(await page.evaluate(() => typeof window.mine.setOpen), "function");
  });
  await t.test("v1 with data params and callback", async () => {
    const { page, id, log } = await site({ body: (host) => `<script>function onInit(c){c.openChatWindow();window.v1=c}</script><script id="embeddedChatbot" botId="demo" callback="onInit" data-first-name="kim" data-last_name="lee" src="${host}/js/webchat.min.js"></script>` });
    await id("wc-start").click();
    await id("wc-qr-0").waitFor();
    assert.deepEqual(log().params, { firstName: "kim", lastName: "lee" });
    await page.evaluate(() => window.v1.closeChatWindow());
    await id("wc-launcher").waitFor();
  });
});

test("the full page starts with its query", async () => {
  const { id, log } = await site({ path: "/webchat/demo?ref=abc&userKey=kim", viewport: { width: 800, height: 600 } });
  await id("wc-start").click();
  await id("wc-qr-0").waitFor();
  assert.deepEqual([log().params, log().userKey], [{ ref: "abc" }, "kim"]);
});

test("the SDK gives the context first, then messages", async () => {
  const { page } = await site({ body: (host) => `<script src="${host}/sdk/webchat.js"></script>` });
  const heard = await page.evaluate(() => new Promise((done) => {
    const heard = [];
    const client = new CloserSDK.WebChat({ apiKey: "x" }).open({ botId: "demo", userKey: "kim", params: { a: 1 } });
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
