/** What is around the talk: teaser, welcome, contact form, settings, the phone's screen, the full page, the script API. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { audit, chat, eventually, from, kept, shoot, site, snippet } from "./site.mjs";

const FORM = { required: true, fields: ["name", "phone", "email"], consent: "상담을 위해 연락처를 수집하는 데 동의합니다." };
const PHONE = { width: 375, height: 667 };
const tomorrow = (hour) => new Date(new Date().setHours(24 + hour, 0, 0, 0)).toISOString();
const before = (script, options = "'wc'") => (host) => `<script>${script}</script>${snippet(host, options)}`;
const KIM = (host) => snippet(host, "function(init){window.wc=init({userKey:'kim'})}");

/** The frames that the page sent over HTTP. */
function posted(page) {
  page.posted ??= [];
  page.on("request", (request) => request.url().endsWith("/messages") && request.method() === "POST" && page.posted.push(request.postDataJSON()));
  return (type) => page.posted.filter((frame) => frame.type === type);
}

async function fill(id, values) {
  for (const [name, value] of Object.entries(values)) await id(`wc-contact-${name}`).fill(value);
}

test("a required contact form comes before the chat, says what is wrong, and is asked once", async () => {
  const { page, id } = await site({ config: { contactForm: FORM } });
  const frames = posted(page);
  await id("wc-launcher").click();
  await id("wc-start").click();
  assert.equal(await id("wc-contact-skip").count(), 0);
  await fill(id, { name: "김하나", phone: "전화 없음", email: "kim@example.com" });
  await id("wc-contact-submit").click();
  await eventually(() => id("wc-contact-phone").getAttribute("aria-invalid"), "true");
  assert.equal(await id("wc-contact-form").getByRole("alert").innerText(), "확인해 주세요.");
  await fill(id, { phone: "010-1234-5678" });
  assert.equal(await id("wc-contact-form").getByRole("alert").count(), 0);
  await id("wc-contact-submit").click();
  await eventually(() => id("wc-contact-consent").getAttribute("aria-invalid"), "true");
  assert.equal(frames("start").length, 0);
  await id("wc-contact-consent").check();
  await id("wc-contact-submit").click();
  await id("wc-qr-0").waitFor();
  const { contactConsentAt, ...given } = frames("start")[0].params;
  assert.deepEqual(given, { name: "김하나", phone: "010-1234-5678", email: "kim@example.com" });
  assert.ok(Math.abs(Date.now() - Date.parse(contactConsentAt)) < 60_000);
  await kept(page);
  await page.reload();
  await id("wc-input").waitFor();
  await id("wc-back").click();
  await id("wc-start").click();
  await id("wc-input").waitFor();
});

test("an optional contact form may be skipped, and is not asked again", async () => {
  const { page, id } = await site({ config: { contactForm: { required: false, fields: ["email"], consent: "" } } });
  const frames = posted(page);
  await id("wc-launcher").click();
  await id("wc-start").click();
  assert.equal(await id("wc-contact-consent").count(), 0);
  await id("wc-contact-skip").click();
  await id("wc-qr-0").waitFor();
  assert.deepEqual(frames("start")[0].params, {});
  await id("wc-back").click();
  await id("wc-welcome").waitFor();
  await id("wc-start").click();
  await id("wc-input").waitFor();
  await page.evaluate(() => window.wc.changeView("contact"));
  await id("wc-contact-email").fill("kim@example.com");
  await id("wc-contact-submit").click();
  await eventually(() => frames("params")[0]?.params.email, "kim@example.com");
});

test("skipWelcome leads to the chat, but by a contact form that is required", async () => {
  const one = await site({ config: { contactForm: { ...FORM, required: false }, theme: { skipWelcome: true } } });
  await one.id("wc-launcher").click();
  await one.id("wc-qr-0").waitFor();
  const two = await site({ config: { contactForm: FORM, theme: { skipWelcome: true } } });
  await two.id("wc-launcher").click();
  await two.id("wc-contact-form").waitFor();
  await two.page.evaluate(() => window.wc.changeView("chat"));
  await two.id("wc-contact-form").waitFor();
});

