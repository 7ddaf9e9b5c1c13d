/** Messages in the window: how they arrive, what they show, and what one can do with them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chat, eventually, from, kept, site } from "./site.mjs";

const texts = (page, who) => from(page, who).locator(".mv-text").allInnerTexts();
const focused = (page) => page.evaluate(() => document.activeElement.shadowRoot.activeElement?.dataset.testid ?? "");
/** When which of these texts came into the window, in ms. */
const watch = (page) =>
  page.evaluate(() => {
    window.came = [];
    const list = document.querySelector(".closer_webchat_chat_wrapper").shadowRoot.querySelector('[data-testid="wc-timeline"]');
    new MutationObserver((all) => {
      for (const { addedNodes } of all) for (const node of addedNodes) if (node.dataset?.from === "bot") window.came.push([node.innerText.trim().slice(0, 6), performance.now(), !!list.getRootNode().querySelector('[data-testid="wc-qr-0"]')]);
    }).observe(list, { childList: true });
  });
const scrollTo = (page, top) => page.id("wc-timeline").evaluate((it, top) => new Promise((done) => ((it.onscroll = () => requestAnimationFrame(done)), (it.scrollTop = top))), top);
/** Files as the person has them, dropped on the window. */
const drop = (page, files) =>
  page.evaluate(async (files) => {
    const made = await Promise.all(
      files.map(async ({ name, type, bytes, photo }) => {
        let parts = [new Uint8Array(bytes ?? 0)];
        if (photo) {
          const canvas = document.createElement("canvas");
          canvas.width = canvas.height = photo;
          const context = canvas.getContext("2d");
          const noise = context.createImageData(photo, photo);
          for (let at = 0; at < noise.data.length; at += 65_536) crypto.getRandomValues(noise.data.subarray(at, at + 65_536));
          for (let at = 3; at < noise.data.length; at += 4) noise.data[at] = 255;
          context.putImageData(noise, 0, 0);
          parts = [await new Promise((done) => canvas.toBlob(done, type))];
        }
        return new File(parts, name, { type });
      }),
    );
    const data = new DataTransfer();
    for (const file of made) data.items.add(file);
    const main = document.querySelector(".closer_webchat_chat_wrapper").shadowRoot.querySelector("main");
    for (const name of ["dragover", "drop"]) main.dispatchEvent(new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true }));
    return made.map((file) => file.size);
  }, files);

test("messages of a turn appear one after the other, and the keyboard after the last", async () => {
  const { page, id, say } = await chat();
  await watch(page);
  await say("여러 말");
  await page.getByText("여러 말 셋").waitFor();
  await id("wc-qr-0").waitFor();
  const came = await page.evaluate(() => window.came);
  assert.deepEqual(came.map(([said]) => said), ["여러 말 하", "여러 말 둘", "여러 말 셋"]);
  assert.ok(came[1][1] - came[0][1] > 200 && came[2][1] - came[1][1] > 200, JSON.stringify(came));
  assert.deepEqual(came.slice(0, 2).map(([, , keyboard]) => keyboard), [false, false]);
});

test("what the person says meanwhile shows everything at once, in its order", async () => {
  const { page, id, say } = await chat();
  await watch(page);
  await say("여러 말");
  await page.getByText("여러 말 하나").waitFor();
  await say("급해요");
  await page.getByText('"급해요"라고').waitFor();
  assert.deepEqual((await page.locator("[data-from] .mv-text").allInnerTexts()).slice(1), ["여러 말", "여러 말 하나", "여러 말 둘", "여러 말 셋", "급해요", '"급해요"라고 하셨네요.']);
  const came = await page.evaluate(() => window.came);
  assert.ok(came[2][1] - came[1][1] < 100, JSON.stringify(came));
  assert.equal(await id("wc-thinking").count(), 0);
});

