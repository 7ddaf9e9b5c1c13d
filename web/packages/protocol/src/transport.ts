import { Http, parse } from "./http";
import {
  type Agent,
  type Call,
  ChatError,
  type ClientFrame,
  type Context,
  type ContextFrame,
  type ErrorFrame,
  type HistoryPage,
  type Keyboard,
  type Message,
  type MessageData,
  type MessagesFrame,
  type Params,
  type Place,
  type ServerFrame,
  type Session,
} from "./types";

/** now: it was said this moment; tab: another tab told of it; missed: it was said while nobody listened. */
export type Arrival = "now" | "tab" | "missed";

/** One revision as it is shown: what was said, and what the composer offers afterwards. */
export interface Turn {
  rev: number;
  messages: Message[];
  /** The outgoing entry that this turn answers, where it is ours. */
  clientId?: string;
  arrived: Arrival;
}

/** What stands after the newest revision. */
export interface Standing {
  keyboard: Keyboard | null;
  call: Call;
  conversationId: string | null;
}

/** queued: not sent yet; sending: sent, not acknowledged; failed: refused, waits for the person. */
export interface Outgoing {
  clientId: string;
  frame: Extract<ClientFrame, { type: "message" | "navigate" }>;
  state: "queued" | "sending" | "failed";
  at: number;
  /** The server has it: it becomes a turn of this revision, which is not here yet. */
  rev?: number;
}

/** idle: no session; online: the socket, or HTTP in its place, works; refused: the server does not want us. */
export type Status = "idle" | "connecting" | "online" | "offline" | "refused";

export interface Handlers {
  turn?(turn: Turn): void;
  standing?(standing: Standing): void;
  context?(context: Context): void;
  /** Messages before those that are known; `next` is what to ask older() for while there are more. */
  history?(messages: Message[], more: boolean, next: number): void;
  /** Another person, or a log that began anew: forget what is shown. */
  reset?(): void;
  status?(status: Status): void;
  outbox?(outbox: readonly Outgoing[]): void;
  typing?(by: "user" | Agent): void;
  error?(error: ChatError): void;
  session?(session: Session): void;
}

/** Times in milliseconds. */
export const TIMES = {
  backOffMin: 1_000,
  backOffMax: 30_000,
  ping: 300_000,
  pong: 5_000,
  /** Silence after a message, after which the socket is tested. */
  quiet: 8_000,
  /** No acknowledgement although the socket lives: sent again. */
  again: 30_000,
  opening: 10_000,
  replace: 110 * 60_000,
  /** Of a token, by this clock alone: it may be wrong, and jump. */
  renew: 59 * 60_000,
  pollFast: 2_000,
  pollSlow: 10_000,
};

export interface Options {
  host: string;
  botId: string;
  userKey?: string | undefined;
  /** A JWT by the customer's server that says who this is. */
  identity?: string | undefined;
  apiKey?: string;
  params?: Params;
  /** An earlier session, and the newest revision that is already shown. */
  resume?: Session;
  rev?: number;
  /** Messages that were not acknowledged when the page was left. */
  outbox?: Outgoing[];
  times?: Partial<typeof TIMES>;
  random?: () => number;
  fetch?: typeof fetch;
  WebSocket?: typeof WebSocket;
  /** null: this tab is alone. */
  BroadcastChannel?: typeof BroadcastChannel | null;
}

/** More messages are not kept while there is no connection. */
export const MAX_QUEUE = 20;
/** Who missed more than this reads the newest page instead. */
export const MAX_GAP = 200;
/** Sockets that never worked in a row until HTTP takes their place. */
const SOCKET_TRIES = 2;
const NO_CALL: Call = { status: "none" };

interface Link {
  socket: WebSocket;
  /** What was missed before it opened has arrived. */
  synced: boolean;
  /** How often it said something. */
  heard: number;
  /** A sync is on its way. */
  syncing: boolean;
  timers: Set<ReturnType<typeof setTimeout>>;
}

/**
 * One end user's conversation over a socket, or over HTTP where there is none.
 *
 * Revisions are shown once and in order: one that is known is dropped, and after a gap everything missed is asked for.
 * Messages go out one at a time, each again with the same clientId until it is acknowledged.
 */