test("the teaser shows line breaks, bold and links, and no HTML; its quick answer is sent", async () => {
  const theme = { greetingMessage: "**오늘만** 반값!\n[자세히](https://example.com/a) <b>x</b> [나쁜](javascript:alert(1))", greetingReplies: ["배송은요?", "환불할래요"] };
  const { page, id } = await site({ config: { theme } });
  const teaser = id("wc-teaser");
  await teaser.waitFor();
  assert.equal(await teaser.locator("p").innerText(), "오늘만 반값!\n자세히 <b>x</b> [나쁜](javascript:alert(1))");
  assert.deepEqual(await teaser.locator("b").allInnerTexts(), ["오늘만"]);
  assert.deepEqual(await teaser.locator("a").evaluateAll((all) => all.map((it) => [it.href, it.target, it.rel])), [["https://example.com/a", "_blank", "noopener noreferrer"]]);
  assert.deepEqual(await audit({ page }, "teaser"), []);
  await id("wc-teaser-reply-1").click();
  await eventually(() => from(page, "user").locator(".mv-text").innerText(), "환불할래요");
  await page.getByText('"환불할래요"라고').waitFor();
  assert.equal(await teaser.count(), 0);
});

test("a teaser that was closed comes again after 30 days", async () => {
  const { page, id } = await site({ config: { theme: { greetingMessage: "안녕하세요" } } });
  const visit = async (days) => {
    await page.clock.install({ time: Date.now() + days * 86_400_000 });
    await page.reload();
    await id("wc-launcher").waitFor();
    await page.clock.runFor(3_000);
    return id("wc-teaser").count();
  };
  assert.equal(await visit(0), 1);
  await id("wc-teaser-close").click();
  assert.equal(await id("wc-teaser").count(), 0);
  assert.equal(await visit(29), 0);
  assert.equal(await visit(31), 1);
});

test("the welcome view has questions to begin with; later the last line and when it was said", async () => {
  const { page, id } = await site({ config: { theme: { greetingReplies: ["영업 시간은?"] } } });
  await id("wc-launcher").click();
  await id("wc-reply-0").click();
  await page.getByText('"영업 시간은?"라고').waitFor();
  await id("wc-back").click();
  assert.equal(await id("wc-start").innerText(), "이어서 대화");
  assert.equal(await page.locator(".wc-last").innerText(), '"영업 시간은?"라고 하셨네요.');
  assert.match(await page.locator(".wc-when").innerText(), /^오늘 오[전후] \d+(?:시|:\d\d)$/);
});

test("hours that have changed are seen when the window opens again", async () => {
  const hours = { open: false, text: "10:00 ~ 18:00", opensAt: null };
  const { page, id } = await site({ config: { hours } });
  await id("wc-launcher").click();
  await id("wc-hours").waitFor();
  await id("wc-close").click();
  hours.open = true;
  await id("wc-launcher").click();
  await id("wc-start").waitFor();
  await id("wc-hours").waitFor({ state: "detached" });
  assert.deepEqual(page.errors, []);
});

async function outOfHours(locale, said) {
  const { id } = await chat({ locale, config: { hours: { open: false, text: "10:00 ~ 18:00", opensAt: tomorrow(9) } } });
  assert.equal(await id("wc-hours").innerText(), said);
  await id("wc-back").click();
  await id("wc-welcome").waitFor();
  assert.equal(await id("wc-hours").innerText(), said);
}

test("out of hours the visitor reads when agents are there", () => outOfHours("ko-KR", "상담 운영 시간 10:00 ~ 18:00\n내일 오전 9시에 열어요"));

test("out of hours the visitor reads in English when agents are there", () => outOfHours("en-US", "Agent hours 10:00 ~ 18:00\nOpens tomorrow at 9 AM"));

test("in hours nothing is said of them", async () => {
  const { id } = await chat({ config: { hours: { open: true, text: "10:00 ~ 18:00", opensAt: null } } });
  assert.equal(await id("wc-hours").count(), 0);
});

