/** The generator: the form's values as init options, the preview that is told of them, and the texts to paste. */
import { contrast, parseHex, readableOn } from "./color.js";
import { address, isName, literal, snippet } from "./snippet.js";

const BOT_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const PAPER = { light: "#ffffff", dark: "#1c1f25" };
const SIZE = { desktop: [1000, 760], phone: [390, 720] };
const SETTLED_MS = 250;

const { host } = document.body.dataset;
const $ = (id) => document.getElementById(id);
const [form, tools, kinds, frame, screen] = ["form", "tools", "kinds", "preview", "screen"].map($);
const { say } = window.site;
const field = (name) => form.elements[name];
const text = (name) => field(name).value.trim();
/** A number inside its field's limits; undefined while it is empty or wrong. */
const number = (name) => (field(name).value !== "" && field(name).validity.valid ? Number(field(name).value) : undefined);
const kept = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== "" && value !== false));

function margin() {
  const [x, y] = [number("marginX"), number("marginY")];
  if (x === undefined && y === undefined) return undefined;
  return x === y ? x : [x ?? 24, y ?? 24];
}

function params() {
  const lines = text("params").split("\n").map((line) => /^\s*([^=\s][^=]*?)\s*=(.*)$/.exec(line)).filter(Boolean);
  return lines.length ? Object.fromEntries(lines.map(([, name, value]) => [name, value.trim()])) : undefined;
}

function replies() {
  const filled = [...field("reply")].map((input) => input.value.trim()).filter(Boolean);
  return filled.length ? filled : undefined;
}

/** What the form says, without what is left as it is. */
function chosen() {
  const [width, height] = [number("width"), number("height")];
  const theme = kept({
    title: text("title"),
    description: text("description"),
    greetingMessage: text("greetingMessage"),
    greetingReplies: replies(),
    icon: field("icon").validity.valid ? text("icon") : undefined,
    primaryColor: parseHex(text("primaryColor")),
    primaryContrastTextColor: parseHex(text("primaryContrastTextColor")),
    textColor: parseHex(text("textColor")),
    colorScheme: text("colorScheme"),
    position: text("position"),
    positionStrategy: text("positionStrategy"),
    pageMargin: margin(),
    buttonSize: number("buttonSize"),
    buttonIconSize: number("buttonIconSize"),
    buttonRadius: number("buttonRadius"),
    zIndex: number("zIndex"),
    defaultWindowSize: width === undefined && height === undefined ? undefined : kept({ width, height }),
    enableResize: field("fixedSize").checked ? 0 : undefined,
    skipWelcome: field("skipWelcome").checked,
    hideBrand: field("hideBrand").checked,
  });
  if ("enableResize" in theme) theme.enableResize = false;
  const options = kept({ locale: text("locale"), defaultOpen: field("defaultOpen").checked, params: params() });
  return Object.keys(theme).length ? { ...options, theme } : options;
}

// ---- colours

/** What a colour must be read on, and as what. */
function grounds() {
  const paper = PAPER[text("colorScheme") || "light"];
  return {
    primaryColor: [paper, say("바탕 위의 글자와 링크", "text and links on the window")],
    primaryContrastTextColor: [parseHex(text("primaryColor")) ?? "#0e6b5c", say("대표 색 위의 글자", "text on the main colour")],
    textColor: [paper, say("바탕 위의 글자", "text on the window")],
  };
}

function warn() {
  for (const [name, [ground, as]] of Object.entries(grounds())) {
    const box = form.querySelector(`[data-color="${name}"]`);
    const warning = box.querySelector(".warn");
    const [picker, input] = box.querySelectorAll("input");
    const color = parseHex(text(name));
    input.setAttribute("aria-invalid", String(text(name) !== "" && !color));
    if (color) picker.value = color.toLowerCase();
    if (text(name) !== "" && !color) {
      warning.textContent = say("#rrggbb 모양으로 적어 주세요.", "Write it as #rrggbb.");
    } else if (color && contrast(ground, color) < 4.5) {
      const ratio = Math.floor(contrast(ground, color) * 10) / 10;
      const better = readableOn(ground, color);
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.use = better;
      button.dataset.testid = `gen-use-${name}`;
      const swatch = document.createElement("i");
      swatch.style.background = better;
      button.append(swatch, say(`${better} 쓰기`, `Use ${better}`));
      const told = say(`${as}로는 대비가 ${ratio}:1이라 읽기 어려워요 (4.5 이상 권장). 그 자리에는 위젯이 읽히는 색을 대신 씁니다.`, `As ${as} its contrast is ${ratio}:1, hard to read (4.5 is wanted). The widget takes a readable colour there.`);
      if (warning.dataset.told !== told + better) warning.replaceChildren(told, button);
      warning.dataset.told = told + better;
      continue;
    } else warning.replaceChildren();
    delete warning.dataset.told;
  }
}

