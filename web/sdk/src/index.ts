import {
  type Call,
  ChatError,
  type Context,
  type Keyboard,
  type Message,
  type MessageData,
  type Params,
  type Place,
  type Status,
  Transport,
} from "@malgil/protocol";

/** A client for those who draw the chat themselves: CLOSER's names, on our protocol. */

export interface SdkOptions {
  apiKey?: string;
  /** Where the server is; where this script came from unless told. */
  host?: string;
}

export interface OpenOptions {
  botId: string;
  userKey?: string;
  /** A JWT by your server that says who userKey is. */
  identity?: string;
  params?: Params;
}

export interface Events {
  open: undefined;
  close: undefined;
  error: ChatError;
  /** First the context of the conversation, then each message. */
  message: Context | Message;
  keyboard: Keyboard | null;
  agent: Call;
  typing: unknown;
  status: Status;
}

type Listener<Name extends keyof Events> = (detail: Events[Name]) => void;

export class Client {
  private readonly listeners = new Map<keyof Events, Set<Listener<never>>>();
  private readonly transport: Transport;
  private readonly opening: Promise<void>;
  private told = false;
  private closed = false;
  private readonly early: Message[] = [];

  constructor(host: string, apiKey: string | undefined, options: OpenOptions) {
    const { botId, userKey, identity, params } = options;
    this.transport = new Transport(
      {
        host,
        botId,
        ...(userKey ? { userKey } : {}),
        ...(identity ? { identity } : {}),
        // Keys of CLOSER say nothing to us: only ours are sent.
        ...(apiKey?.startsWith("mgk_") ? { apiKey } : {}),
      },
      {
        turn: ({ messages }) => messages.forEach((message) => this.message(message)),
        history: (messages) => messages.forEach((message) => this.message(message)),
        standing: ({ keyboard, call }) => {
          this.emit("keyboard", keyboard);
          this.emit("agent", call);
        },
        typing: (by) => this.emit("typing", by),
        status: (status) => this.emit("status", status),
        error: (error) => this.emit("error", error),
        context: (context) => this.tell(context),
      },
    );
    // Listeners that are added right after open() hear everything.
    this.opening = Promise.resolve()
      .then(() => this.transport.start(params))
      .catch((error: unknown) => {
        this.emit("error", error as ChatError);
        this.close();
      });
  }

  addListener<Name extends keyof Events>(name: Name, listener: Listener<Name>): this {
    const known = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, known.add(listener as Listener<never>));
    return this;
  }

  removeListener<Name extends keyof Events>(name: Name, listener: Listener<Name>): this {
    this.listeners.get(name)?.delete(listener as Listener<never>);
    return this;
  }

  /** Sends the bare data, such as {type: "text", text}. Resolves when it is queued. */
  async sendMessage(data: MessageData): Promise<void> {
    await this.opening;
    if (this.closed) throw new ChatError("NOT_STARTED", "the client is closed");
    this.transport.send(data);
  }

  /** The low level of CLOSER's client. */
  send(packet: { message: { data: MessageData } }): Promise<void> {
    return this.sendMessage(packet.message.data);
  }

  async navigate(place: Place): Promise<void> {
    await this.opening;
    this.transport.send(place);
  }

  async setParams(params: Params): Promise<void> {
    await this.opening;
    await this.transport.setParams(params);
  }

  sendTypingEvent(): void {
    this.transport.typing();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.transport.close();
    this.emit("close", undefined);
  }

  private tell(context: Context): void {
    if (this.told) return;
    this.told = true;
    this.emit("open", undefined);
    this.emit("message", context);
    for (const message of this.early.splice(0)) this.emit("message", message);
  }

  private message(message: Message): void {
    if (this.told) this.emit("message", message);
    else this.early.push(message);
  }

  private emit<Name extends keyof Events>(name: Name, detail: Events[Name]): void {
    for (const listener of this.listeners.get(name) ?? []) (listener as Listener<Name>)(detail);
  }
}

const script = globalThis.document?.currentScript as HTMLScriptElement | null | undefined;
const origin = script?.src.replace(/\/sdk\/[^/]*$/, "") ?? "";

export class WebChat {
  constructor(private readonly options: SdkOptions = {}) {}

  open(options: OpenOptions): Client {
    return new Client(this.options.host ?? origin, this.options.apiKey, options);
  }
}
