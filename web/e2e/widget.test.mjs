/** The acceptance checks of the widget, W-01 to W-25, in Chromium against a running installation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, eventually, from, kept, site, snippet } from "./site.mjs";

/** Only answers over HTTP can be edited. */
const overHttp = (path, answer) => (path === "/sessions" ? { ...answer, socketUrl: null } : answer);

test("W-01 the launcher appears and no session is made before the first click", async () => {
  const { sessions, id } = await site();
  await id("wc-launcher").waitFor();
  assert.equal(sessions(), 0);
  await id("wc-launcher").click();
  await id("wc-start").waitFor();
  assert.equal(sessions(), 0);
  await id("wc-start").click();
  await eventually(sessions, 1);
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
  const { page, messages, stored, id } = await chat();
  const keyboard = await page.context().newCDPSession(page);
  const compose = (text) => keyboard.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  const enter = (rest) => keyboard.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Enter", code: "Enter", ...rest });
  await id("wc-input").focus();
  for (const text of ["ㅎ", "하", "한"]) await compose(text);
  assert.equal(await id("wc-input").inputValue(), "한");
  // What an input method gets arrives as the key 229.
  await enter({ windowsVirtualKeyCode: 229, key: "Process" });
  await enter({ windowsVirtualKeyCode: 13 });
  assert.equal(messages().length, 0);
  assert.equal(await id("wc-input").inputValue(), "한");
  await keyboard.send("Input.insertText", { text: "한" });
  await compose("글");
  await keyboard.send("Input.insertText", { text: "글" });
  await id("wc-input").press("Enter");
  await from(page, "bot").getByText('"한글"라고').waitFor();
  assert.deepEqual((await stored()).filter((it) => it.isUser).map((it) => it.data.text), ["한글"]);
  assert.equal(await id("wc-input").inputValue(), "");
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
  const { page, stored, say } = await chat();
  await say("상품 보기");
  await page.locator('[data-testid^="wc-card-"]').nth(1).getByRole("button", { name: "에코백: 고르기" }).click();
  await page.getByText("골랐습니다: card-2").waitFor();
  const said = (await stored()).filter((it) => it.isUser).at(-1).data;
  assert.deepEqual([said.text, said.payload], ["고르기", "card-2"]);
});

test("W-08 links are safe, and a script is no link", async () => {
  const bad = { type: "link", label: "나쁜 링크", uri: "javascript:window.pwned=1" };
  const edit = (path, answer) => {
    for (const { isUser, data } of answer.messages ?? []) if (!isUser) data.buttons = [...(data.buttons ?? []), bad];
    return overHttp(path, answer);
  };
  const { page, messages, say } = await chat({ edit });
  await page.getByText("나쁜 링크").click({ force: true }); // It takes no clicks at all.
  assert.equal(messages().length, 0);
  await say("배송 조회");
  const link = page.getByRole("link", { name: "배송 지도" });
  assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
  assert.equal(await link.getAttribute("target"), "_blank");
  const opened = page.waitForEvent("popup");
  await page.context().route("https://shop.example/**", (route) => route.fulfill({ body: "map" }));
  await link.click();
  await opened;
  assert.equal(messages().length, 1);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
});

test("W-09 an old goto button still jumps", async () => {
  const { page, say } = await chat();
  await say("배송 조회");
  await page.getByRole("button", { name: "처음으로" }).waitFor();
  for (let n = 0; n < 10; n += 1) {
    await say(`말 ${n}`);
    await page.getByText(`"말 ${n}"라고`).waitFor();
  }
  await page.getByRole("button", { name: "처음으로" }).click();
  await page.getByText("플로우 2입니다.").waitFor();
  assert.equal(page.sent.filter((frame) => frame.type === "navigate").length, 1);
  assert.equal(await from(page, "user").filter({ hasText: "처음으로" }).count(), 1);
  await page.reload();
  await page.getByText("플로우 2입니다.").waitFor();
  assert.equal(await from(page, "user").filter({ hasText: "처음으로" }).count(), 1);
});

test("W-10 text of others is text", async () => {
  const evil = "<img src=x onerror=window.pwned=1>";
  const edit = (path, answer) => {
    const said = answer.messages?.find((it) => !it.isUser);
    if (said) answer.messages.push({ ...said, id: "cards", data: { type: "cards", cards: [{ title: evil, description: evil }] } }, { ...said, id: "new", data: { type: "hologram", text: evil } });
    return overHttp(path, answer);
  };
  const { page, id, say } = await chat({ edit, config: { title: evil, description: evil, theme: { greetingMessage: evil, title: evil } } });
  await say(evil);
  await page.getByText(`"${evil}"라고`).waitFor();
  assert.equal(await page.getByText(evil, { exact: true }).count(), 5);
  await id("wc-close").click();
  assert.equal(await page.locator("img[src=x]").count(), 0);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
});