export class Transport {
  readonly http: Http;
  session: Session | null;
  rev: number;
  status: Status = "idle";
  standing: Standing = { keyboard: null, call: NO_CALL, conversationId: null };

  readonly #times: typeof TIMES;
  readonly #random: () => number;
  readonly #Socket: typeof WebSocket;
  #outbox: Outgoing[] = [];
  #live: Link | null = null;
  #next: Link | null = null;
  #opening: Promise<Session> | null = null;
  #failures = 0;
  #socketFailures = 0;
  #overHttp = false;
  #exchanging = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #running = false;
  #closed = false;
  /** There is a conversation, or start was answered: what is said may go out, and opens one where there is none. */
  #begun = false;
  /** When the session came. */
  #since = 0;
  /** The newest revision that somebody told of. */
  #wanted = 0;
  #pendingParams: Params | null = null;
  #channel: BroadcastChannel | null = null;
  #channelName = "";
  /** Ends the pause between two tries. */
  #hurry: () => void = () => undefined;
  #lastTyping = 0;
  #lastRead = 0;
  #lastActivity = 0;

  constructor(
    private readonly options: Options,
    readonly on: Handlers,
  ) {
    this.http = new Http(options.host, options.apiKey, options.fetch);
    this.#times = { ...TIMES, ...options.times };
    this.#random = options.random ?? Math.random;
    this.#Socket = options.WebSocket ?? WebSocket;
    this.session = options.resume ?? null;
    this.rev = options.rev ?? 0;
    this.#adopt(options.outbox ?? []);
  }

