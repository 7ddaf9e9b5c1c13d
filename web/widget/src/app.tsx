import { sheet } from "./style";
import { ChatError, type Message, type Params } from "@malgil/protocol";
import { agentName, Chat } from "./chat";
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, IconButton, type Locale } from "@malgil/message-view";
import { Composer } from "./composer";
import { local, perTab, storageBlocked } from "./cache";
import { phone } from "./phone";
import { leads, ring } from "./ring";
import { fill, fitting, type Words } from "./words";
import type { Ui } from "./ui";
import { when } from "./when";
import { Chips, Lightbox, TimelineView } from "./timeline";
import type { App, MountApp, Shell, ViewName } from "./shell";

const SIZES = [100, 115, 130];
/** A number may be written as people like, but without letters. */
const PATTERNS: Record<string, string> = { phone: "[^\\p{L}]{8,20}", name: ".*\\S.*" };

function Window({ chat, shell, frame }: { chat: Chat; shell: Shell; frame: Frame }) {
  const [, drawn] = useState({});
  const redraw = (): void => drawn({});
  const [layer, show] = useState("");
  const [failed, setFailed] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<Element | null>(null);
  const setLayer = (next: string): void => {
    // The palette gives the focus to the text by itself.
    if (next && next !== "emoji") opener.current = (root.current!.getRootNode() as ShadowRoot).activeElement;
    setFailed(false);
    show(next);
  };
  useEffect(() => {
    if (layer) return;
    (opener.current as HTMLElement | null)?.focus();
    opener.current = null;
  }, [layer]);
  const { state } = shell;
  useEffect(() => {
    chat.changed = redraw;
    // The strip says how long somebody has waited.
    const timer = setInterval(() => state.isOpen && chat.transport.standing.call.status === "waiting" && redraw(), 1_000);
    return () => clearInterval(timer);
  }, [chat]);
  const focus = (selector: string): void => Array.from(root.current!.querySelectorAll<HTMLElement>(selector)).at(-1)?.focus({ preventScroll: true });
  const w = frame.words;
  const ui: Ui = { chat, shell, w, go: frame.go, layer, open: setLayer, focus };
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
  const status = call.status === "waiting" ? w.waiting : call.status === "in_progress" ? w.inCall : null;
  const title = call.status === "in_progress" ? (agent ?? w.someone) : (state.theme.title || "");
  const picture = call.agent?.picture ?? call.agent?.profile?.picture;

  return (
    <div
      ref={root}
      class={`wc wc-view-${view}`}
      role="dialog"
      aria-modal={frame.phone.covers()}
      aria-label={state.theme.title || w.talk}
      data-testid="wc-window"
      data-ready="true"
      lang={w.locale}
      tabIndex={-1}
      onKeyDown={onKeyDown}
    >
      <header>
        {state.view.stack.length > 1 && <IconButton icon="left" aria-label={w.back} data-testid="wc-back" onClick={() => ui.go("back")} />}
        {view === "chat" && (
          <span class="wc-avatar" aria-hidden="true">
            {picture && /^https:/.test(picture) ? <img src={picture} alt="" /> : <Icon name="chat" />}
          </span>
        )}
        <div class="wc-title">
          {view === "chat" ? <b data-testid="wc-agent-name">{title}</b> : view !== "welcome" && <b>{view === "setting" ? w.menu : w.start}</b>}
          {view === "chat" && (status ? <small>{status}</small> : <Hours ui={ui}>{w.automatic}</Hours>)}
        </div>
        {view !== "setting" && <IconButton icon="dots" aria-label={w.menu} data-testid="wc-menu" onClick={() => ui.go("setting")} />}
        {!shell.page && <IconButton icon="close" aria-label={w.close} data-testid="wc-close" onClick={frame.dismiss} />}
      </header>
      {view === "welcome" && <Welcome ui={ui} frame={frame} />}
      {view === "contact" && <Contact ui={ui} frame={frame} />}
      {view === "chat" && <ChatView ui={ui} key={chat.person} />}
      {view === "setting" && <Settings ui={ui} frame={frame} />}
      {view !== "chat" && !state.theme.hideBrand && <footer>{w.brand}</footer>}
      {state.theme.enableResize !== false && <i class="wc-grip" data-testid="wc-grip" onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)} onPointerMove={frame.resize} />}
      {(layer === "restart" || layer === "erase") && (
        <div class="wc-sheet">
          <div role="alertdialog" aria-modal="true" aria-labelledby="wc-ask">
            <p id="wc-ask">{layer === "erase" ? w.eraseAsk : w.restartAsk}</p>
            {failed && <p class="wc-problem" role="alert">{w.problems.startFailed}</p>}
            <button class="wc-row" onClick={() => setLayer("")}>{w.cancel}</button>
            <button
              class="wc-main"
              data-testid={`wc-${layer}-confirm`}
              ref={(it) => it?.focus()}
              onClick={() => {
                if (layer === "erase") return void frame.erase().then(() => setLayer(""), () => setFailed(true));
                setLayer("");
                void frame.enter({ restart: true }).catch(() => undefined);
              }}
            >
              {layer === "erase" ? w.erase : w.restart}
            </button>
          </div>
        </div>
      )}
      {layer.startsWith("image:") && <Lightbox ui={ui} />}
    </div>
  );
}

