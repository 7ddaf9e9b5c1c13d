import type { App, InitOptions, Launcher, MakeLauncher, Shell, State, Theme, ViewName } from "./shell";

/** The small script that pages embed: how they ask for the chat, and the script API. What is seen comes after it. */

const NAME = /^[\w$]+$/;

const script = document.currentScript as HTMLScriptElement;
const source = script.getAttribute("src") ?? "";
const host = script.src.replace(/\/(?:js\/webchat\.min|webchat)\.js.*$/s, "");
const attribute = (name: string): string | null => script.getAttribute(name);
/** No data-*: those are start params of the first version's snippets, `data-page` too. */
const page = script.hasAttribute("full-page");

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

function create(botId: string, options: InitOptions): Record<string, unknown> {
  const listeners: Record<string, Set<(detail: unknown) => void>> = {};
  const state: State = {
    isOpen: false,
    isEnabled: options.enable !== false,
    unread: 0,
    userKey: options.userKey ?? "",
    params: { ...options.params },
    unsent: {},
    theme: { ...options.theme },
    view: { current: "welcome", stack: ["welcome"] },
  };
  /** What a listener of the page throws is the page's: it stops neither us nor the other listeners. */
  const emit = (event: string, detail?: unknown): void => listeners[event]?.forEach((listener) => {
    try {
      listener(detail);
    } catch (error) {
      reportError(error);
    }
  });

  // The configuration comes beside the launcher, not after it.
  const asked = fetch(`${host}/webchat/v1/bots/${encodeURIComponent(botId)}`);
  asked.catch(() => undefined);
  let launcher: Launcher | null = null;
  const loading = load<MakeLauncher>(LAUNCHER_FILE).then((make) => (launcher = make({ host, botId, options, state, page, emit, load, asked } as Shell)));
  const ready = loading.then((it) => it.ready);
  ready.catch((error) => console.warn("webchat:", error.message));
  const call = (name: keyof App) => (...given: unknown[]): Promise<void> =>
    ready.then(() => launcher!.need()).then((app) => (app[name] as (...given: unknown[]) => Promise<void>)(...given));
  /** Of no use before the app is there: it begins with what the state says. */
  const later = (act: (app: App) => Promise<void>): Promise<void> => {
    const app = launcher?.app();
    return app ? act(app) : Promise.resolve();
  };
  const setOpen = (open: boolean): void => {
    if (launcher) launcher.setOpen(open);
    else state.isOpen = open;
  };
  const setEnabled = (enabled: boolean): void => {
    state.isEnabled = enabled;
    if (!enabled) setOpen(false);
    launcher?.paint();
  };
  const setParams = (params: State["params"]): Promise<void> => {
    state.params = { ...state.params, ...params };
    state.unsent = { ...state.unsent, ...params };
    return later((app) => app.setParams());
  };
  const methods = {
    setOpen, setEnabled, setParams,
    setEnable: setEnabled,
    setUserKey(userKey: string, identity?: string): Promise<void> {
      if (userKey === (options.userKey ?? "")) {
        options.identity = identity ?? options.identity;
        return Promise.resolve();
      }
      state.userKey = options.userKey = userKey;
      options.identity = identity;
      options.userHash = undefined;
      return later((app) => app.setUserKey(userKey));
    },
    setTheme(theme: Theme): void {
      options.theme = { ...options.theme, ...theme };
      state.theme = { ...state.theme, ...theme };
      launcher?.paint();
      launcher?.app()?.repaint();
    },
    changeView(view: ViewName | "back", how?: string): void {
      call("changeView")(view, how).catch((error) => emit("error", error));
    },
    startConversation: call("startConversation"),
    changeNavigation: call("changeNavigation"),
    sendMessage: call("sendMessage"),
    sendTypingEvent: call("sendTypingEvent"),
    on(event: string, listener: (detail: unknown) => void): () => void {
      (listeners[event] ??= new Set()).add(listener);
      return () => void listeners[event]!.delete(listener);
    },
    destroy: () => void loading.then((it) => it.destroy(), () => undefined),
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
    promise.catch(() => undefined); // The warning has been given.
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
    const { userKey, locale, restart } = reserved;
    return void create(botId, { params, restart: /^(?:1|true|)$/.test(restart ?? "no"), ...(userKey ? { userKey } : {}), ...(locale ? { locale } : {}) });
  }
  if (/webchat\.min\.js/.test(source) || attribute("callback")) {
    const init = initializer(botId, { params: dataParams() });
    const control = init();
    const tell = (): void => {
      const callback = names[attribute("callback") ?? ""];
      if (typeof callback === "function") callback.call(control, control);
      // It may stand below.
      else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", tell);
    };
    return tell();
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