test("who waits for an agent sees for how long", async () => {
  const { botId, page, id, say } = await chat();
  await say("상담원 연결");
  await id("wc-elapsed").waitFor();
  await eventually(async () => (await id("wc-elapsed").innerText()) > "00:00", true);
  assert.equal(await id("wc-cancel-call").innerText(), "요청 취소");
  await kept(page);
  await page.evaluate((key) => sessionStorage.setItem(key, Date.now() - 3_700_000), `wc:${botId}:since`);
  await page.reload();
  await id("wc-elapsed").waitFor();
  assert.match(await id("wc-elapsed").innerText(), /^01:01:/);
});

test("an agent joins without a word where the owner wants it so", async () => {
  const { agent, page, id, connected } = await chat({ config: { theme: { announceAgent: false } } });
  await connected();
  await agent.joins({ id: "a", profile: { displayName: "이하나", picture: "https://cdn.shop.example/이하나.svg" } });
  await eventually(() => id("wc-agent-name").innerText(), "이하나");
  assert.match(await page.locator(".wc-avatar img").getAttribute("src"), /^https:\/\/cdn\.shop\.example/);
  assert.equal(await id("wc-system").count(), 0);
  await agent.ends();
  await eventually(() => id("wc-system").innerText(), "상담이 끝났습니다");
});

const TONES = "window.tones=0;AudioContext=class{currentTime=0;resume(){}createOscillator(){window.tones+=1;return{connect:(x)=>x,frequency:{},start(){},stop(){}}}createGain(){return{connect(){},gain:{setValueAtTime(){},exponentialRampToValueAtTime(){}}}}};";

test("a sound is off until it is chosen, and one tab of two makes it", async () => {
  const { page, id, visit, say } = await chat({ body: before(TONES) });
  const two = await visit();
  await two.id("wc-launcher").click();
  await two.id("wc-start").click();
  await two.id("wc-input").waitFor();
  const tones = async () => (await page.evaluate(() => window.tones)) + (await two.evaluate(() => window.tones));
  await say("하나");
  await two.getByText('"하나"라고').waitFor();
  assert.equal(await tones(), 0);
  for (const tab of [page, two]) {
    await tab.id("wc-menu").click();
    await tab.id("wc-sound").click();
    assert.equal(await tab.id("wc-sound").getAttribute("aria-checked"), "true");
    await tab.id("wc-back").click();
  }
  assert.equal(await tones(), 2); // Each switch lets it be heard.
  await page.waitForFunction(() => new Promise((done) => setTimeout(done, 1_000, true))); // Tones keep a second apart.
  await say("둘");
  await two.getByText('"둘"라고').waitFor();
  await eventually(tones, 3);
  await id("wc-input").waitFor();
});

test("a desktop notice is asked for at its switch, and shown while the page is hidden", async () => {
  const stub = "window.notes=[];window.asked=0;Notification=class{static requestPermission(){window.asked+=1;return Promise.resolve('granted')}constructor(title,{body}){window.notes.push(title+': '+body)}};";
  const { page, id, say } = await chat({ body: before(stub) });
  assert.equal(await page.evaluate(() => window.asked), 0);
  await id("wc-menu").click();
  await id("wc-notice").click();
  await eventually(() => id("wc-notice").getAttribute("aria-checked"), "true");
  await id("wc-back").click();
  await say("하나");
  await page.getByText('"하나"라고').waitFor();
  assert.deepEqual(await page.evaluate(() => window.notes), []);
  await page.evaluate(() => Object.defineProperty(document, "hidden", { value: true, configurable: true }));
  await say("둘");
  await page.getByText('"둘"라고').waitFor();
  assert.deepEqual(await page.evaluate(() => window.notes), ['말길 상담: "둘"라고 하셨네요.']);
});

