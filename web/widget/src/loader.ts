import type { BotConfig } from "@malgil/protocol";
import { parseHex, textOn } from "./color";
import css from "./launcher.css";
import type { App, InitOptions, MountApp, Shell, State, Theme, ViewName } from "./shell";

/** The small script that pages embed: the launcher, the script API, and the app on the first use. */

const KO = { open: "채팅 열기", close: "채팅 닫기", unread: (n: number) => `, 읽지 않은 메시지 ${n}개`, dismiss: "닫기" };
const EN: typeof KO = { open: "Open chat", close: "Close chat", unread: (n) => `, ${n} unread`, dismiss: "Dismiss" };
const TEASER_AFTER = 3_000;
const TEASER_AGAIN = 30 * 86_400_000;
const FRESH = 300_000;
const NAME = /^[\w$]+$/;

const script = document.currentScript as HTMLScriptElement;
const source = script.getAttribute("src") ?? "";
const host = script.src.replace(/\/(?:js\/webchat\.min|webchat)\.js.*$/s, "");
const attribute = (name: string): string | null => script.getAttribute(name);
const page = script.hasAttribute("data-page");

const kept = {
  get(key: string): string | null {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key: string, value: string): void {
    try {
      localStorage.setItem(key, value);
    } catch {
      // Storage is blocked: everything works in memory.
    }
  },
};

function load<T>(file: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const tag = document.createElement("script") as HTMLScriptElement & { malgil?: (given: T) => void };
    tag.src = `${host}/${file}`;
    tag.malgil = resolve;
    tag.onerror = () => (tag.remove(), reject(Error(`${file}: not loaded`)));
    if (script.nonce) tag.nonce = script.nonce;
    document.head.append(tag);
  });
}

function element(tag: string, attributes: Record<string, string>, parent?: Node): HTMLElement {
  const made = document.createElement(tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]!);
  parent?.appendChild(made);
  return made;
}

