import {
  type Agent,
  type Button,
  ChatError,
  type Item,
  type Keyboard,
  type Message,
  type MessageData,
  type Params,
  type Place,
  type Session,
  type Status,
  Timeline,
  Transport,
  type Turn,
} from "@malgil/protocol";
import { buttonKind } from "@malgil/message-view";
import { cache, local, outbox, perTab } from "./cache";
import { lead } from "./ring";
import { Pace } from "./pace";
import type { Shell } from "./shell";
import type { Words } from "./words";

/** Reconnections that are shorter are not worth a word. */
const SILENT_MS = 3_000;
const TYPING_MS = 6_000;

/** A line of ours in the timeline, after a revision. */
export interface Note {
  after: number;
  kind: "joined" | "ended";
  name?: string;
}

export interface Tray {
  name: string;
  preview: string;
  share: number;
  error?: "fileLarge" | "fileType" | "fileMany" | "fileFailed";
  file?: File;
}

const MAX_FILE = 10 * 1024 * 1024;
const MAX_FILES = 5;
/** What the server takes, and what may be made into it. */
const IMAGE = /^image\/(?:jpeg|png|gif|webp|bmp)$/;
const PICTURE = /^image\/|\.hei[cf]$/i;

/** One end user's talk as the window shows it. */
export class Chat {
  /** Draws the window anew. */
  changed: () => void = () => undefined;
  readonly timeline = new Timeline();
  readonly notes: Note[] = [];
  readonly pressed = new Set<string>();
  readonly pace = new Pace(() => this.changed());
  transport!: Transport;
  started = false;
  loading = false;
  bar: "" | "lost" | "connected" | "refused" = "";
  agentTyping: Agent | null = null;
  more = false;
  problem: keyof Words["problems"] | null = null;
  tray: Tray[] = [];
  /** The keyboard of the newest turn; hidden once something was said. */
  hidden: Keyboard | null = null;
  /** When the call for an agent began to wait, as far as this tab knows. */
  since = 0;
  /** Counts the people who were here: nothing of one is shown to the next. */
  person = 0;
  /** Told of each message that somebody else said just now. */
  heard: (message: Message) => void = () => undefined;
  /** Where the reader left off: what is above this revision was not read then. */
  line = 0;

  #key: string;
  /** Messages of this person that no server has yet. */
  #unsent!: ReturnType<typeof outbox>;
  #barTimer = 0;
  #typingTimer = 0;
  #saveTimer = 0;
  /** The page of older messages comes before this revision. */
  #next = 0;
  #callStatus: string | null = null;
  #follow: (() => void) | undefined;

  constructor(readonly shell: Shell) {
    this.#key = `wc:${shell.botId}`;
    this.#make();
    if (!this.transport.session) this.#leave();
  }

  get keyboard(): Keyboard | null {
    const { keyboard } = this.transport.standing;
    return this.pace.waits || keyboard === this.hidden ? null : keyboard;
  }

  get items(): Item[] {
    return this.timeline.items.filter(({ message }) => !this.pace.hides(message));
  }

  get takesFiles(): boolean {
    const type = this.keyboard?.type;
    return this.shell.config.uploads !== false && (!type || type === "any" || type === "buttons");
  }

  get hasHistory(): boolean {
    return this.timeline.messages.length > 0;
  }

  /** What an earlier visit left, before any network. */
  async recall(): Promise<void> {
    const session = this.transport.session;
    if (!session) return;
    const saved = await cache.read(`${this.#key}:${session.userKey}`);
    if (saved && this.transport.session === session && this.transport.rev === 0) {
      this.timeline.prepend(saved.messages);
      this.transport.rev = saved.rev;
      this.more = (saved.messages[0]?.rev ?? 1) > 1;
    }
    this.changed();
  }