test("who deletes their talk begins anew, in other tabs too", async () => {
  const { page, id, visit, say } = await contacted();
  await say("비밀");
  await page.getByText('"비밀"라고').waitFor();
  const two = await visit();
  await two.id("wc-launcher").click();
  await two.id("wc-start").click();
  await two.getByText('"비밀"라고').waitFor();
  await id("wc-menu").click();
  const deleted = page.waitForRequest((request) => request.method() === "DELETE");
  await id("wc-erase").click();
  await id("wc-erase-confirm").click();
  assert.match((await deleted).url(), /\/webchat\/v1\/end-user$/);
  await eventually(() => id("wc-start").innerText(), "대화 시작");
  await two.id("wc-welcome").waitFor();
  assert.equal(await two.getByText("비밀").count(), 0);
  await page.reload();
  await id("wc-start").click();
  await id("wc-contact-name").waitFor();
  await id("wc-contact-skip").click();
  await id("wc-qr-0").waitFor();
  assert.equal(await page.getByText("비밀").count(), 0);
});

async function contacted() {
  const made = await site({ config: { contactForm: { required: false, fields: ["name"], consent: "" } }, body: KIM });
  const { id } = made;
  await id("wc-launcher").click();
  await id("wc-start").click();
  await id("wc-contact-skip").click();
  await id("wc-qr-0").waitFor();
  return { ...made, say: async (text) => (await id("wc-input").fill(text), id("wc-send").click()) };
}

test("a language comes alone, and another one where it is chosen; until it is there, the one before stays", async () => {
  const { line, page, id } = await site();
  const fetched = () => line.requests.filter((it) => it.endsWith(".json")).map((it) => /webchat\/(\w+)\./.exec(it)[1]).join();
  const language = () => id("wc-window").getAttribute("lang");
  await id("wc-launcher").click();
  await id("wc-menu").click();
  const english = /\/webchat\/en\.\w+\.json$/;
  const headers = { "access-control-allow-origin": "*" };
  const wrong = [(route) => route.abort(), (route) => route.fulfill({ headers, status: 503, json: { error: {} } }), (route) => route.fulfill({ headers, json: ["other", "en"] })];
  for (const answer of wrong) {
    await page.route(english, answer);
    const over = Promise.race(["requestfailed", "requestfinished"].map((event) => page.waitForEvent(event, (request) => english.test(request.url()))));
    await id("wc-locale-en").click();
    await over;
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
    assert.deepEqual([await language(), await id("wc-locale-ko").getAttribute("aria-pressed"), fetched()], ["ko", "true", "ko"]);
    await page.unroute(english);
  }
  let release;
  await page.route(english, async (route) => (await new Promise((resolve) => (release = resolve)), route.continue()));
  await id("wc-locale-en").click();
  await eventually(() => !!release, true);
  assert.equal(await id("wc-sound").innerText(), "알림음");
  release();
  await eventually(() => id("wc-sound").innerText(), "Sound");
  assert.deepEqual([await language(), await id("wc-locale-en").getAttribute("aria-pressed"), fetched()], ["en", "true", "ko,en"]);
  await page.unroute(english);
  await page.reload();
  await eventually(language, "en");
  await page.evaluate(() => window.wc.changeView("welcome"));
  assert.equal(await id("wc-start").innerText(), "Start chat");
  assert.ok(!fetched().slice(5).includes("ko"));
  assert.deepEqual(page.errors, []);
});

test("whose words do not come finds the chat at the next press", async () => {
  const { page, id } = await site();
  await page.waitForFunction(() => window.wc?.ready.then(() => true));
  await page.evaluate(() => void window.wc.on("error", ({ message }) => (window.said = message)));
  const korean = /\/webchat\/ko\.\w+\.json$/;
  await page.route(korean, (route) => route.abort());
  await page.evaluate(() => window.wc.setOpen(true));
  await page.waitForFunction(() => window.said);
  assert.equal(await page.evaluate(() => window.wc.isOpen), false);
  await page.unroute(korean);
  await id("wc-launcher").click();
  assert.equal(await id("wc-start").innerText(), "대화 시작");
  assert.deepEqual(page.errors, []);
});

