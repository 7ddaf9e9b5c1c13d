/**
 * The web channel's server side for tests of the transport: the frames of docs/web-chat.md over real HTTP and a real socket,
 * and on request a network that cuts, delays, doubles, loses and reorders (seeded).
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const FRAME_LIMIT = 32 * 1024;

/** A repeatable Math.random. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export class FakeServer {
  /** chaos: chances per frame {cut, lose, double, delayMs}; page: messages of a context frame; welcomes: whether a start says
   * something; restores: whether it says it to newcomers alone. */
  constructor({ bot, chaos = null, random = Math.random, page = 30, welcomes = true, restores = true }) {
    Object.assign(this, { bot, chaos, random, page, welcomes, restores });
    this.logs = new Map();
    this.tokens = new Map();
    this.frames = [];
    this.sockets = new Set();
    this.socketsRefused = false;
    this.down = false;
  }

  async listen(port = 0) {
    this.http = createServer((request, response) => void this.answer(request, response));
    this.wss = new WebSocketServer({ noServer: true, handleProtocols: () => "malgil.v1" });
    this.http.on("upgrade", (request, socket, head) => {
      const token = (request.headers["sec-websocket-protocol"] ?? "").split(",")[1]?.trim();
      const log = this.logOf(token);
      if (!log || this.down || this.socketsRefused) return socket.destroy();
      this.wss.handleUpgrade(request, socket, head, (client) => this.connected(client, log));
    });
    await new Promise((resolve) => this.http.listen(port, "127.0.0.1", resolve));
    this.port = this.http.address().port;
    this.host = `http://127.0.0.1:${this.port}`;
    return this;
  }

  async close() {
    for (const client of this.sockets) client.terminate();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  // ---- the network

  cutAll() {
    for (const client of this.sockets) client.terminate();
  }

  deliver(client, frame) {
    const { chaos, random } = this;
    const text = JSON.stringify(frame);
    const send = () => client.readyState === 1 && client.send(text);
    if (!chaos) return send();
    if (random() < (chaos.cut ?? 0)) {
      if (random() < 0.5) send();
      return client.terminate();
    }
    // Only pushes get lost or overtake each other; answers come in order or the socket is gone.
    if (frame.pushed && random() < (chaos.lose ?? 0)) return;
    const times = random() < (chaos.double ?? 0) ? 2 : 1;
    for (let time = 0; time < times; time += 1) setTimeout(send, random() * (chaos.delayMs ?? 0));
  }

  push(log, frame, except = null) {
    for (const client of this.sockets) if (client.log === log && client !== except) this.deliver(client, { ...frame, pushed: true });
  }

  // ---- sessions and the log

  logOf(token) {
    const claim = this.tokens.get(token);
    return claim && claim.expiresAt > Date.now() ? claim.log : null;
  }

  openSession({ userKey, resume }) {
    const earlier = this.tokens.get(resume)?.log;
    const key = userKey ?? earlier?.userKey ?? `anon_${randomUUID().replaceAll("-", "")}`;
    let log = this.logs.get(key);
    if (!log) {
      log = { userKey: key, endUserId: randomUUID(), turns: [], conversationId: null, keyboard: null, call: { status: "none" }, params: {}, known: new Map() };
      this.logs.set(key, log);
    }
    const token = randomUUID();
    const expiresAt = Date.now() + (this.tokenMs ?? 3_600_000);
    this.tokens.set(token, { log, expiresAt });
    return {
      token,
      expiresAt: new Date(expiresAt).toISOString(),
      endUserId: log.endUserId,
      userKey: key,
      conversationId: log.conversationId,
      socketUrl: this.noSocket ? null : `ws://127.0.0.1:${this.port}/socket`,
      rev: log.turns.length,
    };
  }

  context(log) {
    const { conversationId, endUserId, params, userKey } = log;
    return { botId: "demo", conversationId, endUserId, navigation: {}, params, platform: "web", userKey };
  }

  /** Stores one turn; `reply` is {messages: [data...], keyboard?, call?, persona?}. */
  turn(log, said, reply, agent = null) {
    const rev = log.turns.length + 1;
    const message = (data, isUser) => ({
      id: randomUUID(),
      endUserId: log.endUserId,
      conversationId: log.conversationId,
      isUser,
      meta: agent && !isUser ? { sender: { userKey: agent.id, platform: "closer-chat" }, persona: agent } : null,
      ...(agent && !isUser ? { persona: agent } : {}),
      data,
      timestamp: Date.now(),
      rev,
    });
    const messages = [...(said ? [message(said, true)] : []), ...reply.messages.map((data) => message(data, false))];
    if ("keyboard" in reply) log.keyboard = reply.keyboard;
    if (reply.call) log.call = reply.call;
    const stored = { type: "messages", rev, messages, keyboard: log.keyboard, call: log.call, conversationId: log.conversationId };
    log.turns.push(stored);
    return stored;
  }

  open(log) {
    log.conversationId = randomUUID();
    log.call = { status: "none" };
  }

  since(log, rev) {
    const missed = log.turns.filter((turn) => turn.rev > rev);
    const taken = missed.slice(0, this.page);
    return {
      type: "context",
      context: this.context(log),
      rev: taken.at(-1)?.rev ?? log.turns.length,
      messages: taken.flatMap((turn) => turn.messages),
      keyboard: log.keyboard,
      call: log.call,
      ...(missed.length > taken.length ? { more: true } : {}),
    };
  }

  /** An agent joins, writes or leaves; what the console would do. */
  agent(log, state, agent, text) {
    const turn = this.turn(log, null, { messages: text ? [{ type: "text", text }] : [], keyboard: null, call: { status: state, agent } }, agent);
    this.push(log, turn);
    this.push(log, { type: "agent", state, agent });
  }

  /** One client frame -> one server frame. */
  step(log, frame, client = null) {
    this.frames.push(frame);
    const error = (code, rest = {}) => ({ type: "error", code, message: code, retryable: false, ...(frame.clientId ? { clientId: frame.clientId } : {}), ...rest });
    switch (frame.type) {
      case "ping":
        return { type: "pong", rev: log.turns.length };
      case "typing":
        this.push(log, { type: "typing", by: "user" }, client);
        return null;
      case "read":
        return null;
      case "sync":
        return this.since(log, frame.rev);
      case "params":
        if (log.conversationId === null) return error("not_started");
        Object.assign(log.params, frame.params);
        return null;
      case "start": {
        let before = Math.max(0, log.turns.length - this.page);
        const isNew = log.conversationId === null;
        const greets = frame.restart || (this.welcomes && (isNew || !this.restores));
        if ((greets || (isNew && Object.keys(frame.params ?? {}).length)) && !log.known.has(frame.clientId)) {
          before = log.turns.length;
          if (isNew || frame.restart) this.open(log);
          Object.assign(log.params, frame.params);
          const turn = this.turn(log, null, greets ? this.bot({ start: true }, log) : { messages: [] });
          if (frame.clientId) log.known.set(frame.clientId, turn.rev);
          this.push(log, turn, client);
        }
        return this.since(log, frame.rev ?? before);
      }
      case "message":
      case "navigate": {
        if (this.failNext) {
          const failure = this.failNext;
          this.failNext = null;
          return error(failure.code, failure);
        }
        const known = frame.clientId && log.known.get(frame.clientId);
        if (known) return { ...log.turns[known - 1], clientId: frame.clientId };
        const said = frame.data ?? null;
        if (log.conversationId === null) this.open(log);
        const slow = said?.text === "slow";
        const turn = this.turn(log, said, slow ? { messages: [] } : this.bot(frame, log));
        if (frame.clientId) log.known.set(frame.clientId, turn.rev);
        this.push(log, turn, client);
        if (slow) {
          setTimeout(() => this.push(log, this.turn(log, null, { messages: [{ type: "text", text: "late" }] })), 50);
          return { type: "ack", clientId: frame.clientId, rev: turn.rev };
        }
        return { ...turn, clientId: frame.clientId };
      }
      default:
        return error("invalid_input");
    }
  }

  connected(client, log) {
    client.log = log;
    this.sockets.add(client);
    client.on("close", () => this.sockets.delete(client));
    client.on("error", () => client.terminate());
    client.on("message", (data) => {
      const handle = () => {
        // The network may break before the server hears, or after.
        if (this.chaos && this.random() < (this.chaos.cut ?? 0)) return client.terminate();
        const answer = this.step(log, JSON.parse(String(data)), client);
        if (answer && JSON.stringify(answer).length > FRAME_LIMIT) this.deliver(client, { ...answer, messages: [], tooLarge: true });
        else if (answer) this.deliver(client, answer);
      };
      if (this.answerDelay) setTimeout(handle, this.answerDelay);
      else handle();
    });
  }

  // ---- HTTP

  async answer(request, response) {
    const url = new URL(request.url, this.host);
    const json = (status, body) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length ? JSON.parse(String(Buffer.concat(chunks))) : null;
    if (this.down) return request.socket.destroy();
    if (this.chaos && this.random() < (this.chaos.httpCut ?? 0)) return request.socket.destroy();
    if (url.pathname === "/webchat/v1/sessions") return json(201, this.openSession(body));
    const log = this.logOf((request.headers.authorization ?? "").replace("Bearer ", ""));
    if (!log) return json(401, { type: "error", code: "expired", message: "expired", retryable: false });
    if (request.method === "POST") {
      const answer = this.step(log, body);
      if (this.chaos && this.random() < (this.chaos.httpCut ?? 0)) return request.socket.destroy();
      return answer ? json(200, answer) : response.writeHead(204).end();
    }
    if (url.searchParams.has("after")) return json(200, this.since(log, Number(url.searchParams.get("after"))));
    const limit = Number(url.searchParams.get("limit"));
    const earlier = log.turns.filter((turn) => turn.rev < Number(url.searchParams.get("before")));
    const taken = [];
    while (earlier.length && taken.flatMap((turn) => turn.messages).length < limit) taken.unshift(earlier.pop());
    return json(200, { items: taken.flatMap((turn) => turn.messages), rev: taken[0]?.rev ?? 1, more: earlier.length > 0 });
  }
}
