/** What the web channel speaks: docs/web-chat.md says it to the world. */

export type Scalar = string | number | boolean | null;
export type Params = Record<string, Scalar>;

export interface Media {
  /** image, video, audio or link */
  contentType?: string;
  /** The older spelling of contentType. */
  type?: string;
  uri: string;
  altText?: string;
  name?: string;
  size?: number;
  width?: number;
  height?: number;
}

export interface Button {
  type?: string;
  label: string;
  uri?: string;
  payload?: string;
  flowId?: number;
  nodeId?: number;
}

export interface Card {
  title?: string;
  description?: string;
  media?: Media;
  uri?: string;
  buttons?: Button[];
}

export interface Location {
  title?: string;
  label?: string;
  latitude: number;
  longitude: number;
}

export interface MessageData {
  type: string;
  text?: string;
  media?: Media;
  cards?: Card[];
  location?: Location;
  buttons?: Button[];
  payload?: unknown;
}

export interface Persona {
  id?: string;
  displayName?: string;
  picture?: string;
}

export interface Message {
  id: string;
  rev: number;
  isUser: boolean;
  data: MessageData;
  /** Epoch milliseconds. */
  timestamp: number;
  endUserId?: string;
  conversationId?: string | null;
  requestId?: string;
  meta?: { custom?: string; sender?: { userKey: string; platform: string }; persona?: Persona } | null;
  persona?: Persona | null;
  delay?: number;
}

export interface Keyboard {
  type: string;
  buttons?: Button[];
  min?: number;
  max?: number;
  integer?: boolean;
  parse?: boolean;
  actions?: Record<string, string>;
  position?: unknown;
}

export interface Agent {
  id?: string;
  displayName?: string;
  picture?: string;
  profile?: { displayName?: string; picture?: string };
}

export interface Call {
  /** none, waiting, in_progress, completed or missed */
  status: string;
  agent?: Agent;
}

export interface Context {
  botId: string;
  conversationId: string | null;
  endUserId: string;
  navigation: unknown;
  params: Params;
  platform: string;
  userKey: string;
}

export interface Place {
  flowId: number;
  nodeId?: number;
  force?: boolean;
  /** What the press on a button said. */
  data?: MessageData;
}

export type ClientFrame =
  | { type: "start"; params?: Params | undefined; restart?: boolean; rev: number; clientId?: string }
  | { type: "message"; clientId: string; data: MessageData }
  | ({ type: "navigate"; clientId?: string } & Place)
  | { type: "params"; params: Params }
  | { type: "sync"; rev: number }
  | { type: "typing" }
  | { type: "read"; rev: number }
  | { type: "ping" };

export interface MessagesFrame {
  type: "messages";
  rev: number;
  /** The frame holds everything after this revision. */
  since?: number;
  clientId?: string;
  messages: Message[];
  keyboard: Keyboard | null;
  call?: Call;
  conversationId?: string | null;
  tooLarge?: boolean;
}

export interface ContextFrame {
  type: "context";
  context: Context;
  rev: number;
  messages: Message[];
  keyboard: Keyboard | null;
  call?: Call;
  more?: boolean;
  tooLarge?: boolean;
}

export interface ErrorFrame {
  type: "error";
  code: string;
  message?: string;
  clientId?: string;
  retryable?: boolean;
  retryAfterMs?: number;
}

export type ServerFrame =
  | MessagesFrame
  | ContextFrame
  | ErrorFrame
  | { type: "ack"; clientId: string; rev: number }
  | { type: "typing"; by: "user" | Agent }
  | { type: "agent"; state: string; agent?: Agent }
  | { type: "pong"; rev: number };

export interface Session {
  token: string;
  /** ISO 8601. */
  expiresAt: string;
  endUserId: string;
  userKey: string;
  conversationId: string | null;
  /** null: there is none, HTTP takes its place. */
  socketUrl: string | null;
  rev: number;
}

export interface SessionRequest {
  botId: string;
  userKey?: string | undefined;
  identity?: string | undefined;
  params?: Params | undefined;
  resume?: string;
}

export interface BotConfig {
  botId: string;
  enabled: boolean;
  title?: string;
  description?: string;
  theme?: Record<string, unknown>;
  locale?: string;
  uploads?: boolean;
  /** What is asked before the chat; a form that is not required may be skipped. */
  contactForm?: { required: boolean; fields: ("name" | "phone" | "email")[]; consent: string } | null;
  /** When agents are there: today's hours as text, and the next opening (ISO 8601) while they are not. */
  hours?: { open: boolean; text: string; opensAt: string | null } | null;
}

export interface HistoryPage {
  /** Oldest first; may be empty although there are more. */
  items: Message[];
  /** What to ask for next. */
  rev: number;
  more: boolean;
}

export interface UploadTicket {
  uploadUrl: string;
  headers: Record<string, string>;
  media: Media;
  expiresAt: string;
}

/** What went wrong, by the code of docs/web-chat.md, or one of ours: network, upload, closed, queue_full, NOT_STARTED. */
export class ChatError extends Error {
  override name = "ChatError";
  constructor(
    readonly code: string,
    message: string = code,
    readonly retryable = false,
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}
