/** What people see and reach: axe, narrow screens, zoom, the keyboard alone; with a picture of each main state. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { audit, eventually, from, shoot, site } from "./site.mjs";

const PHONE = { hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const theme = { greetingMessage: "궁금한 점이 있으신가요?" };
async function say(page, text, answer) {
  await page.id("wc-input").fill(text);
  await page.id("wc-input").press("Enter");
  if (await page.id("wc-input").inputValue()) await page.id("wc-send").click(); // On a phone Enter is a line break.
  await from(page, "bot").getByText(answer).last().waitFor();
}

/** Each kind of message and button that a bot has. */
const everything = async (page) => {
  await say(page, "모두", "긴 글입니다.");
  await page.locator('[data-testid^="wc-card-"]').nth(3).waitFor();
};

/** A function for each state of the window that stands still, after the one before. */
const STATES = {
  async welcome({ page, id }) {
    await id("wc-launcher").click();
    await id("wc-start").waitFor();
    await page.evaluate(() => document.fonts.ready);
  },
  async chat({ page, id }) {
    await id("wc-start").click();
    await id("wc-qr-0").waitFor();
    await everything(page);
  },
  async cards({ page }) {
    await say(page, "상품 보기", "인기 상품입니다.");
    await page.locator('[data-testid^="wc-card-"]').nth(6).waitFor();
    await page.id("wc-qr-0").waitFor();
  },
  async emoji({ page, id }) {
    await id("wc-emoji").click();
    await page.locator(".wc-cells button").first().waitFor();
  },
  async number({ page, id }) {
    await page.keyboard.press("Escape");
    await say(page, "별점", "숫자로 알려 주세요");
    await id("wc-input").fill("9");
    await id("wc-send").click();
    await id("wc-problem").waitFor();
  },
  async settings({ id }) {
    await id("wc-menu").click();
    await id("wc-locale-ko").waitFor();
  },
  async restart({ id }) {
    await id("wc-restart").click();
    await id("wc-restart-confirm").waitFor();
  },
  async waiting({ page, id }) {
    await id("wc-restart-confirm").click();
    await id("wc-separator").waitFor();
    await id("wc-qr-0").waitFor();
    await say(page, "상담원 연결", "잠시만 기다려 주세요");
    await id("wc-cancel-call").waitFor();
  },
  async agent({ page, agent }) {
    await agent.says("안녕하세요, 무엇을 도와드릴까요?");
    await from(page, "agent").getByText("무엇을 도와드릴까요?").waitFor();
  },
};

/** What leaves the window at its sides, or is wider than its own box. Cards and quick replies scroll sideways, up to the window's edge. */
const cutOff = (page) => page.evaluate(() => {
  const root = document.querySelector(".closer_webchat_chat_wrapper").shadowRoot.querySelector(".wc-root");
  const box = root.getBoundingClientRect();
  const bad = [];
  if (document.documentElement.scrollWidth > innerWidth) bad.push(`the page is ${document.documentElement.scrollWidth} wide`);
  if (box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight) bad.push(`the window is at ${JSON.stringify(box)}`);
  for (const it of root.querySelectorAll("*")) {
    if (it.closest(".mv-carousel ul, .wc-chips, svg") || !it.checkVisibility()) continue;
    const { left, right, width } = it.getBoundingClientRect();
    if (!width) continue;
    const name = `${it.tagName}.${it.className} ${it.textContent.slice(0, 20)}`;
    if (left < box.left - 1 || right > box.right + 1) bad.push(`${name}: ${left} to ${right}`);
    if (it.clientWidth && it.scrollWidth > it.clientWidth + 1 && !it.querySelector(".mv-carousel ul") && !it.matches(".mv-carousel")) bad.push(`${name}: ${it.scrollWidth} in ${it.clientWidth}`);
  }
  return bad;
});

/** How much of the window is left for what is said. */
const room = (page) => page.id("wc-timeline").evaluate((it) => it.clientHeight);

/** Goes through all states; each is measured and audited, and seen in a picture. */
async function examine(options, name) {
  const made = await site({ reducedMotion: "reduce", config: { theme }, ...options });
  const found = [];
  await made.id("wc-teaser").waitFor();
  await shoot(made.page, `${name}-teaser`);
  found.push(...(await audit(made, "teaser")));
  for (const [state, enter] of Object.entries(STATES)) {
    await enter(made);
    found.push(...(await cutOff(made.page)).map((what) => [state, what]), ...(await audit(made, state)));
    await shoot(made.page, `${name}-${state}`);
  }
  assert.deepEqual(found, []);
  return made;
}

test("W-22 axe finds nothing in any state, and nothing is cut off", async () => {
  const { page, id, line } = await examine({}, "desktop");
  line.down = true;
  line.cut();
  await id("wc-input").fill("들리시나요?");
  await id("wc-send").click();
  await id("wc-conn").waitFor();
  await shoot(page, "desktop-offline");
});

test("W-22 the same in the dark, in English, on a phone of 375 px", async () => {
  await examine({ viewport: { width: 375, height: 667 }, colorScheme: "dark", locale: "en-US", ...PHONE }, "phone-375-dark-english");
});

