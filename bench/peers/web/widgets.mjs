/**
 * The widgets that are measured, ours first: what a site loads of each, how its documentation embeds it, as little of its
 * server as its window needs to open, and where its launcher, its window and its text field are.
 *
 * `files` are what the browser may load, by path; `counted` says which of them the size of the widget is. A path of selectors
 * goes from one shadow root into the next.
 */
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { FakeServer } from "../../../web/testing/fake-server.mjs";

const here = createRequire(import.meta.url);
const web = createRequire(new URL("../../../web/package.json", import.meta.url));
const TYPES = { js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", html: "text/html; charset=utf-8", txt: "text/plain; charset=utf-8", json: "application/json" };

const installed = (name) => new URL(`node_modules/${name}`, import.meta.url);
async function version(name) {
  try {
    return JSON.parse(await readFile(installed(`${name}/package.json`), "utf8")).version;
  } catch {
    throw Error("its npm package is not installed: `make bench` installs it");
  }
}
const named = async (name, ...files) => Object.fromEntries(await Promise.all(files.map(async (file) => [`/${file.split("/").at(-1)}`, await readFile(installed(`${name}/${file}`))])));

/** A shop's page: text and 60 products, no picture, no script of its own. */
const products = Array.from({ length: 60 }, (_, index) => `<li><h2>노트 ${index + 1}</h2><p>매일 쓰기 좋은 물건입니다. 가볍고 오래갑니다.</p><a href="#${index}">자세히</a></li>`).join("\n");
const page = (snippet) => `<!doctype html><html lang="ko"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,"><title>말길 문구점</title>
<style>body{margin:0;font:16px/1.6 system-ui}main{max-width:960px;margin:40px auto}ul{display:grid;grid-template-columns:repeat(3,1fr);gap:24px;padding:0;list-style:none}</style>
<body><main><h1>말길 문구점</h1><ul>${products}</ul></main>${snippet}</body></html>`;

const json = (response, value) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));

async function ours() {
  const dist = new URL("../../../web/dist/", import.meta.url);
  const built = await readdir(new URL("webchat/", dist)).catch(() => { throw Error("the widget is not built: `make web` builds it"); });
  const names = ["webchat.js", ...built.map((name) => `webchat/${name}`)];
  const files = Object.fromEntries(await Promise.all(names.map(async (name) => [`/${name}`, await readFile(new URL(name, dist))])));
  return {
    files,
    async answer(request, response, site) {
      if (!request.url.startsWith("/webchat/v1/bots/")) return site.talk(request, response);
      json(response, { botId: "demo", enabled: true, title: "말길 문구점", description: "무엇이든 물어보세요.", theme: {}, uploads: true });
    },
    snippet: "<script>(function(c,l,o,s,e,r){c[e]=c[e]||{};r=l.createElement('script');s&&(o+='?botId='+s);e&&(o+=('&bind='+e));r.src=o;r.async=1;l.head.appendChild(r);})(window,document,'/webchat.js','demo','wc')</script>",
    launcher: [".closer_webchat_button_wrapper", "[data-testid=wc-launcher]"],
    window: [".closer_webchat_chat_wrapper", "[data-testid=wc-window]"],
    start: [".closer_webchat_chat_wrapper", "[data-testid=wc-start]"],
    field: [".closer_webchat_chat_wrapper", "[data-testid=wc-input]"],
  };
}

async function typebot() {
  const name = "@typebot.io/js";
  return {
    label: `${name} ${await version(name)}`,
    counted: "dist/web.js, CSS in it",
    files: await named(name, "dist/web.js"),
    snippet: `<script type="module">import Typebot from "/web.js"; Typebot.initBubble({ typebot: "demo", apiHost: location.origin });</script>`,
    async answer(request, response) {
      if (!request.url.endsWith("/startChat")) return json(response, {});
      const text = { id: "b1", type: "text", content: { type: "richText", richText: [{ type: "p", children: [{ text: "안녕하세요!" }] }] } };
      json(response, {
        sessionId: "s1",
        resultId: "r1",
        typebot: { id: "demo", version: "6.1", theme: {}, settings: { typingEmulation: { enabled: false } } },
        messages: [text],
        input: { id: "i1", type: "text input", options: {} },
      });
    },
    launcher: ["typebot-bubble", "button"],
    window: ["typebot-bubble", "typebot-bubble, [part~=bot]"],
    field: ["typebot-bubble", "[part~=bot] input, [part~=bot] textarea"],
  };
}