/** When agents are there again, while they are not; else what stands in its place. */
function Hours({ ui: { shell, w }, children }: { ui: Ui; children?: string }) {
  const { hours } = shell.config;
  const opens = hours?.opensAt && new Date(hours.opensAt);
  if (!hours || hours.open || (opens && opens <= new Date())) return children ? <small>{children}</small> : null;
  return (
    <small data-testid="wc-hours">
      {hours.text && <span>{fill(w.hours, { hours: hours.text })}</span>}
      {opens && <span>{fill(w.opens, { when: when(opens, new Date(), w.locale) })}</span>}
    </small>
  );
}

function Welcome({ ui, frame }: { ui: Ui; frame: Frame }) {
  const { chat, shell, w } = ui;
  const { theme } = shell.state;
  const last = chat.timeline.messages.at(-1);
  return (
    <main class="wc-welcome" data-testid="wc-welcome">
      <h1>{`${theme.title ?? ""}`.slice(0, 30)}</h1>
      <p>{`${theme.description ?? ""}`.slice(0, 100)}</p>
      <section>
        <h2>{w.talk}</h2>
        <Hours ui={ui} />
        <p class="wc-last">{last ? (last.data.text ?? "…") : w.automatic}</p>
        {last && <small class="wc-when">{when(new Date(last.timestamp), new Date(), w.locale)}</small>}
        <button class="wc-main" data-testid="wc-start" data-focus onClick={() => void frame.enter().catch(() => undefined)}>
          {chat.hasHistory ? w.resume : w.start}
        </button>
        {theme.greetingReplies?.slice(0, 3).map((reply, index) => (
          <button class="wc-row" data-testid={`wc-reply-${index}`} onClick={() => void frame.ask(reply).catch(() => undefined)}>{reply}</button>
        ))}
      </section>
    </main>
  );
}

function Contact({ ui: { shell, w }, frame }: { ui: Ui; frame: Frame }) {
  const { fields, consent, required } = shell.config.contactForm!;
  const [wrong, setWrong] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    const inputs = Array.from((event.currentTarget as HTMLElement).querySelectorAll("input"));
    const bad = inputs.find((input) => !input.validity.valid);
    setWrong(bad?.name ?? "");
    if (bad) return bad.focus();
    const params: Params = consent ? { contactConsentAt: new Date().toISOString() } : {};
    for (const { name, type, value } of inputs) if (type !== "checkbox" && value.trim()) params[name] = value.trim();
    frame.contacted(params);
  };
  return (
    <form class="wc-setting" data-testid="wc-contact-form" noValidate onSubmit={submit} onInput={() => setWrong("")}>
      {([...fields, ...(consent ? (["consent"] as const) : [])]).map((name, index) => {
        // A type that is none is text.
        const kind = { name: "name", phone: "tel", email: "email", consent: "checkbox" }[name] as "email";
        return (
          <label class={name === "consent" ? "wc-consent" : ""}>
            {{ name: w.name, phone: w.phone, email: w.email, consent }[name]}
            <input name={name} type={kind} autocomplete={name === "consent" ? undefined : kind} pattern={PATTERNS[name]} required={required || name === "consent"} aria-invalid={wrong === name} data-focus={!index} data-testid={`wc-contact-${name}`} />
            {wrong === name && <small class="wc-problem" role="alert">{w.check}</small>}
          </label>
        );
      })}
      <button class="wc-main" data-testid="wc-contact-submit">{w.start}</button>
      {!required && <button type="button" class="wc-row" data-testid="wc-contact-skip" onClick={() => frame.contacted({})}>{w.skip}</button>}
    </form>
  );
}