test("on a phone the page stands still, and back closes the window", async () => {
  const { page, id } = await site({ viewport: PHONE, body: before("history.replaceState({mine:1},'')") });
  const overflow = () => page.evaluate(() => getComputedStyle(document.documentElement).overflowY);
  const entries = () => page.evaluate(() => history.length);
  const first = await entries();
  await id("wc-launcher").click();
  await id("wc-start").waitFor();
  assert.equal(await overflow(), "hidden");
  assert.equal(await id("wc-launcher").isVisible(), false);
  assert.equal(await id("wc-window").getAttribute("aria-modal"), "true");
  assert.equal(await page.evaluate(() => history.state.mine), 1);
  assert.equal(await entries(), first + 1);
  const address = page.url();
  await page.evaluate(() => history.back());
  await id("wc-window").waitFor({ state: "hidden" });
  assert.equal(page.url(), address);
  assert.equal(await overflow(), "visible");
  await id("wc-launcher").click();
  await id("wc-close").click();
  await eventually(() => page.evaluate(() => JSON.stringify(history.state)), '{"mine":1}');
  assert.equal(page.url(), address);
  // The page's own entries go on to be the page's, and closing takes none of them.
  await id("wc-launcher").click();
  await id("wc-start").waitFor();
  await page.evaluate(() => history.pushState({ mine: 2 }, "", "#two"));
  await page.evaluate(() => history.pushState({ mine: 3 }, "", "#three"));
  await page.evaluate(() => history.back());
  await eventually(() => page.evaluate(() => history.state.mine), 2);
  await id("wc-window").waitFor({ state: "hidden" });
  assert.equal(page.url(), `${address}#two`);
  await page.evaluate(() => new Promise((done) => setTimeout(done)));
  assert.equal(page.url(), `${address}#two`);
});

test("a page's own style for the widget's elements shows nothing that is closed", async () => {
  const style = "<style>.closer_webchat_chat_wrapper,.closer_webchat_button_wrapper{display:flex}</style>";
  const { id } = await site({ viewport: PHONE, body: (host) => style + snippet(host, "'wc'") });
  await id("wc-launcher").click();
  await id("wc-start").waitFor();
  assert.equal(await id("wc-launcher").isVisible(), false);
  await id("wc-close").click();
  await id("wc-launcher").waitFor();
  assert.equal(await id("wc-window").isVisible(), false);
});

test("on a phone a window that is closed and opened at once stays open, and back closes it", async () => {
  const { page, id } = await site({ viewport: PHONE });
  const entries = () => page.evaluate(() => history.length);
  const first = await entries();
  await id("wc-launcher").click();
  await id("wc-start").waitFor();
  await page.evaluate(() => new Promise((done) => {
    addEventListener("popstate", () => setTimeout(done), { once: true });
    window.wc.setOpen(false);
    window.wc.setOpen(true);
  }));
  assert.deepEqual([await page.evaluate(() => window.wc.isOpen), await id("wc-window").isVisible(), await entries()], [true, true, first + 1]);
  await page.evaluate(() => history.back());
  await id("wc-window").waitFor({ state: "hidden" });
  await id("wc-launcher").waitFor();
});

test("on a phone the composer stays above the keyboard", async () => {
  const { page, id } = await chat({ viewport: PHONE });
  await page.evaluate(() => {
    Object.defineProperty(visualViewport, "height", { value: 360 });
    visualViewport.dispatchEvent(new Event("resize"));
  });
  await eventually(async () => (await id("wc-window").boundingBox()).height, 360);
  const { y, height } = await id("wc-input").boundingBox();
  assert.ok(y + height <= 360);
});

test("the full page has the bot's name and language, and begins anew where it is told to", async () => {
  const { page, id, context } = await site({ path: "/webchat/BOT?userKey=kim&ref=a", locale: "en-US" });
  await id("wc-start").click();
  await id("wc-qr-0").waitFor();
  assert.deepEqual(await page.evaluate(() => [document.title, document.documentElement.lang]), ["말길 상담", "en"]);
  const again = await context.newPage();
  const frames = posted(again);
  await again.goto(`${page.url()}&restart=1&sessionId=x`);
  await again.getByTestId("wc-separator").waitFor();
  assert.deepEqual([frames("start")[0].restart, frames("start")[0].params], [true, { ref: "a" }]);
});