// ---- texts to paste

const HINTS = {
  plain: () => say("가장 간단한 모양입니다. 평가(eval)를 쓰지 않아 콘텐츠 보안 정책(CSP)이 있는 페이지에도 됩니다.", "The simplest form. Nothing is evaluated, so it works under a content security policy."),
  name: () => say("제어 객체가 이 이름의 전역 변수에 놓입니다. CLOSER v2 코드와 같습니다.", "The control object is put on the global variable of this name, as with CLOSER's v2."),
  function: () => say("CLOSER가 내주던 v2 코드입니다. 함수의 글을 평가하므로 CSP에 unsafe-eval이 필요합니다.", "The v2 code as CLOSER handed it out. The function's text is evaluated: a CSP must allow unsafe-eval."),
  v1: () => say("예전 v1 코드입니다. 언어는 봇 설정을 따릅니다.", "The older v1 code. The language is the bot settings'."),
  page: () => say("채팅만 있는 페이지의 주소와, 그것을 내 프레임에 넣는 코드입니다. 모양은 봇 설정을 따릅니다.", "The address of a page with the chat alone, and a frame of your own for it. Its looks are the bot settings'."),
};

function write(bot, options) {
  const kind = kinds.elements.kind.value;
  const named = kinds.elements.name;
  const name = isName(named.value) ? named.value : "chat";
  named.setAttribute("aria-invalid", String(!isName(named.value)));
  kinds.querySelector(".name").hidden = kind !== "name";
  const wanted = { host, bot, name, options };
  $("code").textContent = snippet(kind, wanted);
  $("kind-hint").textContent = HINTS[kind]();
  const link = $("link");
  link.parentElement.hidden = kind !== "page";
  link.href = link.textContent = address(wanted);
  $("settings").textContent = literal(kept({ ...options.theme, locale: options.locale }), 2);
}

// ---- preview

let ready = false;
let timer = 0;

function tell() {
  if (!ready) return;
  const { state, scheme } = tools.elements;
  frame.contentWindow.postMessage({ options: chosen(), state: state.value, scheme: scheme.value }, location.origin);
}

function fit() {
  const [width, height] = SIZE[tools.elements.screen.value];
  screen.dataset.screen = tools.elements.screen.value;
  const scale = Math.min(1, (screen.parentElement.clientWidth - 20) / width, Math.max(460, innerHeight - 190) / height);
  Object.assign(frame.style, { width: `${width}px`, height: `${height}px`, transform: scale === 1 ? "" : `scale(${scale})` });
  Object.assign(screen.style, { boxSizing: "content-box", width: `${width * scale}px`, height: `${height * scale}px` });
}

function update() {
  const bot = BOT_ID.test(text("bot")) ? text("bot") : document.body.dataset.bot;
  const options = chosen();
  warn();
  write(bot, options);
  frame.title = say("미리 보기", "Preview");
  $("stage-hint").textContent = tools.elements.state.value === "teaser" && !options.theme?.greetingMessage ? say("버튼 옆 인사말을 적으면 여기에 보입니다.", "Write a greeting, and it shows here.") : "";
  clearTimeout(timer);
  timer = setTimeout(() => {
    const source = `/preview.html?bot=${bot}`;
    if (frame.getAttribute("src") === source) return tell();
    ready = false;
    frame.src = source;
  }, SETTLED_MS);
}

addEventListener("message", ({ data, origin, source }) => {
  if (origin !== location.origin || source !== frame.contentWindow || data !== "ready") return;
  ready = true;
  tell();
});
form.addEventListener("input", ({ target }) => {
  if (target.type === "color") target.nextElementSibling.value = target.value;
  update();
});
form.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-use]");
  if (!button) return;
  const input = button.closest("[data-color]").querySelector("[name]");
  input.value = button.dataset.use;
  input.focus();
  update();
});
for (const each of [form, tools, kinds]) each.addEventListener("submit", (event) => event.preventDefault());
tools.addEventListener("change", () => (fit(), update()));
kinds.addEventListener("input", update);
document.addEventListener("language", update);
new ResizeObserver(fit).observe(screen.parentElement);

field("bot").value = document.body.dataset.bot;
fit();
update();
// The frame may have been faster than this script.
if (frame.contentDocument?.readyState === "complete") frame.contentWindow.location.reload();
