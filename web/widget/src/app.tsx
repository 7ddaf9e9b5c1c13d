import { sheet } from "./style";
import { ChatError } from "@malgil/protocol";
import { agentName, Chat } from "./chat";
import { render } from "preact";
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { Icon, type Locale } from "@malgil/message-view";
import { Composer } from "./composer";
import { stored } from "./cache";
import { type Words, words } from "./strings";
import { Chips, Lightbox, TimelineView } from "./timeline";
import type { App, MountApp, Shell, ViewName } from "./shell";
const local = stored("localStorage");
const perTab = stored("sessionStorage");
const SIZES = [100, 115, 130];

export interface Ui {
  chat: Chat;
  shell: Shell;
  w: Words;
  locale: Locale;
  go(view: ViewName | "back"): void;
  layer: string;
  open(layer: string): void;
  /** Puts the focus on the last thing that the selector finds. */
  focus(selector: string): void;
}

function Window({ chat, shell, frame }: { chat: Chat; shell: Shell; frame: Frame }) {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const [layer, setLayer] = useState("");
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const stop = chat.subscribe(() => redraw(0));
    frame.redraw = () => redraw(0);
    return stop;
  }, [chat]);
  const focus = (selector: string): void => Array.from(root.current!.querySelectorAll<HTMLElement>(selector)).at(-1)?.focus({ preventScroll: true });
  const { state } = shell;
  const locale = frame.locale;
  const w = words[locale];
  const ui: Ui = { chat, shell, w, locale, go: frame.go, layer, open: setLayer, focus };
  const view = state.view.current;

  useEffect(() => {
    if (state.isOpen) {
      const first = root.current?.querySelector<HTMLElement>("[data-focus]");
      first?.focus({ preventScroll: true });
      chat.read();
    }
  }, [state.isOpen, view]);

  const onKeyDown = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (event.key !== "Escape" || event.isComposing) return;
    if (layer) setLayer("");
    else if (!shell.page) frame.dismiss();
  };

  const { call } = chat.transport.standing;
  const agent = agentName(call.agent);
  const status = call.status === "waiting" ? w.waiting : call.status === "in_progress" ? w.inCall : w.automatic;
  const title = call.status === "in_progress" ? (agent ?? w.someone) : (state.theme.title || "");
  const picture = call.agent?.picture ?? call.agent?.profile?.picture;

  return (
    <div
      ref={root}
      class={`wc wc-view-${view}`}
      role="dialog"
      aria-label={state.theme.title || w.talk}
      data-testid="wc-window"
      data-ready="true"
      lang={locale}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <header>
        {state.view.stack.length > 1 && (
          <button type="button" class="wc-icon" aria-label={w.back} data-testid="wc-back" onClick={() => ui.go("back")}>
            <Icon name="left" />
          </button>
        )}
        {view === "chat" && (
          <span class="wc-avatar" aria-hidden="true">
            {picture && /^https:/.test(picture) ? <img src={picture} alt="" /> : <Icon name="chat" />}
          </span>
        )}
        <div class="wc-title">
          {view === "setting" ? <b>{w.menu}</b> : view === "chat" ? <b data-testid="wc-agent-name">{title}</b> : null}
          {view === "chat" && <small>{status}</small>}
        </div>
        {view !== "setting" && (
          <button type="button" class="wc-icon" aria-label={w.menu} data-testid="wc-menu" onClick={() => ui.go("setting")}>
            <Icon name="dots" />
          </button>
        )}
        {!shell.page && (
          <button type="button" class="wc-icon" aria-label={w.close} data-testid="wc-close" onClick={frame.dismiss}>
            <Icon name="close" />
          </button>
        )}
      </header>
      {view === "welcome" && <Welcome ui={ui} />}
      {view === "chat" && <ChatView ui={ui} />}
      {view === "setting" && <Settings ui={ui} frame={frame} />}
      {view !== "chat" && !state.theme.hideBrand && <footer>{w.brand}</footer>}
      {state.theme.enableResize !== false && <i class="wc-grip" data-testid="wc-grip" onPointerDown={frame.resize} />}
      {layer === "restart" && (
        <div class="wc-sheet">
          <div role="alertdialog" aria-modal="true" aria-labelledby="wc-ask">
            <p id="wc-ask">{w.restartAsk}</p>
            <button type="button" onClick={() => setLayer("")}>{w.cancel}</button>
            <button
              type="button"
              class="wc-main"
              data-testid="wc-restart-confirm"
              ref={(it) => it?.focus()}
              onClick={() => {
                setLayer("");
                frame.go("chat");
                void chat.begin({ restart: true }).catch(() => undefined);
              }}
            >
              {w.restart}
            </button>
          </div>
        </div>
      )}
      {layer.startsWith("image:") && <Lightbox ui={ui} />}
    </div>
  );
}