test("nothing is cut off on a phone of 320 px, also with larger text", async () => {
  const made = await examine({ viewport: { width: 320, height: 568 }, ...PHONE }, "phone-320");
  const { page, id } = made;
  await id("wc-menu").click();
  await page.getByRole("button", { name: "130%" }).click();
  const found = await cutOff(page);
  await shoot(page, "phone-320-large-settings");
  await id("wc-back").click();
  await id("wc-timeline").waitFor();
  found.push(...(await cutOff(page)));
  await shoot(page, "phone-320-large-agent");
  assert.deepEqual(found, []);
  assert.ok((await room(page)) >= 150, `${await room(page)} px`);
});

test("nothing is cut off at a zoom of 200 %, also with larger text", async () => {
  // A window of 1,280 by 800 at twice the size.
  const made = await examine({ viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }, "zoom-200");
  const { page, id } = made;
  await id("wc-menu").click();
  await page.getByRole("button", { name: "130%" }).click();
  await id("wc-back").click();
  await id("wc-timeline").waitFor();
  assert.deepEqual(await cutOff(page), []);
  await shoot(page, "zoom-200-large-agent");
});

/** Where the focus is, and whether it can be seen. */
const focus = (page) => page.evaluate(async () => {
  await new Promise(requestAnimationFrame); // What got the focus has been scrolled to.
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  const { left, right, top, bottom } = at.getBoundingClientRect();
  const style = getComputedStyle(at);
  // Players draw a ring of their own.
  const ring = at instanceof HTMLMediaElement || [at, at.parentElement].some((it) => getComputedStyle(it).outlineStyle !== "none" || getComputedStyle(it).boxShadow !== "none");
  return {
    name: at.dataset?.testid ?? at.getAttribute("aria-label") ?? at.textContent.slice(0, 20),
    inside: at.getRootNode() !== document,
    seen: left >= -1 && top >= -1 && right <= innerWidth + 1 && bottom <= innerHeight + 1 && style.visibility === "visible",
    ring,
  };
});

/** Tab through all there is, once round. */
async function walk(page, key = "Tab") {
  const stops = [];
  for (let step = 0; step < 80; step += 1) {
    await page.keyboard.press(key);
    const stop = await focus(page);
    if (!stop.inside && stops.length) break;
    if (stop.inside) stops.push(stop);
  }
  return stops;
}

const unseen = (stops) => stops.filter((stop) => !stop.seen || !stop.ring).map((stop) => stop.name);

test("everything is reached and used by the keyboard alone", async () => {
  const { page, id, stored } = await site({ reducedMotion: "reduce" });
  await id("wc-launcher").waitFor();
  await page.keyboard.press("Tab");
  assert.equal((await focus(page)).name, "wc-launcher");
  await page.keyboard.press("Enter");
  await id("wc-start").waitFor();
  await eventually(async () => (await focus(page)).name, "wc-start");
  await page.keyboard.press("Enter");
  await id("wc-qr-0").waitFor();
  await eventually(async () => (await focus(page)).name, "wc-input");
  await page.keyboard.type("모두");
  await page.keyboard.press("Enter");
  await from(page, "bot").getByText("긴 글입니다.").last().waitFor();
  await id("wc-qr-0").waitFor();

  await page.evaluate(() => document.activeElement.blur());
  const stops = await walk(page);
  const names = stops.map((stop) => stop.name);
  for (const wanted of ["wc-menu", "wc-close", "wc-timeline", "wc-qr-0", "wc-qr-4", "wc-emoji", "wc-attach", "wc-input", "wc-launcher"]) assert.ok(names.includes(wanted), `${wanted} is not among ${names}`);
  assert.equal(names.filter((name) => /^wc-btn-/.test(name)).length, 3 + 3 * 2 + 2);
  assert.deepEqual(unseen(stops), []);

  await id("wc-qr-0").focus();
  await page.keyboard.press("ArrowRight");
  assert.equal((await focus(page)).name, "wc-qr-1");
  await page.keyboard.press("Enter");
  await page.getByText("인기 상품입니다.").waitFor();
  assert.equal((await focus(page)).name, "wc-input");

  await id("wc-emoji").focus();
  await page.keyboard.press("Enter");
  await page.locator(".wc-cells button").first().waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await eventually(async () => (await focus(page)).name, "wc-input");
  assert.notEqual(await id("wc-input").inputValue(), "");
  await page.keyboard.press("Enter");
  await eventually(async () => (await stored()).filter((it) => it.isUser).length, 3);

  await id("wc-menu").focus();
  await page.keyboard.press("Enter");
  await id("wc-restart").waitFor();
  const settings = await walk(page);
  assert.deepEqual(unseen(settings), []);
  await id("wc-restart").focus();
  await page.keyboard.press("Enter");
  await eventually(async () => (await focus(page)).name, "wc-restart-confirm");
  await page.keyboard.press("Escape");
  await id("wc-restart-confirm").waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await eventually(async () => (await focus(page)).name, "wc-launcher");
});