test("nothing waits in another tab, or for who wants no motion", async () => {
  const { page, visit, say } = await chat();
  const two = await visit();
  await two.id("wc-launcher").click();
  await two.id("wc-start").click();
  await two.id("wc-qr-0").waitFor();
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.bringToFront();
  await Promise.all([watch(page), watch(two)]);
  await say("여러 말");
  for (const tab of [page, two]) {
    await tab.getByText("여러 말 셋").waitFor();
    const came = await tab.evaluate(() => window.came);
    assert.equal(came.length, 3);
    assert.ok(came[2][1] - came[0][1] < 200, JSON.stringify(came));
  }
});

test("a reload comes back to where the reader was", async () => {
  const { page, id, say } = await chat();
  for (let n = 0; n < 4; n += 1) {
    await say("긴 글");
    await eventually(() => from(page, "bot").count(), n + 2);
  }
  const list = id("wc-timeline");
  // Of what is in view, from the end: what the composer offers changes the view's height.
  const up = () => list.evaluate((it) => Math.round(it.scrollHeight - it.scrollTop));
  await scrollTo(page, 150);
  const was = await up();
  await kept(page, 9);
  await page.reload();
  await eventually(() => from(page, "bot").count(), 5);
  await eventually(async () => Math.abs((await up()) - was) < 5, true);
});

test("a message below the reader is announced by a pill that leads to it", async () => {
  const { page, id, say, visit } = await chat();
  await say("긴 글");
  await eventually(() => from(page, "bot").count(), 2);
  await say("긴 글");
  await eventually(() => from(page, "bot").count(), 3);
  await scrollTo(page, 100);
  const two = await visit();
  await two.id("wc-launcher").click();
  await two.id("wc-start").click();
  await two.id("wc-input").fill("멀리서");
  await two.id("wc-send").click();
  await two.getByText('"멀리서"라고').waitFor();
  await page.getByRole("button", { name: /개의 새 메시지/ }).click();
  await eventually(() => id("wc-timeline").evaluate((it) => it.scrollHeight - it.scrollTop - it.clientHeight < 2), true);
  await eventually(() => page.getByRole("button", { name: /개의 새 메시지/ }).count(), 0);
});

test("a line says where the reader left off, until they answer", async () => {
  const { page, id, say, visit } = await chat();
  await id("wc-close").click();
  const two = await visit();
  await two.id("wc-launcher").click();
  await two.id("wc-start").click();
  await two.id("wc-input").fill("그동안");
  await two.id("wc-send").click();
  await two.getByText('"그동안"라고').waitFor();
  await two.close();
  // Another device has read nothing here: what counts is what this window showed.
  await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes(":read:")).forEach((key) => localStorage.setItem(key, "1")));
  await eventually(() => id("wc-badge").count(), 1);
  await id("wc-launcher").click();
  await id("wc-unread").waitFor();
  const after = await id("wc-unread").evaluate((it) => it.nextElementSibling.innerText.includes("그동안"));
  assert.equal(after, true);
  await say("안녕");
  await id("wc-unread").waitFor({ state: "detached" });
});

test("a film of another site is loaded when it is pressed, and not before", async () => {
  const { page, say } = await chat();
  const asked = [];
  await page.route(/youtube|ytimg/, (route) => (asked.push(route.request().url()), route.fulfill({ contentType: "text/html", body: "film" })));
  await say("동영상");
  await page.getByText("이용 안내.pdf").waitFor();
  assert.deepEqual(asked, []);
  assert.equal(await page.locator("iframe").count(), 0);
  await page.getByRole("button", { name: "설치 방법" }).click();
  await eventually(() => asked.length, 1);
  assert.equal(asked[0], "https://www.youtube-nocookie.com/embed/aqz-KE-bpKQ?autoplay=1");
  assert.equal(await page.getByRole("link", { name: "설치 방법" }).getAttribute("href"), "https://youtu.be/aqz-KE-bpKQ");
});