function create(botId: string, options: InitOptions): Record<string, unknown> {
  const key = `wc:${botId}`;
  const words = (options.locale && options.locale !== "auto" ? options.locale : navigator.language).startsWith("en") ? EN : KO;
  const listeners: Record<string, Set<(detail: unknown) => void>> = {};
  let config: BotConfig | null = null;
  let app: App | null = null;
  let loading: Promise<App> | null = null;
  let button: HTMLElement | null = null;
  let wrapper: HTMLElement | null = null;
  let gone = false;
  let known!: () => void;
  const ready = new Promise<void>((resolve) => (known = resolve));

  const state: State = {
    isOpen: false,
    isEnabled: options.enable !== false,
    unread: 0,
    userKey: options.userKey ?? "",
    params: { ...options.params },
    theme: { ...options.theme },
    view: { current: "welcome", stack: ["welcome"] },
  };
  const emit = (event: string, detail?: unknown): void => listeners[event]?.forEach((listener) => listener(detail));

  const shell: Shell = {
    host, botId, config: null as never, options, state, page, emit, paint, setOpen, load,
    focusLauncher: () => button?.focus(),
  };

  function settle(found: BotConfig): void {
    config = shell.config = found;
    state.theme = { title: found.title, description: found.description, ...found.theme, ...options.theme } as Theme;
    paint();
    app?.repaint();
  }

  function paint(): void {
    if (page || gone) return;
    const shown = config?.enabled && state.isEnabled;
    if (!shown) {
      wrapper?.remove();
      wrapper = button = null;
      return;
    }
    const { theme } = state;
    if (!wrapper) {
      wrapper = element("div", { class: "closer_webchat_button_wrapper" });
      const root = wrapper.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      root.adoptedStyleSheets = [sheet];
      button = element("button", { type: "button", part: "launcher", "data-testid": "wc-launcher" }, root);
      button.onclick = () => setOpen(!state.isOpen);
      document.body.append(wrapper);
      if (theme.greetingMessage) setTimeout(tease, TEASER_AFTER, root);
    }
    const primary = parseHex(theme.primaryColor) ?? "#0E6B5C";
    const [x, y] = [theme.pageMargin ?? 24].flat() as number[];
    const size = Math.min(96, Math.max(44, Number(theme.buttonSize) || 60));
    const { style, classList } = wrapper;
    const put = (name: string, value: unknown): void => style.setProperty(`--wc-${name}`, String(value));
    put("primary", primary);
    put("contrast", textOn(primary, parseHex(theme.primaryContrastTextColor)));
    put("margin-x", `${Number(x) || 0}px`);
    put("margin-y", `${Number(y ?? x) || 0}px`);
    put("z", Number(theme.zIndex) || 10000);
    put("size", `${size}px`);
    put("icon", Math.min(100, Math.max(10, Number(theme.buttonIconSize) || 50)) / 100);
    put("radius", `${theme.buttonRadius ?? 50}%`);
    put("strategy", theme.positionStrategy === "absolute" ? "absolute" : "fixed");
    const position = String(theme.position);
    classList.toggle("wc-left", position.endsWith("left"));
    classList.toggle("wc-top", position.startsWith("top"));
    classList.toggle("wc-open", state.isOpen);
    button!.setAttribute("aria-expanded", String(state.isOpen));
    button!.setAttribute("aria-label", state.isOpen ? words.close : words.open + (state.unread ? words.unread(state.unread) : ""));
    const icon = !state.isOpen && /^https:\/\/|^data:image\//.test(theme.icon ?? "") ? theme.icon : "";
    button!.classList.toggle("bare", !!icon && Number(theme.buttonIconSize) >= 100);
    if (icon) {
      const image = element("img", { alt: "" }) as HTMLImageElement;
      image.src = icon;
      button!.replaceChildren(image);
    } else {
      const ns = "http://www.w3.org/2000/svg";
      const svg = document.createElementNS(ns, "svg");
      svg.setAttribute("viewBox", "0 0 24 24");
      svg.appendChild(document.createElementNS(ns, "path")).setAttribute("d", state.isOpen ? "m5 9 7 7 7-7" : "M4 5h16v11H10l-5 4v-4H4Zm4 4h8m-8 3h5");
      button!.replaceChildren(svg);
    }
    if (state.unread) element("span", { "data-testid": "wc-badge", "aria-hidden": "true" }, button!).textContent = state.unread > 9 ? "9+" : `${state.unread}`;
  }

  function tease(root: ShadowRoot): void {
    const seen = `${key}:teaser`;
    if (state.isOpen || app || Date.now() - Number(kept.get(seen)) < TEASER_AGAIN) return;
    const card = element("div", { class: "teaser", part: "teaser", "data-testid": "wc-teaser" }, root);
    element("p", {}, card).textContent = state.theme.greetingMessage!.slice(0, 100);
    const close = element("button", { type: "button", "aria-label": words.dismiss, "data-testid": "wc-teaser-close" }, card);
    close.textContent = "×";
    close.onclick = (event) => {
      event.stopPropagation();
      kept.set(seen, `${Date.now()}`);
      card.remove();
    };
    card.onclick = () => setOpen(true);
    listeners.open = (listeners.open ?? new Set()).add(() => card.remove());
  }

  function need(): Promise<App> {
    return (loading ??= ready.then(() => {
      if (!config?.enabled || gone) throw Object.assign(Error("the chat is off"), { code: "not_found" });
      button?.classList.add("busy");
      return load<MountApp>(APP_FILE);
    }).then((mount) => {
      button?.classList.remove("busy");
      return (app = mount(shell));
    }).catch((error) => {
      loading = null;
      button?.classList.remove("busy");
      throw error;
    }));
  }

  function setOpen(open: boolean): void {
    if (state.isOpen === open || (open && gone)) return;
    state.isOpen = open;
    paint();
    emit(open ? "open" : "close");
    if (app) app.setOpen(open);
    else if (open) {
      need().then(() => app!.setOpen(state.isOpen)).catch((error) => {
        state.isOpen = false;
        paint();
        emit("error", error);
      });
    }
  }

  const call = (name: keyof App) => (...given: unknown[]): Promise<void> => need().then((it) => (it[name] as (...given: unknown[]) => Promise<void>)(...given));
  const setEnabled = (enabled: boolean): void => {
    state.isEnabled = enabled;
    if (!enabled) setOpen(false);
    paint();
  };
  const setParams = (params: State["params"]): Promise<void> => {
    state.params = { ...state.params, ...params };
    return app ? app.setParams(params) : Promise.resolve();
  };
  const methods = {
    setOpen, setEnabled, setParams,
    setEnable: setEnabled,
    setUserKey(userKey: string, identity?: string): Promise<void> {
      state.userKey = options.userKey = userKey;
      if (identity) options.identity = identity;
      return app ? app.setUserKey(userKey, identity) : Promise.resolve();
    },
    setTheme(theme: Theme): void {
      options.theme = { ...options.theme, ...theme };
      state.theme = { ...state.theme, ...theme };
      paint();
      app?.repaint();
    },
    changeView(view: ViewName | "back", how?: string): void {
      need().then((it) => it.changeView(view, how)).catch((error) => emit("error", error));
    },
    startConversation: call("startConversation"),
    changeNavigation: call("changeNavigation"),
    sendMessage: call("sendMessage"),
    sendTypingEvent: call("sendTypingEvent"),
    on(event: string, listener: (detail: unknown) => void): () => void {
      (listeners[event] ??= new Set()).add(listener);
      return () => void listeners[event]!.delete(listener);
    },
    destroy(): void {
      setOpen(false);
      gone = true;
      app?.destroy();
      wrapper?.remove();
    },
    openChatWindow: () => setOpen(true),
    closeChatWindow: () => setOpen(false),
    showChatButton: () => setEnabled(true),
    hideChatButton: () => setEnabled(false),
    updateParams: setParams,
  };
  const control: Record<string, unknown> = { ready, ...methods };
  for (const name of ["isOpen", "isEnabled", "unread", "userKey", "params", "theme", "view"] as const) {
    Object.defineProperty(control, name, { get: () => state[name], enumerable: true });
  }

  const cached = kept.get(`${key}:config`);
  let at = 0;
  if (cached) {
    try {
      const stored = JSON.parse(cached) as { at: number; config: BotConfig };
      at = stored.at;
      settle(stored.config);
    } catch {
      at = 0;
    }
  }
  const fetched = Date.now() - at < FRESH ? Promise.resolve() : fetch(`${host}/webchat/v1/bots/${encodeURIComponent(botId)}`).then(async (response) => {
    const found: BotConfig = response.ok ? await response.json() : { botId, enabled: false };
    if (response.ok || response.status === 404) {
      kept.set(`${key}:config`, JSON.stringify({ at: response.ok ? Date.now() : 0, config: found }));
      settle(found);
    }
    if (!response.ok) console.warn(`webchat: bot ${botId} is not shown here (HTTP ${response.status}): is it on, and is this site allowed?`);
  }).catch(() => console.warn(`webchat: ${host} does not answer, or does not allow this site`));
  const shown = cached ? Promise.resolve() : fetched;
  void shown.then(() => {
    known();
    let open: string | null = null;
    try {
      open = sessionStorage.getItem(`${key}:open`);
    } catch {
      // Storage is blocked.
    }
    if (page || (open ?? String(!!options.defaultOpen)) === "true") {
      if (config?.enabled && state.isEnabled) setOpen(true);
      else if (page) document.body.textContent = words === EN ? "This chat is not available." : "현재 이용할 수 없는 채팅입니다.";
    }
  });
  return control;
}