  /** Connects, and starts once a visit: what that says, to newcomers and others, is the bot's matter. `contact` is what the person wrote
   * of themselves. */
  async begin(options: { navigation?: Place; params?: Params; restart?: boolean } = {}, contact?: Params): Promise<void> {
    const { state } = this.shell;
    const { transport } = this;
    /** Somebody else is here by now: nothing of this is theirs. */
    const check = (): void => {
      if (transport !== this.transport) throw new ChatError("closed");
    };
    state.params = { ...state.params, ...options.params };
    this.loading = true;
    this.problem = null;
    this.changed();
    try {
      await transport.open();
      check();
      let news = { ...state.unsent, ...options.params, ...contact };
      state.unsent = {};
      if (options.restart || !this.started) {
        // A start that begins a conversation brings all parameters; one that is open takes none from it.
        if (options.restart || !transport.standing.conversationId) news = {};
        await transport.start({ ...state.params, ...contact }, options.restart);
      }
      check();
      this.started = true;
      // With what the page said meanwhile.
      Object.assign(news, state.unsent);
      state.unsent = {};
      if (Object.keys(news).length) await transport.setParams(news);
      check();
      this.#follow ??= lead(`${this.#key}:sound`);
      if (options.navigation) transport.send(options.navigation);
    } catch (error) {
      check();
      if (this.bar !== "refused") this.problem = "startFailed";
      this.shell.emit("error", error);
      throw error;
    } finally {
      if (transport === this.transport) {
        this.loading = false;
        this.changed();
      }
    }
  }

  press(button: Button, key?: string): void {
    if (key) this.pressed.add(key);
    const { label, payload, flowId, nodeId } = button;
    const said = { type: "text", text: label };
    if (buttonKind(button) === "goto") this.say({ flowId: Number(flowId), nodeId: nodeId && Number(nodeId), data: said });
    else this.say({ ...said, payload });
  }

  /** What the person says: where too much waits, the window tells them. */
  say(said: MessageData | Place): void {
    try {
      this.send(said);
    } catch (error) {
      if ((error as ChatError).code !== "queue_full") throw error;
      this.problem = "full";
      this.changed();
    }
  }

  send(said: MessageData | Place): void {
    this.transport.send(said);
    this.pace.end();
    this.problem = null;
    this.line = 0;
    this.hidden = this.transport.standing.keyboard;
    this.changed();
  }

