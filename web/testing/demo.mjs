/** npm run demo: the built widget in a page, with a small bot behind it. */
import { fileURLToPath } from "node:url";
import { FakeServer } from "./fake-server.mjs";

export const root = fileURLToPath(new URL("../dist", import.meta.url));

export function snippet(host, bind = "undefined", botId = "demo") {
  return `<script>(function(c,l,o,s,e,r){c[e]=c[e]||{};r=l.createElement('script');s&&(o+='?botId='+s);e&&(o+=('&bind='+e));r.src=o;r.async=1;l.head.appendChild(r);})(window,document,'${host}/webchat.js','${botId}',${bind})</script>`;
}

export const page = (body) => `<!doctype html><html lang="ko"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Shop</title>
<style>body{margin:0;font:16px/1.6 system-ui;background:#fbfaf7;color:#222}main{max-width:640px;margin:60px auto;padding:0 20px}button{background:red!important;text-transform:uppercase}</style>
<main><h1>말길 문구점</h1><p>오늘의 추천 문구를 만나 보세요.</p></main>${body}</html>`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await new FakeServer({ root, config: { theme: { greetingMessage: "궁금한 점이 있으신가요?" } } }).listen(Number(process.env.PORT ?? 8123));
  server.pages["/"] = page(snippet(server.host, "'wc'"));
  console.log(`${server.host}/ and ${server.host}/webchat/demo`);
}
