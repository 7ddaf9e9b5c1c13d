import {
  type Agent,
  type Button,
  ChatError,
  type Keyboard,
  type MessageData,
  type Params,
  type Place,
  type Session,
  type Status,
  Timeline,
  Transport,
} from "@malgil/protocol";
import { cache, outbox, stored } from "./cache";
import type { Shell } from "./shell";

const local = stored("localStorage");
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
  id: number;
  name: string;
  preview: string;
  share: number;
  error?: "fileLarge" | "fileType" | "fileFailed";
  file?: File;
}

const MAX_FILE = 10 * 1024 * 1024;
const MAX_FILES = 5;
const IMAGE = /^image\/(?:jpeg|png|gif|webp|bmp)$/;

/** One end user's talk as the window shows it. */
export class Chat {
  readonly timeline = new Timeline();
  readonly notes: Note[] = [];
  readonly pressed = new Set<string>();
  transport!: Transport;
  started = false;
  loading = false;
  bar: "" | "lost" | "connected" | "refused" = "";
  agentTyping: Agent | true | null = null;
  more = false;
  problem: string | null = null;
  tray: Tray[] = [];
  /** The keyboard of the newest turn; hidden once something was said. */
  hidden: Keyboard | null = null;

  readonly #listeners = new Set<() => void>();
  #key: string;
  #barTimer = 0;
  #typingTimer = 0;
  #saveTimer = 0;
  #fileIds = 0;
  /** The page of older messages comes before this revision. */
  #next = 0;
  #callStatus: string | null = null;

  constructor(readonly shell: Shell) {
    this.#key = `wc:${shell.botId}`;
    this.#make();
  }

  get keyboard(): Keyboard | null {
    const { keyboard } = this.transport.standing;
    return keyboard === this.hidden ? null : keyboard;
  }

  get hasHistory(): boolean {
    return this.timeline.messages.length > 0;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
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

  /** Connects, and begins the conversation if there is none. */
  async begin(options: { navigation?: Place; params?: Params; restart?: boolean } = {}): Promise<void> {
    if (options.params) this.shell.state.params = { ...this.shell.state.params, ...options.params };
    const { params } = this.shell.state;
    this.loading = true;
    this.problem = null;
    this.changed();
    try {
      const { transport } = this;
      const session = await transport.open();
      if (options.restart || session.conversationId === null) await transport.start(params, options.restart);
      else if (options.params) await transport.setParams(options.params);
      this.started = true;
      if (options.navigation) transport.send(options.navigation);
    } catch (error) {
      if (this.bar !== "refused") this.problem = "startFailed";
      this.shell.emit("error", error);
      throw error;
    } finally {
      this.loading = false;
      this.changed();
    }
  }

  say(data: MessageData): void {
    this.#ask(data);
  }

  press(button: Button, key?: string): void {
    if (key) this.pressed.add(key);
    const { label, payload, flowId, nodeId } = button;
    if (button.type === "goto" || (!button.type && flowId !== undefined)) {
      const id = this.#ask({ flowId: Number(flowId), ...(nodeId === undefined ? {} : { nodeId: Number(nodeId) }) });
      if (id) this.timeline.label(id, label);
      this.changed();
    } else this.#ask({ type: "text", text: label, ...(payload === undefined ? {} : { payload }) });
  }

  #ask(said: MessageData | Place): string | undefined {
    try {
      const id = this.transport.send(said);
      this.problem = null;
      this.hidden = this.transport.standing.keyboard;
      this.changed();
      return id;
    } catch (error) {
      this.problem = (error as ChatError).code === "queue_full" ? "full" : "startFailed";
      this.changed();
      return undefined;
    }
  }