/** How long the person has waited for an agent. */
const elapsed = (ms: number): string => new Date(Math.max(0, ms)).toISOString().slice(ms < 3_600_000 ? 14 : 11, 19);

function ChatView({ ui }: { ui: Ui }) {
  const { chat, w } = ui;
  const { call, keyboard } = chat.transport.standing;
  // A call that somebody else made is not taken back by a word.
  const cancel = keyboard?.buttons?.length === 1 ? keyboard.buttons[0]!.label : "";
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    if (chat.takesFiles && event.dataTransfer?.files.length) void chat.attach(Array.from(event.dataTransfer.files));
  };
  return (
    <main
      onDragOver={(event: DragEvent) => (event.preventDefault(), chat.takesFiles && setOver(true))}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      {chat.bar && (
        <div class={`wc-bar wc-${chat.bar}`} role="status" data-testid="wc-conn">
          {chat.bar === "lost" ? w.lost : chat.bar === "connected" ? w.connected : w.refused}
          {chat.bar !== "connected" && (
            <button onClick={() => (chat.bar === "lost" ? chat.transport.wake() : void chat.begin().catch(() => undefined))}>{w.now}</button>
          )}
        </div>
      )}
      {call.status === "waiting" && (
        <div class="wc-bar wc-wait" data-testid="wc-wait-strip">
          <i />
          {w.waiting}
          <time data-testid="wc-elapsed">{elapsed(Date.now() - chat.since)}</time>
          {cancel && <button data-testid="wc-cancel-call" onClick={() => chat.say({ type: "text", text: cancel })}>{cancel}</button>}
        </div>
      )}
      <TimelineView ui={ui} />
      {call.status !== "waiting" && <Chips ui={ui} />}
      <Composer ui={ui} />
      {over && <div class="wc-drop">{w.drop}</div>}
    </main>
  );
}

function Settings({ ui: { w, open, chat }, frame }: { ui: Ui; frame: Frame }) {
  const toggle = (name: string, said: string, on: boolean, act: () => void) => (
    <button class="wc-row" role="switch" aria-checked={on} data-testid={`wc-${name}`} onClick={act}>{said}</button>
  );
  return (
    <main class="wc-setting">
      <fieldset>
        <legend>{w.language}</legend>
        {(["ko", "en"] as const).map((name) => (
          <button data-focus={name === "ko" || undefined} aria-pressed={w.locale === name} data-testid={`wc-locale-${name}`} onClick={() => frame.speak(name, { locale: name })}>
            {name === "ko" ? "한국어" : "English"}
          </button>
        ))}
      </fieldset>
      <fieldset>
        <legend>{w.size}</legend>
        {SIZES.map((size) => (
          <button aria-pressed={frame.size === size} onClick={() => frame.set({ size })}>{size}%</button>
        ))}
      </fieldset>
      {toggle("sound", w.sound, frame.sound, () => {
        frame.set({ sound: !frame.sound });
        if (frame.sound) ring();
      })}
      {"Notification" in window && toggle("notice", w.notice, frame.notice, async () => {
        const granted = !frame.notice && (await Notification.requestPermission());
        frame.set({ notice: granted === "granted" });
      })}
      {(chat.started || chat.hasHistory) && (
        <>
          <button class="wc-row" data-testid="wc-restart" onClick={() => open("restart")}>{w.restart}</button>
          <button class="wc-row wc-bad" data-testid="wc-erase" onClick={() => open("erase")}>{w.erase}</button>
        </>
      )}
      {storageBlocked() && <small data-testid="wc-unstored">{w.unstored}</small>}
    </main>
  );
}