  async older(): Promise<void> {
    if (!this.more) return;
    this.more = false;
    try {
      const page = await this.transport.older(this.#next || this.timeline.oldest + 1);
      this.timeline.prepend(page.items);
      this.more = page.more;
      this.#next = page.rev;
    } catch {
      this.more = true;
    }
    this.changed();
  }

  async attach(files: Iterable<File>): Promise<void> {
    const taken = [...files].map((file, index) => {
      const error = index >= MAX_FILES ? "fileMany" : !PICTURE.test(file.type || file.name) ? "fileType" : file.size > MAX_FILE ? "fileLarge" : undefined;
      return { name: file.name, share: 0, file, preview: error ? "" : URL.createObjectURL(file), error } as Tray;
    });
    this.tray = [...this.tray, ...taken];
    this.changed();
    for (const entry of taken) if (!entry.error) await this.upload(entry);
  }

  async upload(entry: Tray): Promise<void> {
    delete entry.error;
    try {
      const file = await prepared(entry.file!);
      const data = await this.transport.upload(file, (share) => {
        entry.share = share;
        this.changed();
      });
      if (!this.tray.includes(entry)) return;
      this.drop(entry);
      this.say(data);
    } catch (error) {
      entry.error = (error as ChatError).code === "fileType" ? "fileType" : "fileFailed";
      this.changed();
    }
  }

  drop(entry: Tray): void {
    this.tray = this.tray.filter((other) => other !== entry);
    if (entry.preview) URL.revokeObjectURL(entry.preview);
    this.changed();
  }

  /** Another person: nothing of the one before stays on the screen. */
  async become(userKey: string): Promise<void> {
    this.transport.close();
    this.#forget();
    this.read();
    this.shell.state.userKey = userKey;
    this.#make();
    this.changed();
    await this.recall();
  }

  /** Deletes what was said, on the server and here. */
  async erase(): Promise<void> {
    await this.transport.erase();
    local.set(this.#key, undefined);
    await this.erased();
  }

  /** Nothing of the person stays here, also where another tab erased them. */
  async erased(): Promise<void> {
    const { options, state } = this.shell;
    const { userKey } = state;
    this.#unsent.clear();
    local.set(`${this.#key}:read:${userKey}`, undefined);
    const left = this.become(options.userKey ?? "");
    await cache.remove(`${this.#key}:${userKey}`);
    await left;
  }

  get draftKey(): string {
    return `${this.#key}:draft`;
  }

  /** The window shows what there is. */
  read(): void {
    this.#seen(true);
    if (this.shell.state.unread) {
      this.shell.state.unread = 0;
      this.shell.emit("unread", 0);
      this.shell.paint();
    }
    this.transport.read();
    this.changed();
  }

  /** `missed`: it came while nobody looked, so that a line says where it begins. */
  #seen(missed: boolean): void {
    if (!this.shell.state.isOpen) return;
    const key = `${this.#key}:read:${this.shell.state.userKey}`;
    const last = local.get<number>(key) ?? 0;
    const newest = this.timeline.messages.at(-1)?.rev ?? 0;
    if (newest <= last) return;
    if (missed) this.line = last;
    local.set(key, newest);
  }

  /** One after the other, where somebody looks on and wants motion, and nothing of their own waits below. */
  #paces({ arrived, clientId, messages }: Turn): boolean {
    const { isOpen, view } = this.shell.state;
    return (
      arrived === "now" &&
      isOpen &&
      view.current === "chat" &&
      document.visibilityState === "visible" &&
      !matchMedia("(prefers-reduced-motion: reduce)").matches &&
      (clientId !== undefined || !messages.some(({ isUser }) => isUser)) &&
      !this.timeline.items.at(-1)?.status
    );
  }

  close(): void {
    this.transport.close();
    this.#follow?.();
  }

  /** What this tab keeps is of one person. */
  #leave(): void {
    for (const name of [":draft", ":place", ":since"]) perTab.set(this.#key + name, undefined);
  }

