import "fake-indexeddb/auto";
import type { Outgoing } from "@malgil/protocol";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeServer } from "../../testing/fake-server.mjs";
import { Chat } from "../src/chat";
import type { InitOptions, Shell } from "../src/shell";

const WAITS = { status: "waiting" };
const echo = (frame: { start?: boolean; data?: { text?: string } }) => ({ messages: [{ type: "text", text: frame.start ? "welcome" : `re ${frame.data?.text ?? "jump"}` }], keyboard: null });

/** As browsers have it: what is stored are properties. */
class FakeStorage {
  getItem(key: string): string | null {
    return ((this as Record<string, unknown>)[key] as string) ?? null;
  }
  setItem(key: string, value: string): void {
    (this as Record<string, unknown>)[key] = value;
  }
  removeItem(key: string): void {
    delete (this as Record<string, unknown>)[key];
  }
}

let server: any;
let localStorage: FakeStorage;
let sessionStorage: FakeStorage;
let open: Chat[];

beforeEach(async () => {
  localStorage = new FakeStorage();
  sessionStorage = new FakeStorage();
  vi.stubGlobal("localStorage", localStorage);
  vi.stubGlobal("window", { localStorage, sessionStorage, setTimeout });
  vi.stubGlobal("document", { visibilityState: "visible" });
  vi.stubGlobal("matchMedia", () => ({ matches: true }));
  open = [];
  server = await new FakeServer({ bot: echo } as never).listen();
});
afterEach(async () => {
  for (const chat of open) chat.close();
  await server.close();
  vi.unstubAllGlobals();
});

/** What the page hears is in `heard`. */
function visit(options: InitOptions = {}, heard: [string, unknown][] = []): Chat {
  const state = { isOpen: true, userKey: options.userKey ?? "", params: {}, unsent: {}, unread: 0, theme: {}, view: { current: "chat", stack: ["chat"] } };
  const shell = { host: server.host, botId: "b", config: {}, options, state, page: false, emit: (name: string, detail: unknown) => heard.push([name, detail]), paint: () => undefined };
  const chat = new Chat(shell as unknown as Shell);
  open.push(chat);
  return chat;
}
const become = (chat: Chat, userKey: string): Promise<void> => {
  chat.shell.options.userKey = userKey;
  return chat.become(userKey);
};
const seen = (chat: Chat) => chat.items.map(({ message }) => message.data.text);
const shown = (chat: Chat, text: string) => vi.waitFor(() => expect(seen(chat)).toContain(text), 10_000);
const frames = (type: string) => server.frames.filter((frame: { type: string }) => frame.type === type);
const kept = (name: string) => (localStorage as unknown as Record<string, string>)[name];

it("a talk whose beginning another person overtook says nothing to them, and theirs begins", async () => {
  const heard: [string, unknown][] = [];
  const chat = visit({ userKey: "kim" }, heard);
  const begun = chat.begin();
  await become(chat, "lee");
  expect(chat.loading).toBe(false);
  const next = chat.begin();
  await expect(begun).rejects.toMatchObject({ code: "closed" });
  expect([chat.loading, chat.problem]).toEqual([true, null]);
  await next;
  expect([chat.started, chat.loading, chat.problem, chat.transport.session!.userKey]).toEqual([true, false, null, "lee"]);
  expect(heard.filter(([name]) => name === "error")).toEqual([]);
});

it("each visit starts once, after what it shows; an open talk gets its parameters beside the start", async () => {
  const one = visit({ userKey: "kim" });
  await one.begin({ params: { a: 1 } });
  await one.begin({ params: { b: 2 } });
  expect([frames("start").length, frames("params").length]).toEqual([1, 1]);
  await shown(one, "welcome");
  one.close();
  const two = visit({ userKey: "kim" });
  await two.begin({ params: { c: 3 }, navigation: { flowId: 2 } });
  await shown(two, "re jump");
  expect(seen(two)).toEqual(["welcome", "re jump"]);
  expect([...server.logs.values()][0].params).toEqual({ a: 1, b: 2, c: 3 });
  await two.begin({ restart: true });
  expect(frames("start").map((frame: { restart: boolean }) => frame.restart)).toEqual([false, false, true]);
});

it("what the page says of itself while the talk starts arrives", async () => {
  const chat = visit({ userKey: "kim" });
  const { step } = server;
  server.step = (log: object, frame: { type: string }, ...rest: unknown[]) => {
    if (frame.type === "start") chat.shell.state.unsent = { page: "cart" };
    return step.call(server, log, frame, ...rest);
  };
  await chat.begin();
  expect(frames("params").map(({ params }: { params: object }) => params)).toEqual([{ page: "cart" }]);
  expect(chat.shell.state.unsent).toEqual({});
});