async function botpress() {
  const name = "@botpress/webchat";
  const label = `${name} ${await version(name)}`;
  const { build } = web("esbuild");
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("botpress.jsx", import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    jsx: "automatic",
    target: ["es2022"],
    legalComments: "none",
    outdir: "/",
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "silent",
  });
  return {
    label,
    counted: "bundled with React, and its CSS",
    files: Object.fromEntries(outputFiles.map(({ path, contents }) => [`/${path.split("/").at(-1)}`, Buffer.from(contents)])),
    snippet: `<link rel="stylesheet" href="/botpress.css"><script type="module" src="/botpress.js"></script>`,
    async answer(request, response) {
      if (!/\/(?:initialize|listen)\b/.test(request.url)) return json(response, { conversations: [], event: { payload: { data: {} } } });
      response.writeHead(200, { "content-type": "text/event-stream" });
      const data = { conversation: { id: "c1" }, messages: [], participants: [], user: { id: "u1", userKey: "k1" } };
      response.write(`data: ${JSON.stringify({ type: "init", data })}\n\n`);
    },
    launcher: [".bpFabContainer"],
    window: [".bpContainer"],
    field: [".bpContainer textarea"],
  };
}

async function rasa() {
  const name = "rasa-webchat";
  return {
    label: `${name} ${await version(name)}`,
    counted: "lib/index.js, React and CSS in it",
    files: await named(name, "lib/index.js"),
    snippet: `<script>!(function () { let e = document.createElement("script"), t = document.head || document.getElementsByTagName("head")[0]; (e.src = "/index.js"), (e.async = !0), (e.onload = () => { window.WebChat.default({ customData: { language: "ko" }, socketUrl: location.origin }, null); }), t.insertBefore(e, t.firstChild); })();</script>`,
    async answer(request, response) {
      response.writeHead(404).end();
    },
    attach(http) {
      const { Server } = here("socket.io");
      new Server(http).on("connection", (socket) => socket.on("session_request", () => socket.emit("session_confirm", { session_id: socket.id })));
    },
    launcher: [".rw-launcher"],
    window: [".rw-conversation-container"],
    field: [".rw-new-message"],
  };
}

async function none() {
  return { label: "the page without a chat", files: {}, snippet: "", async answer(request, response) { response.writeHead(404).end(); } };
}

export const WIDGETS = { ours, none, typebot, botpress, rasa };

export const gzipped = (body) => gzipSync(body, { level: 9 });

/** Serves the page and the files of a widget, gzip as any host would (ours as its build made it), and what its window asks for. */
export class Site extends FakeServer {
  constructor(widget) {
    super({ bot: () => ({ messages: [{ type: "text", text: "안녕하세요! 무엇을 도와드릴까요?" }], keyboard: null }) });
    this.widget = widget;
    const all = { ...widget.files, "/": Buffer.from(page(widget.snippet)) };
    this.zipped = Object.fromEntries(Object.entries(all).map(([path, body]) => [path, all[`${path}.gz`] ?? gzipped(body)]));
  }

  async listen() {
    await super.listen();
    if (this.widget.attach) {
      this.http.removeAllListeners("upgrade");
      this.widget.attach(this.http);
    }
    return this;
  }

  /** Sessions and what is said, as the web channel answers them. */
  talk(request, response) {
    return super.answer(request, response);
  }

  async answer(request, response) {
    const { pathname } = new URL(request.url, this.host);
    const body = this.zipped[pathname];
    if (!body) return this.widget.answer(request, response, this);
    const type = TYPES[pathname === "/" ? "html" : pathname.split(".").at(-1)];
    response.writeHead(200, { "content-type": type, "content-encoding": "gzip", "content-length": body.length, "cache-control": "no-cache" }).end(body);
  }
}