/** The window's place in the page, its colours, and which view it shows. */
class Frame {
  /** The visitor's own choice; without one, page, owner and browser say it. */
  locale: Locale | undefined;
  size = 100;
  sound = false;
  notice = false;
  /** What the contact form brought, until the server has it; its opposite number waits for it. */
  #contact: Params | undefined;
  #contacted: (() => void) | undefined;
  #met = false;
  readonly phone: ReturnType<typeof phone>;
  readonly #recalled: Promise<void>;
  #wanted: [number, number] | undefined;
  readonly wrapper: HTMLElement;
  readonly #root: HTMLElement;
  readonly #chat: Chat;
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");

  /** The language that is to be spoken, and the one that was when last looked at. */
  #wish: Locale;
  #told: Locale;

  constructor(private readonly shell: Shell, public words: Words) {
    this.#wish = this.#told = words.locale;
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
    const { wanted, ...saved } = local.get<Partial<Frame> & { wanted?: [number, number] }>(`wc:${shell.botId}:settings`) ?? {};
    Object.assign(this, saved);
    this.#wanted = wanted;
    this.#chat.heard = this.#hear;
    this.phone = phone(shell, wrapper);
    document.body.append(wrapper);
    addEventListener("storage", this.#erased);
    this.paint();
    render(<Window chat={this.#chat} shell={shell} frame={this} />, this.#root);
    this.#recalled = this.#chat.recall();
  }

  /** At the first opening: the new talk that was asked for, one that was open before the reload, or one that needs no welcome. */
  readonly #meet = (): void => {
    const { botId, options, state } = this.shell;
    if (this.#met || !state.isOpen) return;
    this.#met = true;
    const again = perTab.get<ViewName>(`wc:${botId}:view`) === "chat" && this.#chat.hasHistory;
    if (options.restart) void this.enter({ restart: true }).catch(() => undefined);
    else if ((again || state.theme.skipWelcome) && state.view.current === "welcome") this.go("chat");
  };

  get #contactKey(): string {
    return `wc:${this.shell.botId}:contact:${this.shell.options.userKey ?? ""}`;
  }

  /** The contact form comes first: always if it is required, else before a first talk. */
  #asks(): boolean {
    const { config, state } = this.shell;
    const form = config.contactForm;
    return !!form && !this.#contact && !local.get(this.#contactKey) && (form.required || !(state.theme.skipWelcome || this.#chat.started || this.#chat.hasHistory));
  }

  /** Into the chat, by the contact form where it is asked for. */
  readonly enter: App["startConversation"] = async (options) => {
    if (this.#asks()) {
      await new Promise<void>((done) => {
        this.#contacted = done;
        this.go("contact");
      });
    }
    const contact = this.#contact;
    const begun = this.#chat.begin(options, contact);
    this.go("chat");
    await begun;
    if (contact) local.set(this.#contactKey, true);
    this.#contact = undefined;
  };

  /** The contact form was filled in, or skipped. */
  contacted(params: Params): void {
    this.#contact = params;
    const waiting = this.#contacted;
    this.#contacted = undefined;
    if (waiting) waiting();
    else void this.enter().catch(() => undefined);
  }

  readonly ask = async (text: string): Promise<void> => {
    await this.enter();
    this.#chat.say({ type: "text", text });
  };

  async erase(): Promise<void> {
    await this.#chat.erase();
    local.set(this.#contactKey, undefined);
    this.go("welcome");
  }

  /** Another tab deleted what was said. */
  readonly #erased = ({ key, newValue }: StorageEvent): void => {
    if (key !== `wc:${this.shell.botId}` || newValue !== null) return;
    void this.#chat.erased();
    this.go("welcome");
  };

  readonly #hear = ({ data }: Message): void => {
    if (!leads()) return;
    const { botId, setOpen, state } = this.shell;
    if (this.sound) ring();
    if (!this.notice || !document.hidden) return;
    try {
      new Notification(state.theme.title ?? "", { body: data.text ?? "…", tag: botId }).onclick = () => {
        window.focus();
        setOpen(true);
      };
    } catch {
      // Phones let service workers alone do this.
    }
  };

  readonly paint = (): void => {
    const { shell } = this;
    const { theme } = shell.state;
    const locale = shell.locale();
    if (locale !== this.#told) this.speak((this.#told = locale), {});
    if (shell.page) {
      document.title = theme.title ?? "";
      document.documentElement.lang = this.words.locale;
    }
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
    this.#chat.changed();
  };

  readonly go = (view: ViewName | "back"): void => {
    if (view === "chat" && this.#asks()) view = "contact";
    if (view === "contact" && !this.shell.config.contactForm) return;
    const { view: state } = this.shell.state;
    // The form is passed once: there is no way back into it.
    const known = state.stack.filter((name) => name !== "contact" || view === "contact");
    const stack = view === "back" ? state.stack.slice(0, -1) : known.includes(view) ? known.slice(0, known.indexOf(view) + 1) : [...known, view];
    if (!stack.length) return;
    const current = stack.at(-1)!;
    this.shell.state.view = { current, stack };
    this.shell.emit("view", this.shell.state.view);
    perTab.set(`wc:${this.shell.botId}:view`, current);
    if (current === "chat" && !this.#chat.started && !this.#chat.loading) void this.#chat.begin().catch(() => undefined);
    this.#chat.changed();
  };

  readonly dismiss = (): void => {
    this.shell.setOpen(false);
    this.shell.focusLauncher();
  };

  /** The free corner was taken: the window follows the pointer and keeps its size for the next visit. */
  readonly resize = ({ clientX, clientY, currentTarget, pointerId }: PointerEvent): void => {
    const { left, right, top, bottom } = this.wrapper.getBoundingClientRect();
    const { classList } = this.wrapper;
    if (!(currentTarget as Element).hasPointerCapture(pointerId)) return;
    this.#wanted = [Math.abs(clientX - (classList.contains("wc-left") ? left : right)), Math.abs(clientY - (classList.contains("wc-top") ? top : bottom))];
    this.set({});
  };

  /** The language before stays until the words of the new one are here, and where they do not come. */
  speak(locale: Locale, settings: { locale?: Locale }): void {
    this.#wish = locale;
    this.shell.words(locale).then(fitting).then((words) => {
      if (this.#wish !== locale) return;
      this.words = words;
      this.set(settings);
    }, () => undefined);
  }

  set(settings: { locale?: Locale; size?: number; sound?: boolean; notice?: boolean }): void {
    Object.assign(this, settings);
    const { locale, size, sound, notice } = this;
    local.set(`wc:${this.shell.botId}:settings`, { locale, size, sound, notice, wanted: this.#wanted });
    this.#told = this.shell.locale();
    this.paint();
  }

  app(): App {
    const { shell } = this;
    const chat = this.#chat;
    /** What only a conversation that has started takes. */
    const begun = <T extends unknown[]>(act: (...given: T) => unknown) => async (...given: T): Promise<void> => {
      if (!chat.started) throw new ChatError("NOT_STARTED", "the conversation has not started");
      act(...given);
    };
    return {
      setOpen: (open) => {
        perTab.set(`wc:${shell.botId}:open`, open);
        this.phone.opened(open);
        this.paint();
        void this.#recalled.then(this.#meet);
      },
      repaint: this.paint,
      changeView: (view, how) => this.go(how === "pop" ? "back" : view),
      setParams: async () => {
        if (!chat.started) return;
        const { unsent } = shell.state;
        shell.state.unsent = {};
        await chat.transport.setParams(unsent);
      },
      setUserKey: async (userKey) => {
        const was = chat.started || chat.loading;
        this.#contact = undefined;
        await chat.become(userKey);
        if (was) await this.enter();
      },
      startConversation: this.enter,
      ask: this.ask,
      changeNavigation: begun((place) => chat.transport.send(place)),
      sendMessage: begun(({ data }) => chat.send(data)),
      sendTypingEvent: begun(() => chat.transport.typing()),
      destroy: () => {
        chat.close();
        this.#dark.removeEventListener("change", this.paint);
        removeEventListener("storage", this.#erased);
        this.phone.end();
        render(null, this.#root);
        this.wrapper.remove();
      },
    };
  }
}

const mount: MountApp = (shell, words) => new Frame(shell, fitting(words)).app();
(document.currentScript as unknown as { malgil?: (mount: MountApp) => void } | null)?.malgil?.(mount);