it("whoever comes back is welcomed again where the bot wants that", async () => {
  server.restores = false;
  const one = visit({ userKey: "kim" });
  await one.begin();
  one.close();
  const two = visit({ userKey: "kim" });
  await two.begin();
  expect(seen(two)).toEqual(["welcome", "welcome"]);
});

it("a pressed goto is said: it stays after the answer and is there for others", async () => {
  const chat = visit({ userKey: "kim" });
  await chat.begin();
  chat.press({ type: "goto", label: "처음으로", flowId: 2 });
  expect(seen(chat).at(-1)).toBe("처음으로");
  await shown(chat, "re 처음으로");
  expect(seen(chat)).toEqual(["welcome", "처음으로", "re 처음으로"]);
  expect(frames("navigate")[0]).toMatchObject({ flowId: 2, data: { type: "text", text: "처음으로" } });
});

it("a page is told that too much waits, a person reads it, and no other fault is called so", async () => {
  const chat = visit({ userKey: "kim" });
  for (let n = 0; n < 20; n += 1) chat.send({ type: "text", text: "x" });
  expect(() => chat.send({ type: "text", text: "x" })).toThrow("queue_full");
  expect(chat.problem).toBeNull();
  chat.say({ type: "text", text: "x" });
  expect(chat.problem).toBe("full");
  chat.problem = null;
  chat.transport.send = () => {
    throw new TypeError("a fault");
  };
  expect(() => chat.say({ type: "text", text: "x" })).toThrow("a fault");
  expect(chat.problem).toBeNull();
});

it("a jump of the page's that was refused is told and forgotten", async () => {
  const heard: [string, unknown][] = [];
  const chat = visit({ userKey: "kim" }, heard);
  await chat.begin();
  server.failNext = { code: "conflict", retryable: false };
  chat.send({ flowId: 2 });
  await vi.waitFor(() => expect(heard.some(([name]) => name === "error")).toBe(true), 10_000);
  expect(Object.keys(localStorage).filter((name) => name.startsWith("wc:b:out:"))).toEqual([]);
});

it("what waits of an erased person is gone, also what other tabs left", async () => {
  const chat = visit({ userKey: "kim" });
  await chat.begin();
  const left = (clientId: string): string => JSON.stringify({ clientId, at: Date.now(), state: "queued", frame: { type: "message", clientId, data: { type: "text", text: "x" } } } satisfies Outgoing);
  localStorage.setItem("wc:b:out:kim:other", left("other"));
  localStorage.setItem("wc:b:out:lee:hers", left("hers"));
  await chat.erased();
  expect([kept("wc:b:out:kim:other"), kept("wc:b:out:lee:hers") === undefined]).toEqual([undefined, false]);
});

it("what a tab keeps of a person goes with them, and the waiting ends with the call", async () => {
  const names = ["draft", "place", "since"].map((name) => `wc:b:${name}`);
  const there = () => names.filter((name) => sessionStorage.getItem(name) !== null);
  const keep = () => names.forEach((name) => sessionStorage.setItem(name, "1"));
  const chat = visit({ userKey: "kim" });
  await chat.begin();
  const log = [...server.logs.values()][0];
  const call = (status: string) => server.push(log, server.turn(log, null, { messages: [], call: { status } }));
  await vi.waitFor(() => expect(chat.transport.status).toBe("online"), 10_000);
  call(WAITS.status);
  await vi.waitFor(() => expect(there()).toEqual(["wc:b:since"]), 10_000);
  call("missed");
  await vi.waitFor(() => expect(there()).toEqual([]), 10_000);
  keep();
  expect(visit({ userKey: "kim" }).transport.session?.userKey).toBe("kim");
  expect(there()).toEqual(names);
  visit({ userKey: "lee" });
  expect(there()).toEqual([]);
  keep();
  await become(chat, "lee");
  expect(there()).toEqual([]);
});

it("pictures after the fifth say that they are too many", async () => {
  const chat = visit();
  chat.upload = async () => undefined;
  await chat.attach(Array.from({ length: 7 }, (_, n) => new File(["x"], `${n}.png`, { type: "image/png" })));
  expect(chat.tray.map(({ error }) => error ?? "")).toEqual(["", "", "", "", "", "fileMany", "fileMany"]);
});