function Welcome({ ui: { chat, shell, w, go } }: { ui: Ui }) {
  const { theme } = shell.state;
  const last = chat.timeline.messages.at(-1);
  return (
    <main class="wc-welcome" data-testid="wc-welcome">
      <h1>{(theme.title ?? "").slice(0, 30)}</h1>
      <p>{(theme.description ?? "").slice(0, 100)}</p>
      <section>
        <h2>{w.talk}</h2>
        {last ? <p class="wc-last">{last.data.text ?? "…"}</p> : <p class="wc-last">{w.automatic}</p>}
        <button type="button" class="wc-main" data-testid="wc-start" data-focus onClick={() => go("chat")}>
          {chat.hasHistory ? w.resume : w.start}
        </button>
      </section>
    </main>
  );
}

function ChatView({ ui }: { ui: Ui }) {
  const { chat, w } = ui;
  const { call, keyboard } = chat.transport.standing;
  const cancel = keyboard?.buttons?.[0]?.label ?? w.cancelCall;
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    if (chat.takesFiles && event.dataTransfer?.files.length) void chat.attach(Array.from(event.dataTransfer.files));
  };
  return (
    <main
      class="wc-chat"
      onDragOver={(event: DragEvent) => (event.preventDefault(), chat.takesFiles && setOver(true))}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      {chat.bar && (
        <div class={`wc-bar wc-${chat.bar}`} role="status" data-testid="wc-conn">
          {chat.bar === "lost" ? w.lost : chat.bar === "connected" ? w.connected : w.refused}
          {chat.bar === "lost" && (
            <button type="button" onClick={chat.transport.wake}>{w.now}</button>
          )}
        </div>
      )}
      {call.status === "waiting" && (
        <div class="wc-bar wc-wait" data-testid="wc-wait-strip">
          <i />
          {w.waiting}
          <button type="button" data-testid="wc-cancel-call" onClick={() => chat.say({ type: "text", text: cancel })}>{cancel}</button>
        </div>
      )}
      <TimelineView ui={ui} />
      {call.status !== "waiting" && <Chips ui={ui} />}
      <Composer ui={ui} />
      {over && <div class="wc-drop">{w.drop}</div>}
    </main>
  );
}

function Settings({ ui: { w, locale, open, chat }, frame }: { ui: Ui; frame: Frame }) {
  return (
    <main class="wc-setting">
      <fieldset>
        <legend>{w.language}</legend>
        {(["ko", "en"] as const).map((name) => (
          <button type="button" data-focus={name === "ko" || undefined} aria-pressed={locale === name} data-testid={`wc-locale-${name}`} onClick={() => frame.set({ locale: name })}>
            {name === "ko" ? "한국어" : "English"}
          </button>
        ))}
      </fieldset>
      <fieldset>
        <legend>{w.size}</legend>
        {SIZES.map((size) => (
          <button type="button" aria-pressed={frame.size === size} onClick={() => frame.set({ size })}>{size}%</button>
        ))}
      </fieldset>
      {(chat.started || chat.hasHistory) && (
        <button type="button" class="wc-row" data-testid="wc-restart" onClick={() => open("restart")}>{w.restart}</button>
      )}
    </main>
  );
}

/** The window's place in the page, its colours, and which view it shows. */
class Frame {
  redraw = (): void => undefined;
  locale: Locale = "ko";
  size = 100;
  #wanted: [number, number] | undefined;
  readonly wrapper: HTMLElement;
  readonly #root: HTMLElement;
  readonly #chat: Chat;
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");

