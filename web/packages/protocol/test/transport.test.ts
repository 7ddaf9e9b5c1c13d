import { afterEach, describe, expect, it } from "vitest";
import { WebSocket as NodeSocket } from "ws";
import { FakeServer, seeded } from "../../../testing/fake-server.mjs";
import { type Handlers, MAX_QUEUE, type Message, type Options, Timeline, Transport, type Turn } from "../src/index";

const FAST = { backOffMin: 5, backOffMax: 40, ping: 150, pong: 120, quiet: 100, again: 300, opening: 400, pollFast: 20, pollSlow: 20 };
const echo = (frame: { start?: boolean; data?: { text?: string } }) => ({
  messages: [{ type: "text", text: frame.start ? "welcome" : `re ${frame.data?.text ?? "jump"}` }],
  keyboard: null,
});

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function serve(options: object = {}): Promise<any> {
  const server = await new FakeServer({ bot: echo, ...options } as never).listen();
  open.push(server);
  return server;
}

interface Client extends Transport {
  shown: Message[];
  turns: Turn[];
  timeline: Timeline;
  seen: string[];
}

function client(server: { host: string }, options: Partial<Options> = {}, on: Handlers = {}): Client {
  const turns: Turn[] = [];
  const timeline = new Timeline();
  const transport = new Transport(
    { host: server.host, botId: "demo", times: FAST, WebSocket: NodeSocket as never, BroadcastChannel: null, ...options },
    {
      turn: (turn) => (turns.push(turn), timeline.add(turn)),
      history: (messages) => timeline.prepend(messages),
      outbox: (outbox) => timeline.setOutbox(outbox),
      reset: () => timeline.clear(),
      ...on,
    },
  );
  open.push(transport);
  return Object.defineProperties(transport, {
    turns: { value: turns },
    timeline: { value: timeline },
    shown: { get: () => timeline.messages },
    seen: { get: () => timeline.messages.map((message) => message.data.text) },
  }) as Client;
}

