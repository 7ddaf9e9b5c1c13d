import type { BotConfig } from "@malgil/protocol";
import { parseHex, readableOn, textOn } from "./color";
import css from "./launcher.css";
import type { App, Launcher, MakeLauncher, MountApp, Shell, Theme } from "./shell";
import { pieces } from "./teaser";
import type { Words } from "./words";

/** The button in the page, and the app behind it on the first use. */

const KO = { open: "채팅 열기", close: "채팅 닫기", unread: (n: number) => `, 읽지 않은 메시지 ${n}개`, dismiss: "닫기", off: "현재 이용할 수 없는 채팅입니다." };
const EN: typeof KO = { open: "Open chat", close: "Close chat", unread: (n) => `, ${n} unread`, dismiss: "Dismiss", off: "This chat is not available." };
const TEASER_AFTER = 3_000;
const TEASER_AGAIN = 30 * 86_400_000;

/** What the web storage has, null where it has nothing or is blocked. */
function kept<T>(key: string, area: "localStorage" | "sessionStorage" = "localStorage"): T | null {
  try {
    return JSON.parse(window[area].getItem(key)!) as T;
  } catch {
    return null;
  }
}

function keep(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is blocked: everything works in memory.
  }
}

function element(tag: string, attributes: Record<string, string>, parent?: Node): HTMLElement {
  const made = document.createElement(tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]!);
  parent?.appendChild(made);
  return made;
}

