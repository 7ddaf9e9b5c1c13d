/** A walk through a bot's full page on a running installation: `node e2e/walk.mjs ADDRESS-OF-THE-PAGE`. The bot has quick replies and answers texts. */
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [, , address] = process.argv;
const wrong = [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

async function visit(context) {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  await page.goto(address);
  return page;
}
const said = (page) => page.locator("[data-from]");
const mine = (page, text) => page.locator('[data-from="user"]').filter({ hasText: text });
const answered = (page, count) => said(page).nth(count - 1).waitFor();

try {
  const context = await browser.newContext({ locale: "ko-KR" });
  const page = await visit(context);
  await page.getByTestId("wc-start").click();
  const reply = page.getByTestId("wc-qr-0");
  const label = await reply.innerText();
  await reply.click();
  await mine(page, label).waitFor();
  await answered(page, 3);

  const other = await visit(context);
  await other.getByTestId("wc-start").click();
  await answered(other, 3);
  await page.getByTestId("wc-input").fill("두 번째 말");
  await page.getByTestId("wc-send").click();
  await answered(page, 5);
  await mine(other, "두 번째 말").waitFor();
  await answered(other, 5);

  const before = await said(page).allInnerTexts();
  await page.reload();
  await answered(page, 5);
  assert.deepEqual(await said(page).allInnerTexts(), before);

  await page.getByTestId("wc-menu").click();
  await page.getByTestId("wc-restart").click();
  await page.getByTestId("wc-restart-confirm").click();
  await page.getByTestId("wc-separator").waitFor();
  await answered(page, 6);
  assert.equal(await page.getByTestId("wc-qr-0").innerText(), label);

  await page.getByTestId("wc-emoji").click();
  await page.getByTestId("wc-palette").waitFor();
  assert.deepEqual(wrong, [], "the page's own policy, or something missing, stood in the way");
} finally {
  await browser.close();
}