async function until(holds: () => boolean, what: string, ms = 20_000): Promise<void> {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const only = (server: { logs: Map<string, any> }) => [...server.logs.values()][0];
const texts = (log: any): string[] => log.turns.flatMap((turn: any) => turn.messages.map((message: any) => message.data.text));

describe("a quiet network", () => {
  it("starts, sends and shows what is answered", async () => {
    const server = await serve();
    const one = client(server);
    await one.start();
    one.send({ type: "text", text: "a" });
    await until(() => one.seen.includes("re a"), "an answer");
    expect(one.seen).toEqual(["welcome", "a", "re a"]);
    expect(one.turns.map((turn) => turn.rev)).toEqual([1, 2]);
    expect(one.timeline.items.every((item) => item.status === undefined)).toBe(true);
  });

  it.each([true, false])("sends what is said after a start that said nothing (socket: %s)", async (socket) => {
    const server = await serve({ welcomes: false });
    server.noSocket = !socket;
    const one = client(server);
    await one.start();
    expect([one.seen, one.standing.conversationId]).toEqual([[], null]);
    one.send({ type: "text", text: "a" });
    await until(() => one.seen.includes("re a"), "an answer");
    expect([one.seen, one.standing.conversationId]).toEqual([["a", "re a"], only(server).conversationId]);
  });

  it("brings parameters by a start where nothing was said yet", async () => {
    const server = await serve({ welcomes: false });
    const one = client(server);
    await one.start();
    await one.setParams({ a: 1 });
    await one.setParams({ b: 2 });
    expect(only(server).params).toEqual({ a: 1, b: 2 });
    expect(server.frames.map((frame: any) => frame.type).filter((type: string) => type !== "sync")).toEqual(["start", "start", "params"]);
  });

  it("holds back what is said before the start is answered", async () => {
    const server = await serve();
    const one = client(server);
    await one.open();
    await until(() => one.status === "online", "online");
    one.send({ type: "text", text: "a" });
    await one.start();
    await until(() => one.seen.includes("re a"), "an answer");
    expect(one.seen).toEqual(["welcome", "a", "re a"]);
  });

  it("goes on after the person was erased elsewhere", async () => {
    const server = await serve();
    const one = client(server);
    await one.start();
    await until(() => one.status === "online", "online");
    const log = only(server);
    log.conversationId = null;
    server.push(log, server.turn(log, null, { messages: [], keyboard: null }));
    await until(() => one.standing.conversationId === null, "the erasure");
    one.send({ type: "text", text: "a" });
    await until(() => one.seen.includes("re a"), "an answer");
  });

  it("goes on where a renewed session is somebody new's", async () => {
    const server = await serve();
    const one = client(server);
    await one.start();
    await until(() => one.status === "online", "online");
    server.logs.clear();
    server.tokens.clear();
    server.cutAll();
    await until(() => one.status === "offline", "cut");
    await one.older(1);
    one.send({ type: "text", text: "b" });
    await until(() => one.seen.includes("re b"), "an answer");
    expect(one.session!.userKey).toBe([...server.logs.keys()][0]);
  });

  it("brings with a start in an open talk what came meanwhile, as missed, and doubles nothing", async () => {
    const server = await serve();
    const one = client(server, { userKey: "kim" });
    await one.start();
    one.close();
    const log = only(server);
    server.turn(log, null, { messages: [{ type: "text", text: "from an agent" }] });
    const two = client(server, { userKey: "kim", resume: one.session!, rev: one.rev });
    await two.start();
    await until(() => two.status === "online", "online");
    expect(two.turns.map(({ rev, arrived }) => [rev, arrived])).toEqual([[2, "missed"]]);
    expect(texts(log)).toEqual(["welcome", "from an agent"]);
  });

  it("welcomes whoever comes back where the bot wants that, once although the answer was lost", async () => {
    const server = await serve({ restores: false });
    const one = client(server, { userKey: "kim" });
    await one.start();
    one.close();
    const two = client(server, { userKey: "kim", resume: one.session!, rev: one.rev });
    await two.open();
    const { step } = server;
    let lost = false;
    server.step = (log: object, frame: { type: string }, ...rest: unknown[]) => {
      const answer = step.call(server, log, frame, ...rest);
      if (frame.type !== "start" || lost) return answer;
      lost = true;
      return { type: "error", code: "unavailable", retryable: true };
    };
    await two.start();
    expect([lost, two.turns.map(({ rev }) => rev), texts(only(server))]).toEqual([true, [2], ["welcome", "welcome"]]);
  });

  it("sends no second message before the first is acknowledged", async () => {
    const server = await serve();
    const one = client(server);
    await one.start();
    await until(() => one.status === "online", "online");
    server.answerDelay = 20;
    for (const text of ["a", "b", "c"]) one.send({ type: "text", text });
    expect(one.timeline.items.map((item) => item.status).filter(Boolean)).toEqual(["sending", "queued", "queued"]);
    await until(() => one.seen.includes("re c"), "all answers");
    expect(one.seen).toEqual(["welcome", "a", "re a", "b", "re b", "c", "re c"]);
    expect(server.frames.filter((frame: any) => frame.type === "message")).toHaveLength(3);
  });

  it("shows a reply that comes after the acknowledgement", async () => {
    const server = await serve();
    const one = client(server);
    await one.start();
    one.send({ type: "text", text: "slow" });
    await until(() => one.seen.includes("late"), "the late reply");
    expect(one.seen).toEqual(["welcome", "slow", "late"]);
  });

  it("shows every message in all tabs of one end user, once", async () => {
    const server = await serve();
    const one = client(server, { userKey: "kim", BroadcastChannel });
    const two = client(server, { userKey: "kim", BroadcastChannel });
    await one.start();
    await two.start();
    await until(() => two.status === "online", "the second tab");
    one.send({ type: "text", text: "from one" });
    two.send({ type: "text", text: "from two" });
    const all = () => [one, two].every((tab) => tab.seen.includes("re from one") && tab.seen.includes("re from two"));
    await until(all, "both messages in both");
    expect(one.seen).toEqual(two.seen);
    expect(one.seen).toEqual(texts(only(server)));
  });

  it("reads the newest page first where a long talk is opened anew", async () => {
    const server = await serve();
    const one = client(server, { userKey: "kim" });
    await one.start();
    const log = only(server);
    for (let n = 0; n < 60; n += 1) server.turn(log, { type: "text", text: `m${n}` }, { messages: [] });
    const two = client(server, { userKey: "kim" });
    await two.open();
    await until(() => two.status === "online", "online");
    expect(two.seen).toEqual(texts(log).slice(-30));
    const page = await two.older(two.timeline.oldest);
    expect(page.rev).toBe(page.items[0]!.rev);
    two.timeline.prepend(page.items);
    expect(two.seen).toEqual(texts(log).slice(-60));
    expect(page.more).toBe(true);
  });
});

describe("a network that fails", () => {
  it("sends what was written offline when the network is back, in order", async () => {
    const server = await serve();
    const one = client(server);
    await one.start();
    await until(() => one.status === "online", "online");
    server.down = true;
    server.cutAll();
    await until(() => one.status === "offline", "offline");
    for (const text of ["a", "b", "c"]) one.send({ type: "text", text });
    expect(one.timeline.items.slice(-3).map((item) => item.status)).toEqual(["queued", "queued", "queued"]);
    server.down = false;
    await until(() => one.seen.includes("re c"), "all answers");
    expect(one.seen).toEqual(["welcome", "a", "re a", "b", "re b", "c", "re c"]);
  });

  it("keeps at most twenty messages", async () => {
    const server = await serve();
    const one = client(server);
    await one.start();
    server.down = true;
    server.cutAll();
    await until(() => one.status === "offline", "offline");
    for (let n = 0; n < MAX_QUEUE; n += 1) one.send({ type: "text", text: "x" });
    expect(() => one.send({ type: "text", text: "x" })).toThrow("queue_full");
  });

  it("speaks HTTP where sockets never open", async () => {
    const server = await serve();
    server.socketsRefused = true;
    const one = client(server);
    await one.start();
    for (const text of ["a", "b"]) one.send({ type: "text", text });
    await until(() => one.seen.includes("re b"), "answers over HTTP");
    server.agent(only(server), "in_progress", { id: "1", displayName: "Lee" }, "hello");
    await until(() => one.seen.includes("hello"), "the agent's words");
    expect(one.status).toBe("online");
    expect(one.seen).toEqual(["welcome", "a", "re a", "b", "re b", "hello"]);
  });

  it("speaks HTTP where the installation has no socket", async () => {
    const server = await serve();
    server.noSocket = true;
    const one = client(server);
    await one.start();
    await one.setParams({ a: 1 });
    one.send({ type: "text", text: "a" });
    await until(() => one.seen.includes("re a"), "an answer over HTTP");
    expect([one.status, only(server).params]).toEqual(["online", { a: 1 }]);
  });

  it("goes back to the socket when it opens again", async () => {
    const server = await serve();
    server.socketsRefused = true;
    const one = client(server);
    await one.start();
    await until(() => one.status === "online", "HTTP");
    server.socketsRefused = false;
    await until(() => server.sockets.size === 1, "a socket");
  });

  it("sees that a silent socket is dead", async () => {
    const server = await serve();
    const one = client(server);
    await one.start();
    await until(() => one.status === "online", "online");
    const [socket] = server.sockets;
    socket.removeAllListeners("message");
    one.send({ type: "text", text: "a" });
    await until(() => one.seen.includes("re a"), "an answer over another socket");
    expect(texts(only(server)).filter((text) => text === "a")).toHaveLength(1);
  });

  it("replaces the socket as planned and misses nothing meanwhile", async () => {
    const server = await serve();
    const states: string[] = [];
    const on: Handlers = {};
    const one = client(server, { times: { ...FAST, replace: 40 } }, on);
    await one.start();
    await until(() => one.status === "online", "online");
    one.on.status = (status: string) => states.push(status);
    const log = only(server);
    for (let n = 0; n < 40; n += 1) {
      server.push(log, server.turn(log, null, { messages: [{ type: "text", text: `p${n}` }] }));
      if (n % 4 === 0) one.send({ type: "text", text: `s${n / 4}` });
      await new Promise((resolve) => setTimeout(resolve, 8));
    }
    await until(() => one.seen.length === texts(log).length && one.timeline.items.length === one.seen.length, "all of it");
    expect(one.seen).toEqual(texts(log));
    expect(states).toEqual([]);
  });

  it("renews a token that ended, silently", async () => {
    const server = await serve();
    const one = client(server);
    await one.start();
    await until(() => one.status === "online", "online");
    for (const claim of server.tokens.values()) claim.expiresAt = 0;
    server.cutAll();
    await until(() => one.status === "offline", "cut");
    await one.setParams({ a: 1 });
    one.send({ type: "text", text: "a" });
    await until(() => one.seen.includes("re a"), "an answer");
    expect(only(server).params).toEqual({ a: 1 });
    expect(server.logs.size).toBe(1);
  });

  it("sends again later what was too fast, and keeps what was refused", async () => {
    const server = await serve();
    const errors: string[] = [];
    const one = client(server, {}, { error: (error) => errors.push(error.code) });
    await one.start();
    await until(() => one.status === "online", "online");
    server.failNext = { code: "rate_limited", retryable: true, retryAfterMs: 10 };
    one.send({ type: "text", text: "a" });
    await until(() => one.seen.includes("re a"), "the second try");
    server.failNext = { code: "too_large", retryable: false };
    const id = one.send({ type: "text", text: "b" });
    await until(() => errors.includes("too_large"), "the refusal");
    expect(one.timeline.items.at(-1)).toMatchObject({ clientId: id, status: "failed" });
    one.send({ type: "text", text: "c" });
    await until(() => one.seen.includes("re c"), "the next one");
    one.retry(id);
    await until(() => one.seen.includes("re b"), "the same one again");
    expect(errors).toEqual(["rate_limited", "too_large"]);
  });

  it("fetches over HTTP what does not fit into a frame", async () => {
    const server = await serve();
    const one = client(server);
    await one.start();
    await until(() => one.status === "online", "online");
    one.send({ type: "text", text: "x".repeat(20_000) });
    await until(() => one.seen.length === 3, "the large turn");
    expect(one.seen[2]).toHaveLength(20_003);
    // What is left out over HTTP too is not asked for again and again.
    const log = only(server);
    const turn = server.turn(log, null, { messages: [{ type: "text", text: "y" }] });
    delete turn.messages[0].data;
    turn.messages[0].tooLarge = true;
    server.push(log, turn);
    await until(() => one.rev === 3, "the turn whose message is too large for all");
    expect(one.shown.at(-1)!.data.type).toBe("unknown");
  });

  it("begins anew where the log did", async () => {
    const server = await serve();
    const one = client(server, { userKey: "kim" });
    await one.start();
    one.send({ type: "text", text: "a" });
    await until(() => one.seen.includes("re a"), "an answer");
    one.close();
    server.logs.clear();
    const two = client(server, { userKey: "kim", resume: one.session!, rev: one.rev });
    two.timeline.prepend(one.shown);
    await two.start();
    await until(() => two.seen.length === 1, "a new talk");
    expect(two.seen).toEqual(["welcome"]);
  });

  it("does not come back after the server refused it", async () => {
    const server = await serve();
    server.openSession = () => {
      throw new Error("unreachable");
    };
    server.answer = async (_request: unknown, response: any) => response.writeHead(404).end('{"error":{"code":"not_found"}}');
    const one = client(server);
    await expect(one.open()).rejects.toMatchObject({ code: "not_found" });
    expect(one.status).toBe("refused");
  });
});

describe("a storm", () => {
  it.each([1, 2, 3, 4, 5, 6])("loses nothing, doubles nothing and keeps the order (seed %i)", async (seed) => {
    const random = seeded(seed);
    const server = await serve({ random, page: 5, chaos: null });
    const tabs = [0, 1].map((n) =>
      client(server, { userKey: "kim", random: seeded(seed * 10 + n), BroadcastChannel: seed % 2 ? BroadcastChannel : null }),
    );
    const [one, two] = tabs as [Client, Client];
    await one.start();
    await two.start();
    server.chaos = { cut: 0.06, lose: 0.1, double: 0.2, delayMs: 15, httpCut: 0.1 };
    const log = only(server);
    const said: string[][] = [[], []];
    for (let n = 0; n < 40; n += 1) {
      const tab = random() < 0.5 ? 0 : 1;
      const text = `${tab}:${n}`;
      await until(() => tabs[tab]!.timeline.items.filter((item) => item.status).length < MAX_QUEUE, "room");
      tabs[tab]!.send({ type: "text", text });
      said[tab]!.push(text);
      if (random() < 0.3) server.push(log, server.turn(log, null, { messages: [{ type: "text", text: `agent ${n}` }] }));
      await new Promise((resolve) => setTimeout(resolve, random() * 20));
    }
    const settled = () => tabs.every((tab) => tab.timeline.items.every((item) => !item.status) && tab.rev === log.turns.length);
    await until(settled, `both tabs at ${log.turns.length}, they are at ${one.rev} and ${two.rev}`);
    const all = texts(log);
    expect(one.seen).toEqual(all);
    expect(two.seen).toEqual(all);
    for (const tab of [0, 1]) {
      expect(all.filter((text) => text.startsWith(`${tab}:`))).toEqual(said[tab]);
      expect(tabs[tab]!.turns.map((turn) => turn.rev)).toEqual(tabs[tab]!.turns.map((_, index) => tabs[tab]!.turns[0]!.rev + index));
    }
  });
});