test("long text folds, and a picture that is missing leaves its name and a link", async () => {
  const { page, say } = await chat();
  await say("긴 글");
  const more = page.getByRole("button", { name: "더 보기" });
  await more.click();
  assert.equal((await texts(page, "bot")).at(-1).replace(/접기$/, "").trim().length, 27 * 36 - 1);
  await say("깨진 사진");
  const link = page.getByRole("link", { name: "영수증.png" });
  await link.waitFor();
  assert.equal(await link.getAttribute("target"), "_blank");
});

test("a picture opens large, can be saved, and gives the focus back", async () => {
  const { page, id, say } = await chat();
  await say("사진");
  await page.getByRole("button", { name: "매장 사진" }).click();
  const box = id("wc-lightbox");
  await box.locator("img[alt='매장 사진']").waitFor();
  assert.equal(await box.getByRole("link").getAttribute("download"), "매장 사진");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.equal(await box.getByRole("link").evaluate((it) => it.getRootNode().activeElement === it), true);
  await page.keyboard.press("Escape");
  await box.waitFor({ state: "detached" });
  assert.equal(await page.getByRole("button", { name: "매장 사진" }).evaluate((it) => it.getRootNode().activeElement === it), true);
});

test("W-14 pictures that are dropped show in the tray with their progress, and then as messages", async () => {
  const { page, id } = await chat();
  let go;
  const held = new Promise((resolve) => (go = resolve));
  await page.route("**/*", async (route) => {
    if (route.request().method() === "PUT") await held;
    await route.continue();
  });
  const [size] = await drop(page, [
    { name: "영수증.png", type: "image/png", photo: 230 },
    { name: "큰 것.png", type: "image/png", bytes: 11 * 1024 * 1024 },
  ]);
  assert.ok(size > 150_000 && size < 300_000, `${size}`);
  await id("wc-tray-0").getByRole("progressbar").waitFor();
  assert.ok((await id("wc-tray-0").locator("img").getAttribute("src")).startsWith("blob:"));
  await page.getByText("큰 것.png: 10 MB까지").waitFor();
  go();
  const image = from(page, "user").locator("img[alt='영수증.png']");
  await image.waitFor();
  await eventually(() => image.evaluate((it) => it.naturalWidth > 0), true);
  await eventually(() => id("wc-tray-1").count(), 0);
  assert.match(await id("wc-tray-0").innerText(), /큰 것/);
});