  /** Opens the session and stays connected until close(). Rejects only when the server refuses. */
  async open(): Promise<Session> {
    if (!this.#running) {
      this.#running = true;
      this.#closed = false;
      this.#listen("addEventListener");
      this.#say("connecting");
    }
    return this.#insist(async () => {
      try {
        const session = await this.#ready();
        if (!this.#live && !this.#next && !this.#timer) this.#connect();
        return session;
      } catch (error) {
        if (!this.#closed) {
          const { retryable } = error as ChatError;
          if (!retryable) this.close();
          this.#say(retryable ? "offline" : "refused");
        }
        throw error;
      }
    });
  }

  close(): void {
    this.#running = false;
    this.#closed = true;
    this.#listen("removeEventListener");
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    for (const link of [this.#live, this.#next]) if (link) this.#drop(link);
    this.#live = this.#next = null;
    this.#channel?.close();
    this.#channel = null;
    this.#channelName = "";
    this.#say("idle");
  }

  #listen(how: "addEventListener" | "removeEventListener"): void {
    for (const name of ["online", "pageshow", "pagehide", "resume", "visibilitychange"]) globalThis[how]?.(name, this.wake, true);
  }

  /** Begins the conversation, or begins a new one; on one that is there nothing is written. */
  async start(params?: Params, restart = false): Promise<void> {
    await this.open();
    // A start whose answer was lost may have happened: it is known by its clientId.
    const clientId = newId(this.#random);
    await this.#insist(async () => {
      const answer = await this.#request({ type: "start", params, restart, rev: this.rev, clientId });
      if (answer.type === "error") throw toError(answer);
      this.#receive(answer, null, true);
      this.#begun = true;
      this.#flush();
    });
  }

  /** Queues a message or a jump; it is sent until the server has it. Throws when too many wait. */
  send(said: MessageData | Place, clientId: string = newId(this.#random)): string {
    if (this.#outbox.filter((entry) => entry.state !== "failed").length >= MAX_QUEUE) throw new ChatError("queue_full");
    const frame: Outgoing["frame"] =
      "flowId" in said ? { type: "navigate", clientId, ...said } : { type: "message", clientId, data: said };
    // Never two at once, nor back with the clock: they are said in this order also after a reload.
    const at = Math.max(Date.now(), (this.#outbox.at(-1)?.at ?? 0) + 1);
    this.#outbox.push({ clientId, frame, state: "queued", at });
    this.#lastActivity = Date.now();
    this.#changed();
    this.#flush();
    return clientId;
  }

  retry(clientId: string): void {
    const entry = this.#find(clientId);
    if (entry) entry.state = "queued";
    this.#changed();
    this.#flush();
  }

  /** Forgets a message that failed. */
  discard(clientId: string): void {
    this.#remove(clientId);
    this.#flush();
  }

  async setParams(params: Params): Promise<void> {
    this.#pendingParams = { ...this.#pendingParams, ...params };
    await this.#sendParams();
  }

  typing(): void {
    const now = Date.now();
    if (now - this.#lastTyping < 3_000 || !this.#live?.synced) return;
    this.#lastTyping = now;
    this.#post(this.#live, { type: "typing" });
  }

  read(): void {
    if (this.rev <= this.#lastRead || !this.#live?.synced) return;
    this.#lastRead = this.rev;
    this.#post(this.#live, { type: "read", rev: this.rev });
  }

  /** The page of messages before a revision. */
  older(before: number): Promise<HistoryPage> {
    return this.#call((token) => this.http.before(token, before));
  }

  /** Asks the server to forget this person; nothing of them, or no such person, is as good. */
  async erase(): Promise<void> {
    const { token } = await this.#ready();
    await this.http.erase(token).catch((error: ChatError) => {
      if (error.code !== "not_found") throw error;
    });
  }

  async upload(file: File, progress: (share: number) => void): Promise<MessageData> {
    const { name } = file;
    const ticket = await this.#call((token) => this.http.upload(token, { name, contentType: file.type, size: file.size }));
    await put(ticket.uploadUrl, ticket.headers, file, progress);
    return { type: "media", media: { ...ticket.media, altText: name } };
  }

  /** Try now: the person asked, the network came back, the laptop woke up. */
  readonly wake = (event?: Event): void => {
    // The tab may be gone for good: others send what it could not.
    if (event?.type === "pagehide") this.#channel?.postMessage(this.#outbox);
    if (!this.#running || globalThis.document?.visibilityState === "hidden") return;
    this.#hurry();
    if (this.#live) this.#probe(this.#live);
    else if (this.#timer && !this.#next) {
      clearTimeout(this.#timer);
      this.#timer = null;
      this.#connect();
    }
  };

  // ---- session

  /** A session whose token is good for a while. */
  #ready(): Promise<Session> {
    const { session } = this;
    const age = Date.now() - this.#since;
    if (session && this.#channelName && age >= 0 && age < this.#times.renew) return Promise.resolve(session);
    this.#opening ??= this.#renew().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #renew(): Promise<Session> {
    const { botId, userKey, identity, params } = this.options;
    const { session: before, rev: known } = this;
    const body = { botId, userKey: userKey || undefined, params };
    const anew = { ...body, identity };
    let session: Session;
    try {
      // Who came in with an identity stays who they are: it may be over by now.
      session = await this.http.session(before ? { ...body, resume: before.token } : anew);
    } catch (error) {
      const { code, retryable } = error as ChatError;
      if (!before || retryable || code === "not_found") throw error;
      session = await this.http.session(anew);
    }
    // What came meanwhile may be newer than the answer.
    if (known > 0 && (before?.endUserId !== session.endUserId || session.rev < known || session.rev - this.rev > MAX_GAP)) {
      this.rev = this.#wanted = 0;
      this.standing.conversationId = null;
      this.on.reset?.();
    }
    const page = this.rev === 0 && session.rev > 0 ? await this.http.before(session.token, session.rev + 1) : null;
    if (this.#closed) throw new ChatError("closed");
    this.session = session;
    this.#since = Date.now();
    this.standing.conversationId ??= session.conversationId;
    this.#begun ||= !!session.conversationId;
    this.#join(session);
    this.on.session?.(session);
    if (page) {
      this.on.history?.(page.items, page.more, page.rev);
      this.#reach(Math.max(this.rev, session.rev));
    }
    return session;
  }

  // ---- tabs

  #join(session: Session): void {
    const name = `malgil:${session.endUserId}`;
    if (name === this.#channelName) return;
    this.#channelName = name;
    this.#channel?.close();
    const Channel = this.options.BroadcastChannel === undefined ? globalThis.BroadcastChannel : this.options.BroadcastChannel;
    if (!Channel) return;
    this.#channel = new Channel(name);
    this.#channel.onmessage = ({ data }: MessageEvent) => {
      if (!Array.isArray(data)) return this.#receive(data as ServerFrame, null, false, true);
      this.#adopt(data as Outgoing[]);
      this.#changed();
      this.#flush();
    };
  }

  /** What another tab or an earlier visit left: whoever sends it, the server takes it once. */
  #adopt(left: Outgoing[]): void {
    for (const entry of left) {
      if (entry.rev || this.#find(entry.clientId) || hopeless(entry)) continue;
      if (entry.state === "sending") entry.state = "queued";
      this.#outbox.push(entry);
    }
  }

  // ---- connection

  #connect(): void {
    if (!this.#running || this.#next) return;
    this.#ready().then(
      (session) => this.#running && !this.#next && this.#openSocket(session),
      (error: ChatError) => this.#lost(error),
    );
  }

  #openSocket(session: Session): void {
    let socket: WebSocket | undefined;
    try {
      if (session.socketUrl) socket = new this.#Socket(session.socketUrl, ["malgil.v1", session.token]);
    } catch {
      // The page may open none.
    }
    if (!socket) {
      this.#socketFailures += SOCKET_TRIES;
      this.#lost();
      return;
    }
    const link: Link = { socket, synced: false, syncing: false, heard: 0, timers: new Set() };
    this.#next = link;
    this.#after(link, this.#times.opening, () => !link.synced && this.#gone(link));
    socket.onopen = () => {
      this.#post(link, { type: "sync", rev: this.rev });
      this.#ping(link);
      this.#after(link, this.#times.replace * (0.97 + 0.03 * this.#random()), () => this.#connect());
    };
    socket.onmessage = ({ data }: MessageEvent) => {
      link.heard += 1;
      this.#receive(parse(data) as ServerFrame | null, link);
    };
    socket.onclose = socket.onerror = () => this.#gone(link);
  }

  /** The socket has brought what was missed: it takes over. */
  #established(link: Link): void {
    link.synced = true;
    if (link !== this.#next) return;
    const old = this.#live;
    this.#live = link;
    this.#next = null;
    this.#failures = this.#socketFailures = 0;
    this.#overHttp = false;
    if (old) this.#drop(old);
    this.#requeue();
    this.#say("online");
    this.#flush();
    void this.#sendParams().catch(() => undefined);
  }

  #gone(link: Link): void {
    if (link !== this.#live && link !== this.#next) return;
    this.#drop(link);
    if (link === this.#live) this.#live = null;
    else {
      this.#next = null;
      this.#socketFailures += 1;
    }
    this.#requeue();
    // The planned replacement failed: the old socket still works.
    if (this.#live) this.#later(this.#backOff(), () => this.#connect());
    else if (!this.#next) this.#lost();
  }

  #drop(link: Link): void {
    for (const timer of link.timers) clearTimeout(timer);
    link.timers.clear();
    link.socket.onopen = link.socket.onmessage = link.socket.onclose = null;
    link.socket.onerror = () => undefined;
    link.socket.close();
  }

  /** No socket: another try later, and HTTP meanwhile where sockets never work. */
  #lost(error?: ChatError): void {
    if (!this.#running) return;
    if (error && !error.retryable) {
      this.on.error?.(error);
      this.close();
      this.#say("refused");
      return;
    }
    if (error || this.#socketFailures < SOCKET_TRIES) {
      if (!this.#live) this.#say("offline");
      this.#later(this.#backOff(error?.retryAfterMs), () => this.#connect());
      return;
    }
    this.#overHttp = true;
    void this.#poll();
  }

  async #poll(): Promise<void> {
    if (!this.#running || this.#live || this.#next) return;
    try {
      await this.#catchUp();
      this.#failures = 0;
      const back = this.status === "offline";
      this.#say("online");
      this.#flush();
      void this.#sendParams().catch(() => undefined);
      const fast = Date.now() - this.#lastActivity < 60_000;
      this.#socketFailures += 1;
      // The socket is tried again when the network is back, and now and then.
      const again = back || this.#socketFailures % 16 === 0;
      this.#later(fast ? this.#times.pollFast : this.#times.pollSlow, () => (again ? this.#connect() : void this.#poll()));
    } catch (error) {
      this.#overHttp = false;
      this.#lost(error as ChatError);
    }
  }

  /** Everything missed, over HTTP. */
  async #catchUp(): Promise<void> {
    for (;;) {
      const answer = await this.#call((token) => this.http.after(token, this.rev));
      if (answer.type === "error") throw toError(answer);
      const before = this.rev;
      this.#receive(answer, null);
      if (answer.type !== "context" || !answer.more || this.rev === before) return;
    }
  }

  #ping(link: Link): void {
    this.#after(link, this.#times.ping, () => {
      this.#probe(link);
      this.#ping(link);
    });
  }

  /** A socket that says nothing after a ping is dead. */
  #probe(link: Link): void {
    const { heard } = link;
    this.#post(link, { type: "ping" });
    this.#after(link, this.#times.pong, () => link.heard === heard && this.#gone(link));
  }

  #post(link: Link, frame: ClientFrame): void {
    if (link.socket.readyState === 1) link.socket.send(JSON.stringify(frame));
  }

  // ---- what comes in

  #receive(frame: ServerFrame | null, link: Link | null, started = false, fromTab = false): void {
    // API Gateway's own words have no type: nobody answered, and what was sent goes out again.
    switch (frame?.type) {
      case "messages":
        this.#receiveTurn(frame, fromTab);
        break;
      case "context":
        this.#receiveContext(frame, link, started);
        break;
      case "ack":
        this.#acknowledge(frame.clientId, frame.rev, fromTab);
        this.#lastActivity = Date.now();
        this.#behind(frame.rev);
        this.#flush();
        break;
      case "typing":
        this.on.typing?.(frame.by);
        break;
      case "agent":
        this.#stand(this.standing.keyboard, { status: frame.state, agent: frame.agent }, undefined);
        break;
      case "pong":
        this.#behind(frame.rev);
        break;
      case "error":
        this.#receiveError(frame, link);
        break;
    }
  }

  #receiveTurn(frame: MessagesFrame, fromTab: boolean): void {
    const { rev, clientId, since = rev - 1 } = frame;
    this.#wanted = Math.max(this.#wanted, rev);
    if (clientId !== undefined) this.#acknowledge(clientId, rev, fromTab);
    if (rev > this.rev && since <= this.rev && !cut(frame)) {
      this.#deliver(rev, frame.messages, fromTab ? "tab" : "now");
      this.#stand(frame.keyboard, frame.call, frame.conversationId);
      if (!fromTab) this.#channel?.postMessage({ ...frame, clientId: undefined });
    } else if (rev > this.rev) {
      // What lies between is missing, or this did not fit into a frame.
      if (cut(frame)) void this.#catchUp().catch(() => this.#resync());
      else this.#resync();
    }
    if (!fromTab) this.#flush();
  }

  #receiveContext(frame: ContextFrame, link: Link | null, started: boolean): void {
    if (link) link.syncing = false;
    // What HTTP leaves out as well is shown as a message of no known type.
    if (link && cut(frame)) {
      void this.#catchUp().then(
        () => this.#established(link),
        () => this.#gone(link),
      );
      return;
    }
    const fresh = frame.messages.filter((message) => message.rev > this.rev);
    const revs = [...new Set(fresh.map((message) => message.rev))].sort((a, b) => a - b);
    for (const rev of revs) {
      // What came with a start and was not there when the session opened is its greeting.
      const arrived = started && rev > this.session!.rev ? "now" : "missed";
      this.#deliver(rev, fresh.filter((message) => message.rev === rev), arrived);
    }
    const newest = frame.rev >= this.rev;
    this.#reach(Math.max(this.rev, frame.rev));
    if (newest && !frame.more) this.#stand(frame.keyboard, frame.call, frame.context.conversationId);
    this.on.context?.(frame.context);
    if (!link) return;
    if (frame.more) this.#post(link, { type: "sync", rev: this.rev });
    else {
      if (!link.synced) this.#established(link);
      if (this.rev < this.#wanted) this.#resync();
      this.#flush();
    }
  }

  #receiveError(frame: ErrorFrame, link: Link | null): void {
    const error = toError(frame);
    if (frame.code === "expired") {
      this.#since = -Infinity;
      if (link && link === this.#live) this.#connect();
      else if (link) this.#gone(link);
      return;
    }
    const entry = frame.clientId === undefined ? undefined : this.#find(frame.clientId);
    if (entry && error.retryable) setTimeout(() => this.#running && this.#again(entry), this.#backOff(error.retryAfterMs));
    else if (entry) {
      entry.state = "failed";
      this.#outbox = this.#outbox.filter((other) => !hopeless(other));
      this.#changed();
      this.#flush();
      // Without a clientId it answers our sync.
    } else if (frame.clientId === undefined && link && !link.synced) return this.#gone(link);
    this.on.error?.(error);
  }

  #acknowledge(clientId: string, rev: number, fromTab: boolean): void {
    this.#failures = 0;
    // Other tabs may have it too: the server forgets it after eight more.
    if (!fromTab) this.#channel?.postMessage({ type: "ack", clientId, rev });
    const entry = this.#find(clientId);
    if (entry) entry.rev = rev;
    if (rev <= this.rev) this.#remove(clientId);
  }

  /** Everything up to a revision is shown; so are our messages that became a part of it. */
  #reach(rev: number): void {
    this.rev = rev;
    this.#keep((entry) => !(entry.rev! <= rev));
  }

  #deliver(rev: number, messages: Message[], arrived: Arrival): void {
    const before = this.rev;
    this.rev = rev;
    this.#lastActivity = Date.now();
    this.on.turn?.({
      rev,
      messages: messages
        .map((message) => ({ ...message, rev: message.rev ?? rev, data: message.data ?? { type: "unknown" } }))
        .filter((message) => message.rev > before),
      clientId: this.#outbox.find((entry) => entry.rev === rev)?.clientId,
      arrived,
    });
    this.#reach(rev);
  }

  #stand(keyboard: Keyboard | null, call: Call | undefined, conversationId: string | null | undefined): void {
    this.standing = {
      keyboard,
      call: call ?? this.standing.call,
      conversationId: conversationId === undefined ? this.standing.conversationId : conversationId,
    };
    this.on.standing?.(this.standing);
  }

  #behind(rev: number): void {
    this.#wanted = Math.max(this.#wanted, rev);
    if (rev > this.rev) this.#resync();
  }

  #resync(): void {
    const link = this.#live;
    if (link && !link.syncing) {
      link.syncing = true;
      this.#post(link, { type: "sync", rev: this.rev });
      this.#after(link, this.#times.pong, () => {
        if (!link.syncing) return;
        link.syncing = false;
        if (this.rev < this.#wanted) this.#resync();
      });
    } else if (link) return;
    else if (this.#overHttp) void this.#catchUp().catch(() => undefined);
  }

  // ---- what goes out

  /** The first message that waits goes out; the next one when it is acknowledged, so that they stay in order. */
  #flush(): void {
    const entry = this.#outbox.find(({ state, rev }) => state !== "failed" && !rev);
    if (!entry || entry.state === "sending" || !this.#begun) return;
    const link = this.#live;
    if (link?.synced) {
      entry.state = "sending";
      this.#changed();
      this.#post(link, entry.frame);
      this.#after(link, this.#times.quiet, () => entry.state === "sending" && this.#find(entry.clientId) && this.#probe(link));
      this.#after(link, this.#times.again, () => this.#again(entry));
    } else if (this.#overHttp && !this.#exchanging) {
      entry.state = "sending";
      this.#exchanging = true;
      this.#changed();
      this.#request(entry.frame).then(
        (answer) => {
          this.#exchanging = false;
          this.#receive(answer, null);
          if (answer.type === "ack") void this.#catchUp().catch(() => undefined);
        },
        () => {
          // The next poll finds out what is wrong.
          this.#exchanging = false;
          this.#requeue();
        },
      );
    }
  }

  #again(entry: Outgoing): void {
    if (!this.#outbox.includes(entry) || entry.state === "failed" || entry.rev) return;
    entry.state = "queued";
    this.#changed();
    this.#flush();
  }

  /** What is under way may be lost. */
  #requeue(): void {
    for (const entry of this.#outbox) if (entry.state === "sending" && !entry.rev) entry.state = "queued";
    this.#changed();
  }

  #find(clientId: string): Outgoing | undefined {
    return this.#outbox.find((entry) => entry.clientId === clientId);
  }

  #remove(clientId: string): void {
    this.#keep((entry) => entry.clientId !== clientId);
  }

  #keep(which: (entry: Outgoing) => boolean): void {
    const rest = this.#outbox.filter(which);
    if (rest.length === this.#outbox.length) return;
    this.#outbox = rest;
    this.#changed();
  }

  #changed(): void {
    if (!this.#closed) this.on.outbox?.([...this.#outbox]);
  }

  /** Parameters are merged: to send them twice changes nothing, so they go over HTTP, whose answers have a question. */
  async #sendParams(): Promise<void> {
    const params = this.#pendingParams;
    if (!params || !this.#begun) return;
    this.#pendingParams = null;
    // Where there is no conversation, a start brings them.
    const started = !this.standing.conversationId;
    try {
      const answer = await this.#request(started ? { type: "start", params, rev: this.rev } : { type: "params", params });
      if (answer.type === "error") throw toError(answer);
      this.#receive(answer, null, started);
    } catch (error) {
      if ((error as ChatError).retryable) this.#pendingParams = { ...params, ...(this.#pendingParams as Params | null) };
      throw error;
    }
  }

  #request(frame: ClientFrame): Promise<ServerFrame> {
    return this.#call((token) => this.http.send(token, frame));
  }

  /** Over HTTP, with a new token once where the old one was refused. */
  async #call<T extends object>(ask: (token: string) => Promise<T>): Promise<T> {
    for (let last = false; ; last = true) {
      const { token } = await this.#ready();
      try {
        const answer = await ask(token);
        if ((answer as Partial<ErrorFrame>).code !== "expired") return answer;
        throw toError(answer as unknown as ErrorFrame);
      } catch (error) {
        if (last || (error as ChatError).code !== "expired") throw error;
        this.#since = -Infinity;
      }
    }
  }

  // ---- time

  #say(status: Status): void {
    if (status === this.status) return;
    this.status = status;
    this.on.status?.(status);
  }

  #backOff(asked?: number): number {
    const { backOffMin, backOffMax } = this.#times;
    if (asked) return asked;
    const most = Math.min(backOffMax, backOffMin * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    return Math.max(backOffMin, most * (0.5 + this.#random() / 2));
  }

  #later(ms: number, act: () => void): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#running) act();
    }, ms);
  }

  #after(link: Link, ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      link.timers.delete(timer);
      if (this.#running && (link === this.#live || link === this.#next)) act();
    }, ms);
    link.timers.add(timer);
  }

  async #insist<T>(act: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (!(error as ChatError).retryable || !this.#running) throw error;
        await this.#sleep(this.#backOff((error as ChatError).retryAfterMs));
      }
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#hurry = resolve;
      setTimeout(resolve, ms);
    });
  }
}

/** A jump that says nothing is not shown, so that nobody could try it again. */
function hopeless({ state, frame }: Outgoing): boolean {
  return state === "failed" && !frame.data;
}

/** The frame says that parts of it were left out, since they did not fit. */
function cut(frame: MessagesFrame | ContextFrame): boolean {
  return [frame, frame.keyboard, ...frame.messages].some((part) => part && "tooLarge" in part);
}

function toError(frame: ErrorFrame): ChatError {
  return new ChatError(frame.code, frame.message, frame.retryable ?? false, frame.retryAfterMs);
}

export function newId(random: () => number = Math.random): string {
  return globalThis.crypto?.randomUUID?.() ?? `${random()}${random()}`;
}

/** A file to a presigned address. fetch tells no progress, so XMLHttpRequest does it where there is one. */
function put(url: string, headers: Record<string, string>, file: Blob, progress: (share: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => progress(loaded / total);
    request.onload = () => (request.status < 300 ? resolve() : reject(new ChatError("upload", `HTTP ${request.status}`)));
    request.onerror = () => reject(new ChatError("network", "upload", true));
    request.send(file);
  });
}