test("W-11 a reload shows the messages before the network answers, once", async () => {
  const { line, page, id, say } = await chat();
  await say("하나");
  await page.getByText('"하나"라고').waitFor();
  await kept(page, 3);
  line.delay = 2_000;
  const at = Date.now();
  await page.reload();
  await page.getByText('"하나"라고').waitFor();
  assert.ok(Date.now() - at < 2_000);
  await id("wc-qr-0").waitFor();
  assert.equal(await page.getByText('"하나"라고').count(), 1);
});

test("W-12 another tab sees the message, and loses its chips", async () => {
  const { page, id, visit, line } = await chat();
  const two = await visit();
  await two.id("wc-launcher").click();
  await two.id("wc-start").click();
  await two.id("wc-qr-2").waitFor();
  await eventually(() => line.sockets.size, 2);
  await eventually(() => two.sent.length > 0, true);
  await id("wc-qr-2").click();
  await two.getByText("1에서 5까지").waitFor();
  assert.equal(await from(two, "user").count(), 1);
  await eventually(() => two.id("wc-qr-0").count(), 0);
  assert.deepEqual(page.errors, []);
});

test("W-13 a restart begins a new conversation below a separator", async () => {
  const { page, id, stored } = await chat();
  const before = (await stored()).at(-1).conversationId;
  await id("wc-menu").click();
  await id("wc-restart").click();
  await id("wc-restart-confirm").click();
  await id("wc-separator").waitFor();
  await eventually(() => from(page, "bot").count(), 2);
  assert.notEqual((await stored()).at(-1).conversationId, before);
});

test("W-14 a picture is sent, a file that is too large is refused, the others go on", async () => {
  const { page, id, stored } = await chat();
  const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
  await page.locator('input[type="file"]').setInputFiles([
    { name: "big.png", mimeType: "image/png", buffer: Buffer.alloc(11 * 1024 * 1024) },
    { name: "small.png", mimeType: "image/png", buffer: png },
  ]);
  await page.getByText("big.png: 10 MB까지").waitFor();
  const image = from(page, "user").locator('img[alt="small.png"]');
  await page.getByText("사진을 받았습니다.").waitFor();
  await eventually(() => image.evaluate((it) => it.naturalWidth), 1);
  assert.equal(await id("wc-tray-0").count(), 1);
  assert.equal((await stored()).filter((it) => it.data.type === "media").length, 1);
});

test("W-15 an agent joins, types, writes and leaves", async () => {
  const { page, agent, id, say, connected } = await chat();
  await connected();
  await agent.joins();
  await eventually(() => id("wc-agent-name").innerText(), "이하나");
  assert.equal(await id("wc-system").innerText(), "이하나 상담원이 연결되었습니다");
  await agent.types();
  await id("wc-typing").waitFor();
  await id("wc-typing").waitFor({ state: "detached", timeout: 8_000 });
  await agent.types();
  await id("wc-typing").waitFor();
  await agent.says("무엇을 도와드릴까요?");
  await from(page, "agent").getByText("무엇을 도와드릴까요?").waitFor();
  await id("wc-typing").waitFor({ state: "detached", timeout: 2_000 });
  await say("고맙습니다");
  await agent.ends();
  await page.getByText("상담이 끝났습니다").waitFor();
  assert.equal(await page.getByText('"고맙습니다"라고').count(), 0);
});

test("W-16 Cancel takes the call back", async () => {
  const { page, stored, id, say } = await chat();
  await say("상담원 연결");
  await id("wc-cancel-call").click();
  await page.getByText("무엇을 더 도와드릴까요?").waitFor();
  await id("wc-wait-strip").waitFor({ state: "detached" });
  const all = await stored();
  assert.equal(all.findLast((it) => it.isUser).data.text, "요청 취소");
  assert.equal(all.call.status, "missed");
});

test("W-17 offline: a bar after 3 s, a clock on the message, and it is sent once", async () => {
  const { line, page, id, say, stored, connected } = await chat();
  await connected();
  line.down = true;
  line.cut();
  const at = Date.now();
  await say("하나");
  await say("둘");
  await id("wc-conn").waitFor();
  assert.ok(Date.now() - at > 2_000);
  assert.deepEqual(await from(page, "user").evaluateAll((all) => all.map((it) => it.dataset.status)), ["queued", "queued"]);
  line.down = false;
  await id("wc-conn").getByRole("button").click();
  await page.getByText('"둘"라고').waitFor({ timeout: 40_000 });
  assert.deepEqual((await stored()).filter((it) => it.isUser).map((it) => it.data.text), ["하나", "둘"]);
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
  const { page, messages, id, say } = await chat();
  await id("wc-qr-2").click();
  await eventually(() => id("wc-qr-0").count(), 0);
  await eventually(() => id("wc-input").getAttribute("inputmode"), "numeric");
  await say("9");
  assert.equal(await id("wc-problem").innerText(), "5 이하여야 합니다.");
  await say("4");
  await page.getByText("별 4개, 고맙습니다!").waitFor();
  assert.equal(messages().length, 2);
});

test("W-23 a bot that is off shows nothing and throws nothing", async () => {
  const { page, id, line } = await site({ off: true });
  await eventually(() => line.requests.filter((it) => it.includes("/bots/")).length, 1);
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
