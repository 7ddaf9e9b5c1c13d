import {
  ChatError,
  type ClientFrame,
  type HistoryPage,
  type ServerFrame,
  type Session,
  type SessionRequest,
  type UploadTicket,
} from "./types";

const TIMEOUT_MS = 30_000;
const PAGE = 30;

/** The routes under /webchat/v1. Every failure is a ChatError. */
export class Http {
  constructor(
    private readonly host: string,
    private readonly apiKey?: string,
    private readonly fetcher: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  session(request: SessionRequest): Promise<Session> {
    return this.call("POST", "/sessions", this.apiKey, request) as Promise<Session>;
  }

  send(token: string, frame: ClientFrame): Promise<ServerFrame> {
    return this.call("POST", "/messages", token, frame) as Promise<ServerFrame>;
  }

  after(token: string, rev: number): Promise<ServerFrame> {
    return this.call("GET", `/messages?after=${rev}`, token) as Promise<ServerFrame>;
  }

  before(token: string, rev: number): Promise<HistoryPage> {
    return this.call("GET", `/messages?before=${rev}&limit=${PAGE}`, token) as Promise<HistoryPage>;
  }

  upload(token: string, file: { name: string; contentType: string; size: number }): Promise<UploadTicket> {
    return this.call("POST", "/uploads", token, file) as Promise<UploadTicket>;
  }

  /** Everything of the person is deleted. */
  erase(token: string): Promise<unknown> {
    return this.call("DELETE", "/end-user", token);
  }

  private async call(method: string, path: string, bearer?: string, body?: unknown): Promise<unknown> {
    try {
      const response = await this.fetcher(`${this.host}/webchat/v1${path}`, {
        method,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          ...(bearer && { authorization: `Bearer ${bearer}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        body: JSON.stringify(body),
      });
      // What was cut on its way rejects here; it may have been done.
      const text = await response.text();
      // Some frames have no answer.
      if (response.ok && !text && path === "/messages") return { type: "pong", rev: 0 };
      const answer = parse(text);
      // Of a frame's route, an error frame is an answer, whatever the status says.
      if (answer && (response.ok || "retryable" in (answer as object))) return answer;
      throw failure(response, answer);
    } catch (error) {
      if (error instanceof ChatError) throw error;
      throw new ChatError("network", String(error), true);
    }
  }
}

/** null for what is no JSON. */
export function parse(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return null;
  }
}

function failure(response: Response, answer: unknown): ChatError {
  const { status } = response;
  const said = (answer as { error?: { code?: string; message?: string }; code?: string; message?: string } | null) ?? {};
  const { code, message } = said.error ?? said;
  const seconds = Number(response.headers.get("retry-after"));
  const known = code ?? (status === 401 ? "expired" : "unavailable");
  // A good status without an answer is not the server's word.
  return new ChatError(known, message ?? `HTTP ${status}`, response.ok || status === 429 || status >= 500, seconds > 0 ? seconds * 1000 : undefined);
}
