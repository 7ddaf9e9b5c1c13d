import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ClientFrame, type Handlers, type Message, type Options, type Outgoing, TIMES, Timeline, Transport } from "../src/index";

/** The promises about time, on a clock that the test turns, and about answers that a network garbles. */

const START = new Date("2026-11-22T09:00:00Z");
const HOUR = 3_600_000;
const messages = (rev: number, ...texts: string[]): Message[] =>
  texts.map((text, index) => ({ id: `${rev}.${index}`, rev, isUser: text.startsWith("> "), data: { type: "text", text: text.replace("> ", "") }, timestamp: 0 }));
const turn = (rev: number, texts: string[], rest: object = {}) => ({ type: "messages", rev, since: rev - 1, messages: messages(rev, ...texts), keyboard: null, call: { status: "none" }, conversationId: "c", ...rest });
const context = (rev: number, told: Message[] = []) => ({ type: "context", rev, messages: told, keyboard: null, call: { status: "none" }, context: { botId: "b", conversationId: "c", endUserId: "e", userKey: "kim" } });

class FakeSocket {
  static all: FakeSocket[] = [];
  /** Whether sockets open at all. */
  static works = true;
  readyState = 0;
  sent: ClientFrame[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  constructor(readonly url: string, readonly protocols: string[]) {
    FakeSocket.all.push(this);
    if (FakeSocket.works) queueMicrotask(() => ((this.readyState = 1), this.onopen?.()));
    else setTimeout(() => this.onclose?.(), 1);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.closed = true;
  }
  hear(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  said(type: string): ClientFrame[] {
    return this.sent.filter((frame) => frame.type === type);
  }
}

interface Server {
  calls: { path: string; body: Record<string, unknown> | null }[];
  rev: number;
  /** Answers a call instead of the server. */
  instead: ((path: string, body: Record<string, unknown> | null) => Response | Promise<Response> | undefined) | null;
}

const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status });
let server: Server;
const fetcher = (async (input: string, init: RequestInit) => {
  const path = input.replace("http://h/webchat/v1", "");
  const body = init.body ? JSON.parse(String(init.body)) : null;
  server.calls.push({ path, body });
  const other = await server.instead?.(path, body);
  if (other) return other;
  if (path === "/sessions") {
    const { length } = server.calls;
    return json({ token: `t${length}`, expiresAt: new Date(START.getTime() + HOUR).toISOString(), endUserId: "e", userKey: "kim", conversationId: "c", socketUrl: "ws://s", rev: server.rev }, 201);
  }
  if (path.startsWith("/messages?before")) return json({ items: [], rev: 1, more: false });
  if (path.startsWith("/messages?after")) return json(context(server.rev));
  return json(context(server.rev));
}) as typeof fetch;
const sessions = () => server.calls.filter(({ path }) => path === "/sessions");