test("methods that need a conversation say so; unknown options are ignored", async () => {
  const { page, id } = await site({ body: (host) => snippet(host, "function(init){window.wc=init({theme:{locale:'en',colour:'red'},linkAnonymous:true,nonsense:1})}") });
  await eventually(() => id("wc-launcher").getAttribute("aria-label"), "Open chat");
  const codes = await page.evaluate(() => Promise.all([
    window.wc.sendMessage({ data: { type: "text", text: "a" } }),
    window.wc.changeNavigation({ flowId: 1 }),
    window.wc.sendTypingEvent(),
  ].map((done) => done.then(() => "done", (error) => error.code))));
  assert.deepEqual(codes, ["NOT_STARTED", "NOT_STARTED", "NOT_STARTED"]);
  const names = ["setOpen", "setEnabled", "setEnable", "setParams", "setUserKey", "setTheme", "changeView", "startConversation", "changeNavigation", "sendMessage", "sendTypingEvent", "on", "destroy", "openChatWindow", "closeChatWindow", "showChatButton", "hideChatButton", "updateParams"];
  assert.deepEqual(await page.evaluate((names) => names.filter((name) => typeof window.wc[name] !== "function"), names), []);
  assert.deepEqual(await page.evaluate(() => ["isOpen", "isEnabled", "unread", "userKey", "params", "theme", "view"].map((name) => typeof window.wc[name])), ["boolean", "boolean", "number", "string", "object", "object", "object"]);
  await page.evaluate(() => window.wc.openChatWindow());
  assert.equal(await id("wc-start").innerText(), "Start chat");
  await page.evaluate(() => window.wc.changeView("setting"));
  assert.deepEqual(await page.evaluate(() => window.wc.view), { current: "setting", stack: ["welcome", "setting"] });
  await page.evaluate(() => window.wc.changeView("back"));
  await id("wc-welcome").waitFor();
});

test("every event of the script API is heard", async () => {
  const { agent, page, connected } = await site();
  await page.waitForFunction(() => window.wc?.ready.then(() => true));
  await page.evaluate(async () => {
    window.heard = new Set();
    for (const name of ["open", "close", "view", "message", "unread", "agent", "state", "error"]) window.wc.on(name, () => window.heard.add(name));
    window.wc.setOpen(true);
    await window.wc.startConversation();
    window.wc.setOpen(false);
  });
  await connected();
  await agent.says("안녕하세요");
  await eventually(() => page.evaluate(() => [...window.heard].sort().join()), "agent,close,message,open,state,unread,view");
  await page.evaluate(() => window.wc.sendMessage({ data: { type: "text", text: "a".repeat(1_001) } }));
  await eventually(() => page.evaluate(() => window.heard.has("error")), true);
});

test("parameters of the page reach a talk that goes on", async () => {
  const { page, id } = await chat();
  await kept(page);
  await page.reload();
  await id("wc-input").waitFor();
  const frames = posted(page);
  await page.evaluate(() => window.wc.setParams({ page: "cart" }));
  await eventually(() => JSON.stringify(frames("params").map((frame) => frame.params)), '[{"page":"cart"}]');
  await id("wc-close").click();
  await page.reload();
  await page.waitForFunction(() => window.wc?.ready.then(() => true));
  await page.evaluate(() => window.wc.setParams({ page: "home" }));
  await id("wc-launcher").click();
  await eventually(() => frames("params").at(-1).params.page, "home");
});