test("photos lose where they were taken, and what cannot be sent says what can", async () => {
  const { page, id } = await chat();
  await page.evaluate(async () => {
    window.sent = [];
    const { send } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.send = function (body) {
      window.sent.push(body);
      send.call(this, body);
    };
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 40;
    canvas.getContext("2d").fillRect(0, 0, 20, 20);
    const plain = new Uint8Array(await (await new Promise((done) => canvas.toBlob(done, "image/jpeg"))).arrayBuffer());
    const said = new TextEncoder().encode("Exif\0\0GPS 37.5665,126.9780");
    const exif = [0xff, 0xe1, 0, said.length + 2, ...said];
    const data = new DataTransfer();
    data.items.add(new File([plain.slice(0, 2), new Uint8Array(exif), plain.slice(2)], "여행.jpg", { type: "image/jpeg" }));
    data.items.add(new File(["?"], "고양이.heic", { type: "" }));
    data.items.add(new File(["?"], "문서.pdf", { type: "application/pdf" }));
    const field = document.querySelector(".closer_webchat_chat_wrapper").shadowRoot.querySelector("textarea");
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await from(page, "user").locator("img[alt='여행.jpg']").waitFor();
  for (const name of ["고양이.heic", "문서.pdf"]) await page.getByText(`${name}: JPG, PNG, GIF, WebP, BMP 사진만`).waitFor();
  const sent = await page.evaluate(() => Promise.all(window.sent.map(async (file) => [file.type, (await file.text()).includes("GPS")])));
  assert.deepEqual(sent, [["image/jpeg", false]]);
  await id("wc-tray-0").getByRole("button", { name: /고양이/ }).click();
  await eventually(() => id("wc-tray-1").count(), 0);
});

test("a double press is one, and the pressed button is marked", async () => {
  const { page, say } = await chat();
  await say("배송 조회");
  const button = page.getByRole("button", { name: "다른 주문" });
  await button.dblclick();
  await page.getByText('골랐습니다: orders').waitFor();
  assert.equal(page.sent.filter((frame) => frame.data?.payload === "orders").length, 1);
  assert.equal(await button.locator("svg").count(), 1);
  await page.getByRole("button", { name: "처음으로" }).click();
  await page.getByText("플로우 2입니다.").waitFor();
});

test("quick replies go by arrow keys, and those beyond ten are folded", async () => {
  const { page, id, say } = await chat();
  await id("wc-qr-0").focus();
  for (const key of ["End", "ArrowLeft", "ArrowRight", "ArrowLeft"]) await page.keyboard.press(key);
  assert.equal(await focused(page), "wc-qr-3");
  await page.keyboard.press("Home");
  assert.equal(await focused(page), "wc-qr-0");
  await say("여러 답");
  const rest = page.getByRole("button", { name: "+20 더 보기" });
  await rest.waitFor();
  assert.equal(await page.locator('[data-testid^="wc-qr-"]').count(), 10);
  await rest.click();
  await eventually(() => id("wc-qr-29").count(), 1);
  await id("wc-qr-29").click();
  await page.getByText('"30동네"라고').waitFor();
  assert.equal(await focused(page), "wc-input");
});

test("the arrow up leads from the empty field to the messages, and down again", async () => {
  const { page, id, say } = await chat();
  await say("하나");
  await page.getByText('"하나"라고').waitFor();
  await id("wc-input").focus();
  const last = await from(page, "bot").last().getAttribute("data-testid");
  const mine = await from(page, "user").last().getAttribute("data-testid");
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(page), last);
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(page), mine);
  assert.match(await id(mine).getAttribute("aria-label"), /^나, /);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "wc-input");
});

test("a draft stays in its tab, and is not another person's", async () => {
  const { page, id, visit } = await chat();
  await id("wc-input").fill("쓰다 만");
  await page.reload();
  await eventually(() => id("wc-input").inputValue(), "쓰다 만");
  const two = await visit();
  await two.id("wc-launcher").click();
  await two.id("wc-start").click();
  assert.equal(await two.id("wc-input").inputValue(), "");
  await page.evaluate(() => window.wc.setUserKey("other"));
  await eventually(() => id("wc-input").inputValue(), "");
});

test("a message that failed is sent again under the same name, or removed", async () => {
  const { context, visit } = await site();
  let refuse = true;
  const said = [];
  await context.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const frame = JSON.parse(text);
      said.push(frame);
      if (refuse && frame.type === "message") socket.send(JSON.stringify({ type: "error", code: "forbidden", message: "no", retryable: false, clientId: frame.clientId }));
      else server.send(text);
    });
  });
  const page = await visit();
  const { id } = page;
  await id("wc-launcher").click();
  await id("wc-start").click();
  await id("wc-qr-0").waitFor();
  for (const text of ["첫째", "둘째"]) {
    await id("wc-input").fill(text);
    await id("wc-send").click();
  }
  await eventually(() => page.locator('[data-from="user"][data-status="failed"]').count(), 2);
  const key = await from(page, "user").first().getAttribute("data-testid");
  await page.getByRole("button", { name: "지우기" }).last().click();
  await eventually(() => from(page, "user").count(), 1);
  refuse = false;
  await page.getByRole("button", { name: "다시 보내기" }).click();
  await page.getByText('"첫째"라고').waitFor();
  assert.deepEqual(await texts(page, "user"), ["첫째"]);
  assert.equal(await from(page, "user").getAttribute("data-status"), "sent");
  const named = said.filter((frame) => frame.data?.text === "첫째").map((frame) => frame.clientId);
  assert.deepEqual([named.length, `wc-msg-${named[0]}`, named[1]], [2, key, named[0]]);
});