let open: Transport[] = [];
beforeEach(() => {
  vi.useFakeTimers({ now: START });
  FakeSocket.all = [];
  FakeSocket.works = true;
  server = { calls: [], rev: 0, instead: null };
});
afterEach(() => {
  for (const transport of open) transport.close();
  open = [];
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const newest = () => FakeSocket.all.at(-1)!;
function client(options: Partial<Options> = {}, on: Handlers = {}): Transport {
  const transport = new Transport({ host: "http://h", botId: "b", random: () => 0.5, fetch: fetcher, WebSocket: FakeSocket as never, BroadcastChannel: null, ...options }, on);
  open.push(transport);
  return transport;
}
async function online(options: Partial<Options> = {}, on: Handlers = {}): Promise<Transport> {
  const transport = client(options, on);
  await transport.open();
  await vi.advanceTimersByTimeAsync(0);
  newest().hear(context(server.rev));
  expect(transport.status).toBe("online");
  return transport;
}
/** Time goes by, and the newest socket answers pings. */
async function pass(ms: number, step = 1_000): Promise<void> {
  for (let left = ms; left > 0; left -= step) {
    await vi.advanceTimersByTimeAsync(Math.min(step, left));
    for (const socket of FakeSocket.all) if (!socket.closed && socket.sent.at(-1)?.type === "ping") (socket.sent.push({ type: "read", rev: 0 }), socket.hear({ type: "pong", rev: server.rev }));
  }
}

describe("the planned end of a socket", () => {
  it("opens the next one before 1 h 50 min while the old one works, and gives the old one up when the new one is in", async () => {
    const states: string[] = [];
    const one = await online({}, { status: (status) => states.push(status) });
    states.length = 0;
    const [old] = FakeSocket.all;
    await pass(TIMES.replace * 0.96, 60_000);
    expect(FakeSocket.all).toHaveLength(1);
    while (FakeSocket.all.length < 2) await pass(1_000);
    expect(Date.now() - START.getTime()).toBeLessThanOrEqual(TIMES.replace);
    one.send({ type: "text", text: "meanwhile" });
    expect(old!.said("message")).toHaveLength(1);
    expect(old!.closed).toBe(false);
    newest().hear(context(0));
    expect(old!.closed).toBe(true);
    expect(newest().said("message")).toEqual(old!.said("message"));
    expect(states).toEqual([]);
    expect(TIMES.replace).toBe(110 * 60_000);
  });

  it("keeps the old one when the new one fails, and tries again", async () => {
    const states: string[] = [];
    await online({}, { status: (status) => states.push(status) });
    states.length = 0;
    FakeSocket.works = false;
    await pass(TIMES.replace + 60_000, 60_000);
    expect(FakeSocket.all.length).toBeGreaterThan(2);
    expect(FakeSocket.all[0]!.closed).toBe(false);
    expect(states).toEqual([]);
  });
});

describe("silence", () => {
  it("pings every five minutes, and gives a socket up that says nothing for five seconds", async () => {
    const one = await online();
    await pass(TIMES.ping * 3, 10_000);
    expect(newest().said("ping")).toHaveLength(3);
    expect([TIMES.ping, TIMES.pong]).toEqual([300_000, 5_000]);
    await vi.advanceTimersByTimeAsync(TIMES.ping);
    expect(one.status).toBe("online");
    await vi.advanceTimersByTimeAsync(4_999);
    expect(one.status).toBe("online");
    await vi.advanceTimersByTimeAsync(1);
    expect(one.status).toBe("offline");
  });

  it.each([-12 * HOUR, 12 * HOUR])("a clock that jumps by %i ms ends no socket that works and makes no storm of sessions", async (jump) => {
    const one = await online();
    vi.setSystemTime(Date.now() + jump);
    one.wake();
    await pass(20_000);
    expect([one.status, FakeSocket.all.length]).toEqual(["online", 1]);
    await one.older(1);
    await one.older(1);
    await one.setParams({ a: 1 });
    expect(sessions().length).toBeLessThanOrEqual(2);
  });

  it.each(["online", "pageshow", "resume", "visibilitychange"])("asks a socket whether it lives on %s", async (event) => {
    const target = new EventTarget();
    vi.stubGlobal("addEventListener", target.addEventListener.bind(target));
    vi.stubGlobal("removeEventListener", target.removeEventListener.bind(target));
    const one = await online();
    target.dispatchEvent(new Event(event));
    expect(newest().said("ping")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(TIMES.pong);
    expect(one.status).toBe("offline");
  });
});

describe("trying again", () => {
  it("waits longer each time, by chance, and never longer than 30 s", async () => {
    const waits: number[] = [];
    let last = 0;
    server.instead = (path) => {
      if (path !== "/sessions") return undefined;
      if (last) waits.push(Date.now() - last);
      last = Date.now();
      return json({}, 503);
    };
    let chance = 0;
    const one = client({ random: () => (chance = (chance + 0.37) % 1) });
    void one.open().catch(() => undefined);
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
    expect(Math.min(...waits.slice(6))).toBeGreaterThanOrEqual(15_000);
    expect(new Set(waits.slice(6)).size).toBeGreaterThan(5);
  });

  it("tries at once when the network comes back while it waits", async () => {
    server.instead = () => json({}, 503);
    const one = client();
    const opened = one.open();
    await vi.advanceTimersByTimeAsync(120_000);
    server.instead = null;
    const { length } = sessions();
    one.wake();
    await opened;
    expect(sessions()).toHaveLength(length + 1);
  });
});

describe("a token", () => {
  it("that ended while the lid was closed is renewed, with who we were and without the identity that is over", async () => {
    await online({ userKey: "kim", identity: "jwt" });
    vi.setSystemTime(Date.now() + 3 * HOUR);
    newest().onclose!();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(sessions().map(({ body }) => [body!.identity, body!.resume])).toEqual([["jwt", undefined], [undefined, "t1"]]);
    expect(newest().protocols).toEqual(["malgil.v1", "t2"]);
  });

  it("that nobody takes any more is given up for a new start by the identity", async () => {
    server.instead = (path, body) => (path === "/sessions" && body!.resume ? json({ error: { code: "access_denied" } }, 403) : undefined);
    const resume = { token: "old", expiresAt: START.toISOString(), endUserId: "e", userKey: "kim", conversationId: "c", socketUrl: null, rev: 0 };
    await online({ userKey: "kim", identity: "jwt", resume });
    expect(sessions().map(({ body }) => [body!.identity, body!.resume])).toEqual([[undefined, "old"], ["jwt", undefined]]);
  });

  it("whose renewal is refused ends the talk, and says so", async () => {
    const one = await online({ userKey: "kim", identity: "jwt" });
    server.instead = (path) => (path === "/sessions" ? json({ error: { code: "access_denied" } }, 403) : undefined);
    vi.setSystemTime(Date.now() + 3 * HOUR);
    newest().onclose!();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(one.status).toBe("refused");
  });

  it("that only the server calls old is renewed over HTTP too, also where it polls", async () => {
    FakeSocket.works = false;
    const one = client();
    await one.open();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(one.status).toBe("online");
    let refusals = 1;
    server.instead = (path) => (path.startsWith("/messages?after") && refusals-- > 0 ? json({ error: { code: "expired" } }, 401) : undefined);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([one.status, sessions().length]).toEqual(["online", 2]);
  });
});

describe("answers that are garbled", () => {
  const cut = (status: number) => new Response(new ReadableStream({ start: (body) => body.error(new TypeError("terminated")) }), { status });
  it("are no refusal: a session's is asked for again", async () => {
    let times = 2;
    server.instead = (path) => (path === "/sessions" && times-- > 0 ? (times ? cut(201) : new Response("<html>hotel</html>", { status: 200 })) : undefined);
    const one = client();
    const opened = one.open();
    await vi.advanceTimersByTimeAsync(10_000);
    expect((await opened).userKey).toBe("kim");
  });

  it("are no acknowledgement: a message over HTTP goes out again", async () => {
    FakeSocket.works = false;
    const one = client();
    await one.open();
    await vi.advanceTimersByTimeAsync(10_000);
    let times = 1;
    server.instead = (path, body) => {
      if (path !== "/messages") return undefined;
      if (times-- > 0) return cut(200);
      server.rev = 1;
      return json(turn(1, ["> a", "re a"], { clientId: body!.clientId }));
    };
    one.send({ type: "text", text: "a" });
    await vi.advanceTimersByTimeAsync(60_000);
    const sent = server.calls.filter(({ path }) => path === "/messages").map(({ body }) => body!.clientId);
    expect(sent).toHaveLength(2);
    expect(new Set(sent).size).toBe(1);
    expect(one.rev).toBe(1);
  });

  it("of a restart: it is asked for again by the same clientId, so that it happens once", async () => {
    const one = await online();
    let times = 1;
    server.instead = (path) => (path === "/messages" && times-- > 0 ? cut(200) : undefined);
    const started = one.start({}, true);
    await vi.advanceTimersByTimeAsync(10_000);
    await started;
    const asked = server.calls.filter(({ path }) => path === "/messages").map(({ body }) => body!);
    expect(asked.map(({ restart }) => restart)).toEqual([true, true]);
    expect(asked[0]!.clientId).toBeTruthy();
    expect(asked[1]!.clientId).toBe(asked[0]!.clientId);
  });
});

describe("what is on its way", () => {
  it("is shown until its turn is here, although it was acknowledged", async () => {
    const timeline = new Timeline();
    const one = await online({}, { turn: (told) => timeline.add(told), outbox: (outbox) => timeline.setOutbox(outbox) });
    one.send({ type: "text", text: "slow" }, "id");
    newest().hear({ type: "ack", clientId: "id", rev: 1 });
    expect(timeline.items.map(({ message }) => message.data.text)).toEqual(["slow"]);
    one.send({ type: "text", text: "next" }, "id2");
    expect(newest().said("message").map((frame) => "clientId" in frame && frame.clientId)).toEqual(["id", "id2"]);
    newest().hear(turn(1, ["> slow"]));
    newest().hear(turn(2, ["> next", "re next"], { clientId: "id2" }));
    expect(timeline.items.map(({ message, status }) => [message.data.text, status])).toEqual([["slow", undefined], ["next", undefined], ["re next", undefined]]);
  });

  it("is told once where a push brought a part of the answer before", async () => {
    const shown: string[] = [];
    const one = await online({}, { turn: (told) => shown.push(...told.messages.map(({ rev, data }) => `${rev} ${data.text}`)) });
    one.send({ type: "text", text: "order" }, "id");
    newest().hear(turn(1, ["> order"]));
    newest().hear(turn(2, ["done"], { since: 0, clientId: "id", messages: [...messages(1, "> order"), ...messages(2, "done")] }));
    expect(shown).toEqual(["1 order", "2 done"]);
  });

  it("that brings two turns at once is shown without asking", async () => {
    const shown: string[] = [];
    await online({}, { turn: (told) => shown.push(...told.messages.map(({ rev, data }) => `${rev} ${data.text}`)) });
    newest().hear(turn(2, [], { since: 0, messages: [...messages(1, "> order"), ...messages(2, "done")] }));
    expect(shown).toEqual(["1 order", "2 done"]);
    expect(newest().said("sync")).toHaveLength(1);
  });

  it("is asked for after a gap, once, and again when nothing came of it", async () => {
    const shown: string[] = [];
    const one = await online({}, { turn: (told) => shown.push(...told.messages.map(({ data }) => String(data.text))) });
    newest().hear(turn(2, ["two"]));
    newest().hear(turn(3, ["three"]));
    expect(newest().said("sync")).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(TIMES.pong);
    expect(newest().said("sync")).toHaveLength(3);
    newest().hear(context(3, [...messages(1, "one"), ...messages(2, "two"), ...messages(3, "three")]));
    expect([one.rev, ...shown]).toEqual([3, "one", "two", "three"]);
  });

  it("goes out as soon as what was too large for a frame was fetched", async () => {
    server.rev = 1;
    const one = client({ rev: 0 });
    await one.open();
    await vi.advanceTimersByTimeAsync(0);
    one.send({ type: "text", text: "waits" }, "id");
    server.rev = 2;
    newest().hear({ ...context(2), messages: [{ ...messages(2, "x")[0], data: undefined, tooLarge: true }] });
    await vi.advanceTimersByTimeAsync(100);
    expect(newest().said("message")).toHaveLength(1);
  });

  it("keeps its order and its ids over a reload, also where the clock went back", async () => {
    const kept: Outgoing[][] = [];
    const one = client({}, { outbox: (outbox) => kept.push(structuredClone([...outbox])) });
    one.send({ type: "text", text: "a" });
    vi.setSystemTime(Date.now() - HOUR);
    one.send({ type: "text", text: "b" });
    const left = kept.at(-1)!.sort((a, b) => a.at - b.at);
    expect(left.map(({ frame }) => frame.type === "message" && frame.data.text)).toEqual(["a", "b"]);
    one.close();
    await online({ outbox: left });
    expect(newest().said("message")).toMatchObject([{ clientId: left[0]!.clientId }]);
  });

  it("is handed to another tab when this one goes, and is sent by it with the same id", async () => {
    const target = new EventTarget();
    vi.stubGlobal("addEventListener", target.addEventListener.bind(target));
    const channels: { onmessage?: (event: { data: unknown }) => void }[] = [];
    class Channel {
      onmessage?: (event: { data: unknown }) => void;
      constructor() {
        channels.push(this);
      }
      postMessage(data: unknown): void {
        for (const other of channels) if (other !== this) other.onmessage?.({ data: structuredClone(data) });
      }
      close(): void {}
    }
    const leaving = await online({ BroadcastChannel: Channel as never });
    newest().onclose!();
    leaving.send({ type: "text", text: "bye" }, "id");
    await online({ BroadcastChannel: Channel as never });
    const [, staying] = FakeSocket.all;
    target.dispatchEvent(new Event("pagehide"));
    expect(staying!.said("message")).toMatchObject([{ clientId: "id" }]);
  });
});

describe("answers that come late", () => {
  it("a session's, older than what a push has told meanwhile, is no log that began anew", async () => {
    let resets = 0;
    const one = await online({}, { reset: () => (resets += 1) });
    newest().hear(turn(1, ["one"]));
    let answer!: (response: Response) => void;
    server.rev = 1;
    server.instead = (path) => (path === "/sessions" ? new Promise((resolve) => (answer = resolve)) : undefined);
    vi.setSystemTime(Date.now() + 2 * HOUR);
    const older = one.older(1);
    await vi.advanceTimersByTimeAsync(0);
    newest().hear(turn(2, ["two"]));
    answer(json({ token: "t", expiresAt: "", endUserId: "e", userKey: "kim", conversationId: "c", socketUrl: "ws://s", rev: 1 }, 201));
    await older;
    expect([one.rev, resets]).toEqual([2, 0]);
  });

  it("a session's, after the talk was closed, tells nobody of that person any more", async () => {
    const told: string[] = [];
    let answer!: (response: Response) => void;
    server.instead = () => new Promise((resolve) => (answer = resolve));
    const one = client({}, { session: ({ userKey }) => told.push(userKey), status: (status) => told.push(status) });
    const opened = one.open().catch(() => "ended");
    await vi.advanceTimersByTimeAsync(0);
    one.close();
    told.length = 0;
    answer(json({ token: "t", expiresAt: "", endUserId: "e", userKey: "kim", conversationId: "c", socketUrl: "ws://s", rev: 0 }, 201));
    expect(await opened).toBe("ended");
    expect(told).toEqual([]);
  });

  it("a page of history that was lost is asked for again, before anything else is shown", async () => {
    server.rev = 40;
    let times = 1;
    server.instead = (path) => (path.startsWith("/messages?before") && times-- > 0 ? json({}, 503) : undefined);
    const pages: number[] = [];
    const one = client({}, { history: (_, __, next) => pages.push(next) });
    const opened = one.open();
    await vi.advanceTimersByTimeAsync(10_000);
    await opened;
    expect([pages, one.rev]).toEqual([[1], 40]);
    expect(newest().said("sync")).toEqual([{ type: "sync", rev: 40 }]);
  });
});