test("another person does not get what the one before wrote and did not send", async () => {
  const { page, id } = await site({ body: KIM, config: { contactForm: { required: true, fields: ["name"], consent: "" } } });
  const frames = posted(page);
  await id("wc-launcher").click();
  await id("wc-start").click();
  await id("wc-contact-name").fill("김하나");
  await id("wc-contact-submit").click();
  await id("wc-qr-0").waitFor();
  await id("wc-input").fill("비밀");
  await page.evaluate(() => void window.wc.setUserKey("lee"));
  await id("wc-contact-name").waitFor();
  assert.equal(await id("wc-contact-name").inputValue(), "");
  await id("wc-contact-name").fill("이둘");
  await id("wc-contact-submit").click();
  await id("wc-qr-0").waitFor();
  assert.equal(await id("wc-input").inputValue(), "");
  assert.deepEqual(frames("start").map((frame) => frame.params.name), ["김하나", "이둘"]);
});

test("who comes without a userKey after a person has logged out begins anew", async () => {
  const { page, id } = await site({ body: (host) => snippet(host, "function(init){window.wc=init({userKey:localStorage.user})}") });
  const again = async (change) => {
    await page.evaluate(change);
    await page.reload();
    await page.waitForFunction(() => window.wc?.ready.then(() => true));
    await page.evaluate(() => window.wc.setOpen(true));
  };
  const says = async (text) => {
    await id("wc-input").fill(text);
    await id("wc-send").click();
    await page.getByText(`"${text}"라고`).waitFor();
    await kept(page);
  };
  await again(() => localStorage.setItem("user", "kim"));
  await id("wc-start").click();
  await id("wc-qr-0").waitFor();
  await says("비밀");
  await again(() => localStorage.removeItem("user"));
  assert.equal(await id("wc-start").innerText(), "대화 시작");
  await id("wc-start").click();
  await id("wc-qr-0").waitFor();
  assert.equal(await page.getByText("비밀").count(), 0);
  const anonymous = await page.evaluate(() => window.wc.userKey);
  assert.match(anonymous, /^anon_/);
  await says("이름 없이");
  await again(() => undefined);
  await page.getByText('"이름 없이"라고').waitFor();
  assert.equal(await page.evaluate(() => window.wc.userKey), anonymous);
  // In one page too.
  await page.evaluate(() => window.wc.setUserKey("kim"));
  await page.getByText('"비밀"라고').waitFor();
  await page.evaluate(() => window.wc.setUserKey(""));
  await id("wc-qr-0").waitFor();
  assert.equal(await page.getByText("비밀").count(), 0);
  assert.match(await page.evaluate(() => window.wc.userKey), /^anon_/);
});

test("a listener of the page that throws stops neither the widget nor the other listeners", async () => {
  const { page, id } = await site();
  await page.waitForFunction(() => window.wc?.ready.then(() => true));
  await page.evaluate(() => {
    window.heard = [];
    for (const name of ["open", "message"]) {
      window.wc.on(name, () => { throw Error("of the page"); });
      window.wc.on(name, () => window.heard.push(name));
    }
  });
  await id("wc-launcher").click();
  await id("wc-start").click();
  await id("wc-qr-0").waitFor();
  assert.deepEqual((await page.evaluate(() => window.heard)).slice(0, 2), ["open", "message"]);
  assert.deepEqual(new Set(page.errors), new Set(["of the page"]));
});

test("an identity goes with its person: another one comes in without it", async () => {
  for (const name of ["identity", "userHash"]) {
    const { page, id } = await site({ body: (host) => snippet(host, `function(init){window.wc=init({userKey:'kim',${name}:'of.kim.alone'})}`) });
    const asked = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/sessions"));
    await page.waitForFunction(() => window.wc?.ready.then(() => true));
    await page.evaluate(() => window.wc.setUserKey("lee"));
    await id("wc-launcher").click();
    await id("wc-start").click();
    const { userKey, identity } = (await asked).postDataJSON();
    assert.deepEqual([userKey, identity], ["lee", undefined]);
    await id("wc-qr-0").waitFor();
  }
});