  #forget(): void {
    clearTimeout(this.#saveTimer);
    clearTimeout(this.#typingTimer);
    this.#leave();
    this.person += 1;
    this.tray = [];
    this.agentTyping = this.problem = null;
    this.timeline.clear();
    this.notes.length = 0;
    this.pressed.clear();
    this.started = this.loading = this.more = false;
    this.#next = 0;
    this.hidden = null;
    this.line = 0;
    this.pace.end();
    this.#callStatus = null;
  }

  #make(): void {
    const { shell } = this;
    const key = this.#key;
    const { userKey } = shell.options;
    const earlier = local.get<Session>(key);
    const resume = earlier && (userKey ? earlier.userKey === userKey : earlier.userKey.startsWith("anon_")) ? earlier : undefined;
    if (!shell.state.userKey && resume) shell.state.userKey = resume.userKey;
    const unsent = (this.#unsent = outbox(`${key}:out:`, () => shell.state.userKey));
    const left = unsent.read();
    this.timeline.setOutbox(left);
    const transport: Transport = new Transport(
      {
        host: shell.host,
        botId: shell.botId,
        userKey,
        identity: shell.options.identity || shell.options.userHash,
        resume,
        outbox: left,
      },
      {
        session: (session) => {
          local.set(key, session);
          shell.state.userKey = session.userKey;
        },
        turn: (turn) => {
          const fresh = this.timeline.add(turn);
          this.agentTyping = null;
          const paces = this.#paces(turn);
          if (!paces || fresh.some(({ isUser }) => isUser)) this.pace.end();
          if (paces) this.pace.add(fresh.filter(({ isUser }) => !isUser));
          this.#seen(turn.arrived === "missed" && transport.status !== "online");
          for (const message of fresh) {
            shell.emit("message", message);
            if (message.isUser) continue;
            this.heard(message);
            if (!shell.state.isOpen && !shell.page) shell.state.unread += 1;
          }
          if (!shell.state.isOpen && fresh.length) {
            shell.emit("unread", shell.state.unread);
            shell.paint();
          }
          this.#save();
          this.changed();
        },
        standing: ({ call }) => {
          const before = this.#callStatus;
          this.#callStatus = call.status;
          if (call.status !== "waiting") perTab.set(`${key}:since`, undefined);
          else if (before !== call.status) {
            this.since = (before === null && perTab.get<number>(`${key}:since`)) || Date.now();
            perTab.set(`${key}:since`, this.since);
          }
          if (before !== null && before !== call.status) {
            const name = agentName(call.agent);
            if (call.status === "in_progress" && shell.state.theme.announceAgent !== false) this.notes.push({ after: transport.rev, kind: "joined", name });
            if (before === "in_progress") this.notes.push({ after: transport.rev, kind: "ended" });
            shell.emit("agent", call);
            shell.emit("state", call.status);
          }
          this.changed();
        },
        history: (messages, more, next) => {
          this.timeline.prepend(messages);
          this.more = more;
          this.#next = next;
          this.#seen(true);
          this.#save();
          this.changed();
        },
        reset: () => {
          this.pace.end();
          this.timeline.clear();
          this.#next = 0;
          this.changed();
        },
        outbox: (entries) => {
          this.timeline.setOutbox(entries);
          unsent.write(entries);
          this.changed();
        },
        typing: (by) => {
          if (by === "user") return;
          this.agentTyping = by;
          clearTimeout(this.#typingTimer);
          this.#typingTimer = window.setTimeout(() => {
            this.agentTyping = null;
            this.changed();
          }, TYPING_MS);
          this.changed();
        },
        status: (status) => this.#connection(status),
        error: (error) => {
          this.problem = error.code === "rate_limited" ? "tooFast" : error.code === "too_large" ? "tooLong" : this.problem;
          shell.emit("error", error);
          this.changed();
        },
      },
    );
    this.transport = transport;
  }

  #connection(status: Status): void {
    clearTimeout(this.#barTimer);
    const show = (bar: Chat["bar"]): void => {
      this.bar = bar;
      this.changed();
    };
    if (status === "refused") show("refused");
    else if (status === "offline") {
      if (this.bar !== "lost") this.#barTimer = window.setTimeout(show, SILENT_MS, "lost");
    } else if (status === "online" && this.bar === "lost") {
      show("connected");
      this.#barTimer = window.setTimeout(show, 2_000, "");
    } else if (this.bar !== "lost") show("");
  }

  #save(): void {
    clearTimeout(this.#saveTimer);
    this.#saveTimer = window.setTimeout(() => {
      const { session, rev } = this.transport;
      if (session) void cache.write(`${this.#key}:${session.userKey}`, { rev, messages: this.timeline.messages });
    }, 50);
  }
}

export function agentName(agent?: Agent | null): string | undefined {
  return agent?.displayName ?? agent?.profile?.displayName;
}

/**
 * Photos are drawn anew at 2,048 px at most, which also drops where they were taken; animations stay as they are. What the server
 * does not take becomes a JPEG, if the browser can read it.
 */
async function prepared(file: File): Promise<File> {
  const { type } = file;
  const taken = IMAGE.test(type);
  if (type === "image/gif") return file;
  const picture = await createImageBitmap(file).catch(() => {
    throw new ChatError(taken ? "fileFailed" : "fileType");
  });
  const scale = Math.min(1, 2048 / Math.max(picture.width, picture.height));
  if (scale === 1 && taken && type !== "image/jpeg") return file;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, /png|webp/.test(type) ? type : "image/jpeg", 0.9));
  if (!blob) throw new ChatError("fileFailed");
  const name = blob.type === type ? file.name : file.name.replace(/(?:\.\w+)?$/, blob.type === "image/png" ? ".png" : ".jpg");
  return new File([blob], name, { type: blob.type });
}