// ---- how the page asks for it

/** data-first-name and data-first_name are both firstName. */
function dataParams(): Record<string, string> {
  const params: Record<string, string> = {};
  for (const { name, value } of Array.from(script.attributes)) {
    if (!name.startsWith("data-")) continue;
    const camel = name.slice(5).replace(/[-_]+(.)/g, (_, letter: string) => letter.toUpperCase());
    if (camel !== "bot" && camel !== "bind" && camel.toLowerCase() !== "botid") params[camel] = value;
  }
  return params;
}

/** init() gives the control, and can be waited for as well. */
function initializer(botId: string, base: InitOptions): (options?: InitOptions) => unknown {
  return (options) => {
    const control = create(botId, { ...base, ...options, params: { ...base.params, ...options?.params } });
    const promise = (control.ready as Promise<void>).then(() => control);
    return Object.defineProperties(promise, Object.getOwnPropertyDescriptors(control));
  };
}

function fromSource(text: string): unknown {
  const evaluate = eval;
  for (const wrapped of [`(${text})`, `(function ${text})`]) {
    try {
      return evaluate(wrapped);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}

function begin(): void {
  const names = window as unknown as Record<string, unknown>;
  const query = /[?&]botId=([^&#]*)/i.exec(source)?.[1];
  const inPath = page ? /\/webchat\/(?:v2\/)?([^/]+)/.exec(location.pathname)?.[1] : undefined;
  const botId = decodeURIComponent(query ?? inPath ?? attribute("botid") ?? attribute("data-botid") ?? attribute("data-bot-id") ?? "");
  if (!botId) return console.warn("webchat: the snippet names no botId");

  if (page) {
    const params: Record<string, string> = {};
    const reserved: Record<string, string> = {};
    new URLSearchParams(location.search).forEach((value, name) => {
      (["userKey", "sessionId", "restart", "locale"].includes(name) ? reserved : params)[name] = value;
    });
    const { userKey, locale } = reserved;
    return void create(botId, { params, ...(userKey ? { userKey } : {}), ...(locale ? { locale } : {}) });
  }
  if (/webchat\.min\.js/.test(source) || attribute("callback")) {
    const init = initializer(botId, { params: dataParams() });
    const control = init();
    const callback = names[attribute("callback") ?? ""];
    if (typeof callback === "function") callback.call(control, control);
    return;
  }

  const init = initializer(botId, {});
  // Our own snippet hangs the function on the element: nothing is evaluated.
  const given = (script as unknown as { onLoad?: unknown }).onLoad;
  if (typeof given === "function") return void given(init);
  const bind = attribute("data-bind") ?? /[?&]bind=([^]*)$/.exec(source)?.[1];
  if (!bind || bind === "undefined") return void init();
  const name = bind.split("&")[0]!;
  if (NAME.test(name)) {
    const there = names[name];
    if (typeof there === "function") return void there(init);
    const control = init() as object;
    if (there && typeof there === "object") Object.defineProperties(there, Object.getOwnPropertyDescriptors(control));
    else names[name] = control;
    return;
  }
  let callback = fromSource(bind);
  if (typeof callback !== "function") {
    try {
      callback = fromSource(decodeURIComponent(bind));
    } catch {
      // Not encoded.
    }
  }
  if (typeof callback === "function") callback(init);
  else init();
}

if (document.body) begin();
else document.addEventListener("DOMContentLoaded", begin);
