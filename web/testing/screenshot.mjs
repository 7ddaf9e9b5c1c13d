/**
 * The README's picture: the widget open on the demo shop, on a desktop beside a phone. `make run` must be on.
 * `node web/testing/screenshot.mjs [ADDRESS] [FILE]`: the shop's address (else that of `make run`), and the WebP to write.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const [, , address = "http://127.0.0.1:8789/", file = fileURLToPath(new URL("../../docs/images/web-chat.webp", import.meta.url))] = process.argv;
const DESKTOP = { viewport: { width: 1240, height: 810 }, asked: ["상품 보기"] };
const PHONE = { viewport: { width: 390, height: 712 }, isMobile: true, hasTouch: true, asked: ["배송 조회", "20261121-001"] };
const QUALITY = 82;

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--hide-scrollbars"] });

/** A picture of the shop with the chat open, as a data URI. */
async function shop({ asked, ...device }) {
  const context = await browser.newContext({ ...device, locale: "ko-KR", colorScheme: "light", reducedMotion: "reduce", deviceScaleFactor: 2 });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(address);
  await page.getByTestId("wc-launcher").click();
  await page.getByTestId("wc-start").click();
  const said = page.locator('[data-from="bot"]');
  await said.first().waitFor();
  for (const text of asked) {
    const before = await said.count();
    await page.getByTestId("wc-input").fill(text);
    await page.getByTestId("wc-send").click();
    await said.nth(before).waitFor();
  }
  // The last of what moves, and pictures.
  await page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.blur());
  await page.waitForLoadState("networkidle");
  const picture = await page.screenshot();
  await context.close();
  return `data:image/png;base64,${picture.toString("base64")}`;
}

const [desktop, phone] = [await shop(DESKTOP), await shop(PHONE)];
const frame = await browser.newPage({ viewport: { width: 1780, height: 930 } });
await frame.setContent(`<!doctype html><meta charset="utf-8"><style>
body{margin:0;height:100vh;display:flex;gap:48px;align-items:center;justify-content:center;background:linear-gradient(135deg,#e9efe9,#dfe6ea)}
div{box-shadow:0 18px 50px rgb(20 40 50/.22);overflow:hidden;background:#fff}
.desktop{border-radius:14px}.desktop:before{content:"";display:block;height:30px;background:radial-gradient(circle 6px at 22px 15px,#e2685c 98%,#0000),radial-gradient(circle 6px at 42px 15px,#e0b04a 98%,#0000),radial-gradient(circle 6px at 62px 15px,#63b25c 98%,#0000),#eceeee}
.phone{border-radius:44px;border:9px solid #1d2527}
img{display:block}
</style><div class="desktop"><img src="${desktop}" width="${DESKTOP.viewport.width}"></div><div class="phone"><img src="${phone}" width="${PHONE.viewport.width}"></div>`);
await frame.waitForFunction(() => [...document.images].every((image) => image.complete));
const session = await frame.context().newCDPSession(frame);
const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: QUALITY });
await mkdir(dirname(file), { recursive: true });
const picture = Buffer.from(data, "base64");
await writeFile(file, picture);
console.log(`${file}: ${Math.ceil(picture.length / 1024)} KB`);
await browser.close();