const make: MakeLauncher = (loaded) => {
  const { host, botId, options, state, page, emit, load } = loaded;
  const key = `wc:${botId}`;
  let config: BotConfig | null = null;
  let app: App | null = null;
  let loading: Promise<App> | null = null;
  let button: HTMLElement | null = null;
  let wrapper: HTMLElement | null = null;
  let teaser: HTMLElement | null = null;
  let gone = false;
  let used = false;
  let known!: () => void;
  const ready = new Promise<void>((resolve) => (known = resolve));
  const wanted = state.isOpen;
  state.isOpen = false;
  const shell: Shell = Object.assign(loaded, { config: null as never, locale, words, paint, place, setOpen, focusLauncher: () => button?.focus() });

  function locale(): "ko" | "en" {
    const wanted = kept<{ locale?: string }>(`${key}:settings`)?.locale ?? options.locale ?? state.theme.locale ?? config?.locale ?? "auto";
    return (wanted === "auto" ? navigator.language : wanted).startsWith("en") ? "en" : "ko";
  }
  const own = (): typeof KO => (locale() === "en" ? EN : KO);

  /** Whether they are words says whoever reads them. */
  function words(locale: "ko" | "en"): Promise<Words> {
    return fetch(`${host}/${WORDS_FILES[locale]}`).then((found) => found.json());
  }

  function settle(found: BotConfig): void {
    config = shell.config = found;
    state.theme = { title: found.title, description: found.description, ...found.theme, ...options.theme } as Theme;
    paint();
    app?.repaint();
  }

  /** The browser keeps the answer for as long as the server says. */
  function refresh(asked = fetch(`${host}/webchat/v1/bots/${encodeURIComponent(botId)}`)): Promise<void> {
    return asked.then(async (response) => {
      const found: BotConfig = response.ok ? await response.json() : { botId, enabled: false };
      if (response.ok || response.status === 404) {
        keep(`${key}:config`, { config: found });
        settle(found);
      }
      if (!response.ok) throw Error(`HTTP ${response.status}`);
    }).catch((error: Error) => console.warn(`webchat: bot ${botId} is not shown here (${error.message}): is it on, and is this site allowed?`));
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
      // Whoever comes near will find the window loaded.
      button.onpointerenter = button.onfocus = () => void need().catch(() => undefined);
      document.body.append(wrapper);
      if (theme.greetingMessage) setTimeout(tease, TEASER_AFTER, root);
    }
    place(wrapper);
    wrapper.classList.toggle("wc-open", state.isOpen);
    button!.setAttribute("aria-expanded", String(state.isOpen));
    button!.setAttribute("aria-label", state.isOpen ? own().close : own().open + (state.unread ? own().unread(state.unread) : ""));
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

  /** Where the owner wants button and window, as custom properties that the page's own style may override. */
  function place(host: HTMLElement, paper = "#ffffff"): void {
    const { theme } = state;
    const primary = parseHex(theme.primaryColor) ?? "#0e6b5c";
    const ink = parseHex(theme.textColor);
    const [x, y] = [theme.pageMargin ?? 24].flat() as number[];
    const values = {
      "--brand": primary,
      "--on-brand": textOn(primary, parseHex(theme.primaryContrastTextColor)),
      "--brand-text": readableOn(paper, primary),
      "--ink": ink ? readableOn(paper, ink) : "",
      "--wc-margin-x": `${Number(x) || 0}px`,
      "--wc-margin-y": `${Number(y ?? x) || 0}px`,
      "--wc-z": Number(theme.zIndex) || 10000,
      "--wc-button": `${Math.min(96, Math.max(44, Number(theme.buttonSize) || 60))}px`,
      "--wc-icon": Math.min(100, Math.max(10, Number(theme.buttonIconSize) || 50)) / 100,
      "--wc-radius": `${Number(theme.buttonRadius ?? 50)}%`,
      "--wc-strategy": theme.positionStrategy === "absolute" ? "absolute" : "fixed",
    };
    for (const [name, value] of Object.entries(values)) host.style.setProperty(name, String(value));
    const position = String(theme.position);
    host.classList.toggle("wc-left", position.endsWith("left"));
    host.classList.toggle("wc-top", position.startsWith("top"));
  }

  function tease(root: ShadowRoot): void {
    const seen = `${key}:teaser`;
    if (used || Date.now() - (kept<number>(seen) ?? 0) < TEASER_AGAIN) return;
    const card = element("div", { class: "teaser", part: "teaser", "data-testid": "wc-teaser" }, root);
    const text = element("p", {}, card);
    for (const [plain, bold, label, href] of pieces(`${state.theme.greetingMessage}`.slice(0, 300))) {
      text.append(plain);
      if (bold) element("b", {}, text).textContent = bold;
      if (href) element("a", { href, target: "_blank", rel: "noopener noreferrer" }, text).textContent = label!;
    }
    const add = (name: string, said: string, act: () => unknown): HTMLElement => {
      const made = element("button", { type: "button", "data-testid": `wc-teaser-${name}` }, card);
      made.textContent = said;
      made.onclick = act;
      return made;
    };
    add("close", "×", () => {
      keep(seen, Date.now());
      card.remove();
    }).setAttribute("aria-label", own().dismiss);
    state.theme.greetingReplies?.slice(0, 3).forEach((reply, index) => add(`reply-${index}`, reply, () => {
      setOpen(true);
      need().then((it) => it.ask(reply)).catch((error) => emit("error", error));
    }));
    card.onclick = ({ target }) => (target as Element).closest("a, button") || setOpen(true);
    teaser = card;
  }

  function need(): Promise<App> {
    const check = (): void => {
      if (!config?.enabled || gone) throw Object.assign(Error("the chat is off"), { code: "not_found" });
    };
    return (loading ??= ready.then(() => {
      check();
      return Promise.all([load<MountApp>(APP_FILE), words(locale())]);
    }).then(([mount, words]) => (check(), (app = mount(shell, words)))).catch((error) => {
      loading = null;
      throw error;
    }));
  }

  function setOpen(open: boolean): void {
    if (state.isOpen === open || (open && gone)) return;
    state.isOpen = open;
    used ||= open;
    teaser?.remove();
    paint();
    emit(open ? "open" : "close");
    if (open) void refresh();
    if (app) app.setOpen(open);
    else if (open) {
      button?.classList.add("busy");
      need().then(() => app!.setOpen(state.isOpen)).catch((error) => {
        state.isOpen = false;
        paint();
        emit("error", error);
      }).finally(() => button?.classList.remove("busy"));
    }
  }

  const cached = kept<{ config: BotConfig }>(`${key}:config`);
  if (cached?.config) settle(cached.config);
  const fetched = refresh(loaded.asked);
  const shown = cached?.config ? Promise.resolve() : fetched;
  void shown.then(() => {
    known();
    if (page || wanted || (kept<boolean>(`${key}:open`, "sessionStorage") ?? options.defaultOpen)) {
      if (config?.enabled && state.isEnabled) setOpen(true);
      else if (page) {
        document.documentElement.lang = locale();
        document.body.textContent = own().off;
      }
    }
  });

  return {
    ready,
    setOpen,
    paint,
    need,
    app: () => app,
    destroy() {
      setOpen(false);
      gone = true;
      app?.destroy();
      wrapper?.remove();
    },
  } satisfies Launcher;
};

(document.currentScript as unknown as { malgil?: (make: MakeLauncher) => void } | null)?.malgil?.(make);