  constructor(private readonly shell: Shell) {
    const wrapper = document.createElement("div");
    wrapper.className = "closer_webchat_chat_wrapper";
    const shadow = wrapper.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [sheet];
    this.#root = document.createElement("div");
    this.#root.className = "wc-root";
    this.#root.setAttribute("part", "window");
    shadow.append(this.#root);
    this.wrapper = wrapper;
    this.#chat = new Chat(shell);
    this.#dark.addEventListener("change", this.paint);
    const saved = local.get<{ locale?: Locale; size?: number; wanted?: [number, number] }>(`wc:${shell.botId}:settings`);
    const asked = shell.options.locale && shell.options.locale !== "auto" ? shell.options.locale : shell.config.locale;
    this.locale = saved?.locale ?? ((asked ?? navigator.language).startsWith("en") ? "en" : "ko");
    this.size = saved?.size ?? 100;
    this.#wanted = saved?.wanted;
    document.body.append(wrapper);
    this.paint();
    render(<Window chat={this.#chat} shell={shell} frame={this} />, this.#root);
    void this.#chat.recall().then(() => {
      // A talk that was open before the reload, or one that needs no welcome.
      const again = perTab.get<ViewName>(`wc:${shell.botId}:view`) === "chat" && this.#chat.hasHistory;
      if ((again || shell.state.theme.skipWelcome) && shell.state.isOpen && shell.state.view.current === "welcome") this.go("chat");
    });
  }

  readonly paint = (): void => {
    const { theme } = this.shell.state;
    const scheme = theme.colorScheme === "light" || theme.colorScheme === "dark" ? theme.colorScheme : this.#dark.matches ? "dark" : "light";
    const { style } = this.wrapper;
    const put = (name: string, value: string): void => style.setProperty(name, value);
    this.shell.place(this.wrapper, scheme === "dark" ? "#1c1f25" : undefined);
    const size = theme.defaultWindowSize;
    const [width, height] = Array.isArray(size) ? size : [size?.width, size?.height];
    const [w, h] = this.#wanted ?? [width, height];
    put("--wc-w", `${Math.max(320, Number(w) || 380)}px`);
    put("--wc-h", `${Math.max(420, Number(h) || 640)}px`);
    put("--text", String(this.size / 100));
    this.wrapper.classList.toggle("wc-page", this.shell.page);
    this.wrapper.dataset.scheme = scheme;
    this.wrapper.hidden = !this.shell.state.isOpen;
  };

  readonly go = (view: ViewName | "back"): void => {
    const { view: state } = this.shell.state;
    const stack = view === "back" ? state.stack.slice(0, -1) : state.stack.includes(view) ? state.stack.slice(0, state.stack.indexOf(view) + 1) : [...state.stack, view];
    if (!stack.length) return;
    const current = stack.at(-1)!;
    this.shell.state.view = { current, stack };
    this.shell.emit("view", this.shell.state.view);
    perTab.set(`wc:${this.shell.botId}:view`, current);
    if (current === "chat" && !this.#chat.started && !this.#chat.loading) void this.#chat.begin().catch(() => undefined);
    this.redraw();
  };

  readonly dismiss = (): void => {
    this.shell.setOpen(false);
    this.shell.focusLauncher();
  };

  /** The free corner was taken: the window follows the pointer and keeps its size for the next visit. */
  readonly resize = (down: PointerEvent): void => {
    const grip = down.currentTarget as HTMLElement;
    const { width, height } = this.wrapper.getBoundingClientRect();
    const side = this.wrapper.classList.contains("wc-left") ? 1 : -1;
    const top = this.wrapper.classList.contains("wc-top") ? 1 : -1;
    grip.setPointerCapture(down.pointerId);
    grip.onpointermove = (move) => {
      this.#wanted = [width + side * (move.clientX - down.clientX), height + top * (move.clientY - down.clientY)];
      this.paint();
    };
    grip.onlostpointercapture = () => {
      grip.onpointermove = null;
      this.set({});
    };
  };

  set(settings: { locale?: Locale; size?: number }): void {
    Object.assign(this, settings);
    local.set(`wc:${this.shell.botId}:settings`, { locale: this.locale, size: this.size, wanted: this.#wanted });
    this.paint();
    this.redraw();
  }

  app(): App {
    const { shell } = this;
    const chat = this.#chat;
    const begun = (): void => {
      if (!chat.started) throw new ChatError("NOT_STARTED", "the conversation has not started");
    };
    return {
      setOpen: (open) => {
        perTab.set(`wc:${shell.botId}:open`, open);
        this.paint();
        this.redraw();
      },
      repaint: () => {
        this.paint();
        this.redraw();
      },
      changeView: (view, how) => this.go(how === "pop" ? "back" : view),
      setParams: async (params) => {
        if (chat.started) await chat.transport.setParams(params);
      },
      setUserKey: (userKey) => chat.become(userKey),
      startConversation: async (options) => {
        await chat.begin(options);
        this.go("chat");
      },
      changeNavigation: async (place) => {
        begun();
        chat.transport.send(place);
      },
      sendMessage: async ({ data }) => {
        begun();
        chat.say(data);
      },
      sendTypingEvent: async () => {
        begun();
        chat.transport.typing();
      },
      destroy: () => {
        chat.close();
        this.#dark.removeEventListener("change", this.paint);
        render(null, this.#root);
        this.wrapper.remove();
      },
    };
  }
}

const mount: MountApp = (shell) => new Frame(shell).app();
(document.currentScript as unknown as { malgil?: (mount: MountApp) => void } | null)?.malgil?.(mount);