  async older(): Promise<void> {
    if (!this.more) return;
    this.more = false;
    try {
      const page = await this.transport.older(this.#next || this.timeline.oldest + 1);
      this.timeline.prepend(page.messages);
      this.more = page.more;
      this.#next = page.next;
    } catch {
      this.more = true;
    }
    this.changed();
  }

  async attach(files: Iterable<File>): Promise<void> {
    const taken = [...files].slice(0, MAX_FILES).map((file) => {
      const error = !IMAGE.test(file.type) ? "fileType" : file.size > MAX_FILE ? "fileLarge" : undefined;
      const entry: Tray = { id: (this.#fileIds += 1), name: file.name, share: 0, file, preview: error ? "" : URL.createObjectURL(file), ...(error ? { error } : {}) };
      return entry as Tray;
    });
    this.tray = [...this.tray, ...taken];
    this.changed();
    for (const entry of taken) if (!entry.error) await this.upload(entry);
  }

  async upload(entry: Tray): Promise<void> {
    delete entry.error;
    try {
      const file = await shrink(entry.file!);
      const data = await this.transport.upload(file, (share) => {
        entry.share = share;
        this.changed();
      });
      if (!this.tray.includes(entry)) return;
      this.drop(entry);
      this.say(data);
    } catch {
      entry.error = "fileFailed";
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
    const wasStarted = this.started;
    this.transport.close();
    this.#forget();
    this.shell.state.userKey = userKey;
    this.#make();
    this.changed();
    await this.recall();
    if (wasStarted) await this.begin();
  }

  read(): void {
    if (this.shell.state.unread) {
      this.shell.state.unread = 0;
      this.shell.emit("unread", 0);
      this.shell.paint();
    }
    this.transport.read();
  }

  close(): void {
    this.transport.close();
    this.#listeners.clear();
  }

  #forget(): void {
    this.timeline.clear();
    this.timeline.setOutbox([]);
    this.notes.length = 0;
    this.pressed.clear();
    this.started = this.more = false;
    this.#next = 0;
    this.hidden = null;
    this.#callStatus = null;
  }

  #make(): void {
    const { shell } = this;
    const key = this.#key;
    const { userKey } = shell.options;
    const earlier = local.get<Session>(key);
    const resume = earlier && (!userKey || earlier.userKey === userKey) ? earlier : undefined;
    const identity = shell.options.identity ?? shell.options.userHash;
    if (!shell.state.userKey && resume) shell.state.userKey = resume.userKey;
    const unsent = outbox(`${key}:out:`, () => shell.state.userKey);
    const left = unsent.read();
    this.timeline.setOutbox(left);
    const transport: Transport = new Transport(
      {
        host: shell.host,
        botId: shell.botId,
        ...(userKey ? { userKey } : {}),
        ...(identity ? { identity } : {}),
        ...(resume ? { resume } : {}),
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
          for (const message of fresh) {
            shell.emit("message", message);
            if (!message.isUser && !shell.state.isOpen && !shell.page) shell.state.unread += 1;
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
          if (before !== null && before !== call.status) {
            const name = agentName(call.agent);
            if (call.status === "in_progress") this.notes.push({ after: transport.rev, kind: "joined", ...(name ? { name } : {}) });
            else if (before === "in_progress") this.notes.push({ after: transport.rev, kind: "ended" });
            shell.emit("agent", call);
            shell.emit("state", call.status);
          }
          this.changed();
        },
        history: (messages, more, next) => {
          this.timeline.prepend(messages);
          this.more = more;
          this.#next = next;
          this.#save();
          this.changed();
        },
        reset: () => {
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

export function agentName(agent: Agent | undefined): string | undefined {
  return agent?.displayName ?? agent?.profile?.displayName;
}

/** Large photos are drawn anew at 2,048 px, which also drops where they were taken; animations stay as they are. */
async function shrink(file: File): Promise<File> {
  if (file.type === "image/gif" || !globalThis.createImageBitmap) return file;
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, 2048 / Math.max(picture.width, picture.height));
    if (scale === 1 && file.type !== "image/jpeg") return file;
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const type = file.type === "image/png" ? "image/png" : "image/jpeg";
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, 0.9));
    return blob ? new File([blob], file.name, { type }) : file;
  } catch {
    return file;
  }
}
