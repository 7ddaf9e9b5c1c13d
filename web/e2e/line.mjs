/**
 * The line between one test's browser and the installation: HTTP and the socket pass through it, so that it can be slow,
 * break and come back, and tell what was asked. Each line comes from a loopback address of its own where the machine has
 * them (Linux), because an address may open thirty sessions a minute.
 */
import { createServer, request } from "node:http";
import { connect, createServer as createTcpServer } from "node:net";

let lines = 1;

export class Line {
  /** `edit(path, answer)` may change JSON answers on their way. */
  constructor({ api, socket, edit = (path, answer) => answer }) {
    this.api = new URL(api);
    this.socket = new URL(socket);
    this.edit = edit;
    this.requests = [];
    this.posted = []; // Frames that came over HTTP.
    this.sockets = new Set();
    this.down = false;
    this.delay = 0;
    lines += 1;
    this.localAddress = process.platform === "linux" ? `127.0.${Math.floor(lines / 250)}.${(lines % 250) + 2}` : undefined;
  }

  async listen() {
    this.http = createServer((asked, answer) => void this.pass(asked, answer).catch(() => asked.socket.destroy()));
    this.tcp = createTcpServer((client) => this.tunnel(client));
    for (const server of [this.http, this.tcp]) await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.host = `http://127.0.0.1:${this.http.address().port}`;
    this.socketOrigin = `ws://127.0.0.1:${this.tcp.address().port}`;
    return this;
  }

  async close() {
    this.cut();
    this.http.closeAllConnections();
    for (const server of [this.http, this.tcp]) await new Promise((resolve) => server.close(resolve));
  }

  /** Ends open sockets without a word. */
  cut() {
    for (const client of this.sockets) client.destroy();
  }

  tunnel(client) {
    if (this.down) return client.destroy();
    const server = connect({ host: this.socket.hostname, port: Number(this.socket.port), localAddress: this.localAddress });
    this.sockets.add(client);
    const end = () => (this.sockets.delete(client), client.destroy(), server.destroy());
    for (const side of [client, server]) side.on("error", end).on("close", end);
    client.pipe(server).pipe(client);
  }

  async pass(asked, answer) {
    const chunks = [];
    for await (const chunk of asked) chunks.push(chunk);
    if (this.down) return asked.socket.destroy();
    const { pathname } = new URL(asked.url, this.host);
    this.requests.push(`${asked.method} ${pathname}`);
    if (asked.method === "POST" && pathname.endsWith("/messages")) this.posted.push(JSON.parse(Buffer.concat(chunks)));
    if (this.delay && pathname.startsWith("/webchat/v1/")) await new Promise((resolve) => setTimeout(resolve, this.delay));
    const { statusCode, headers, body } = await this.ask(asked, Buffer.concat(chunks));
    const policy = headers["content-security-policy"];
    if (policy) headers["content-security-policy"] = policy.replace(this.socket.origin, this.socketOrigin);
    answer.writeHead(statusCode, headers).end(this.rewritten(pathname, headers, body));
  }

  ask(asked, body) {
    const headers = { ...asked.headers, connection: "close", ...(asked.url.startsWith("/webchat/v1/") ? { "accept-encoding": "identity" } : {}) };
    return new Promise((resolve, reject) => {
      const passed = request(new URL(asked.url, this.api), { method: asked.method, headers, localAddress: this.localAddress }, async (response) => {
        const chunks = [];
        for await (const chunk of response) chunks.push(chunk);
        const { "content-length": _length, "transfer-encoding": _coding, connection: _connection, ...kept } = response.headers;
        resolve({ statusCode: response.statusCode, headers: kept, body: Buffer.concat(chunks) });
      });
      passed.on("error", reject);
      passed.end(body);
    });
  }

  rewritten(path, headers, body) {
    if (!path.startsWith("/webchat/v1/") || !/json/.test(headers["content-type"] ?? "") || !body.length) return body;
    const found = this.edit(path.slice("/webchat/v1".length), JSON.parse(body));
    if (found.socketUrl) found.socketUrl = found.socketUrl.replace(this.socket.origin, this.socketOrigin);
    return JSON.stringify(found);
  }
}