test("a page that says again who is here takes nothing from them", async () => {
  const made = await chat({ body: KIM });
  const { page, id, frames, say, connected } = made;
  await connected();
  await say("하나");
  await page.getByText('"하나"라고').waitFor();
  await id("wc-input").fill("쓰다 만 말");
  const before = [made.sessions(), frames.filter(({ type }) => type === "sync").length];
  await page.evaluate(() => window.wc.setUserKey("kim"));
  assert.equal(await id("wc-input").inputValue(), "쓰다 만 말");
  assert.equal(await page.getByText('"하나"라고').count(), 1);
  await say("둘");
  await page.getByText('"둘"라고').waitFor();
  assert.deepEqual([made.sessions(), frames.filter(({ type }) => type === "sync").length], before);
});

test("a widget that is destroyed while its window loads leaves nothing in the page", async () => {
  const { page, id } = await site();
  let release;
  await page.route(/\/webchat\/app\.\w+\.js/, async (route) => (await new Promise((resolve) => (release = resolve)), route.continue()));
  const words = page.waitForResponse(/\/webchat\/ko\.\w+\.json$/);
  await id("wc-launcher").hover();
  await (await words).finished();
  await eventually(() => !!release, true);
  await page.evaluate(() => window.wc.destroy());
  await eventually(() => id("wc-launcher").count(), 0);
  const loaded = page.evaluate(() => new Promise((done) => document.querySelector('script[src*="/webchat/app."]').addEventListener("load", () => setTimeout(done))));
  release();
  await loaded;
  assert.equal(await page.locator(".closer_webchat_chat_wrapper").count(), 0);
  assert.deepEqual(page.errors, []);
});

test("where storage is blocked the chat works, and the settings say so", async () => {
  const blocked = "for(const name of ['localStorage','sessionStorage','indexedDB'])Object.defineProperty(window,name,{get(){throw new DOMException('no','SecurityError')}});";
  const { page, id } = await site({ body: before(blocked), config: { contactForm: { required: true, fields: ["name"], consent: "" } } });
  await id("wc-launcher").click();
  await id("wc-start").click();
  await id("wc-contact-name").fill("김하나");
  await id("wc-contact-submit").click();
  await id("wc-qr-0").waitFor();
  await id("wc-back").click();
  await id("wc-start").click();
  await id("wc-input").waitFor();
  await id("wc-menu").click();
  assert.equal(await id("wc-unstored").innerText(), "이 브라우저는 대화를 저장하지 않아요.");
  assert.deepEqual(page.errors, []);
});

test("the window's script comes when the pointer comes near", async () => {
  const { page, id } = await site();
  const script = page.waitForRequest(/\/webchat\/app\.\w+\.js/);
  await id("wc-launcher").hover();
  await script;
  assert.equal(await page.evaluate(() => window.wc.isOpen), false);
});

/** The chat itself is audited in seen.test.mjs. */
async function auditAround(colorScheme, locale) {
  const made = await site({ reducedMotion: "reduce", colorScheme, locale, config: { contactForm: { ...FORM, required: false }, hours: { open: false, text: "10:00 ~ 18:00", opensAt: tomorrow(9) }, theme: { greetingReplies: ["배송은요?"] } } });
  const { page, id } = made;
  const found = [];
  const check = async (where) => found.push(...(await audit(made, where)));
  await id("wc-launcher").click();
  await id("wc-start").waitFor();
  await check("welcome");
  await id("wc-start").click();
  await id("wc-contact-submit").click();
  await check("contact");
  await shoot(page, `around-${colorScheme}-contact`);
  await id("wc-contact-skip").click();
  await id("wc-input").fill("상담원 연결");
  await id("wc-send").click();
  await id("wc-elapsed").waitFor();
  await check("waiting");
  await id("wc-menu").click();
  await check("settings");
  await shoot(page, `around-${colorScheme}-settings`);
  await id("wc-erase").click();
  await check("sheet");
  assert.deepEqual(found, []);
}

test("axe finds nothing around the talk, in the light", () => auditAround("light", "ko-KR"));

test("axe finds nothing around the talk, in the dark and in English", () => auditAround("dark", "en-US"));
