import type { Outgoing } from "@malgil/protocol";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { outbox } from "../src/cache";

const said = (clientId: string, at: number, state: Outgoing["state"] = "queued"): Outgoing => ({ clientId, at, state, frame: { type: "message", clientId, data: { type: "text", text: clientId } } });
const ids = (entries: readonly Outgoing[]) => entries.map(({ clientId }) => clientId);
let now: number;

/** As browsers have it: what is stored are properties. */
class FakeStorage {
  getItem(key: string): string | null {
    return (this as Record<string, unknown>)[key] as string ?? null;
  }
  setItem(key: string, value: string): void {
    (this as Record<string, unknown>)[key] = value;
  }
  removeItem(key: string): void {
    delete (this as Record<string, unknown>)[key];
  }
}

beforeEach(() => {
  const localStorage = new FakeStorage();
  vi.stubGlobal("localStorage", localStorage);
  vi.stubGlobal("window", { localStorage });
  now = Date.now();
});
afterEach(() => vi.unstubAllGlobals());

it("what a closed tab left is there at the next visit, in the order in which it was said", () => {
  const a = said("z", now);
  const b = said("a", now + 1);
  outbox("out:", () => "kim").write([a, b]);
  expect(ids(outbox("out:", () => "kim").read())).toEqual(["z", "a"]);
});

it("what was sent is gone, and another tab that has it too does not bring it back", () => {
  const closed = outbox("out:", () => "kim");
  closed.write([said("a", now), said("b", now + 1)]);
  const next = outbox("out:", () => "kim");
  const other = outbox("out:", () => "kim");
  const [a, b] = next.read();
  const both = other.read();
  next.write([b!]);
  both[0]!.state = "sending";
  other.write([...both]);
  expect(ids(outbox("out:", () => "kim").read())).toEqual(["b"]);
  next.write([]);
  expect(a!.clientId).toBe("a");
  expect(outbox("out:", () => "kim").read()).toEqual([]);
});

it("another person never sees it, whatever their key looks like", () => {
  outbox("out:", () => "kim").write([said("a", now)]);
  outbox("out:", () => "kim:b").write([said("c", now)]);
  expect(ids(outbox("out:", () => "kim").read())).toEqual(["a"]);
  expect(outbox("out:", () => "ki").read()).toEqual([]);
  expect(ids(outbox("out:", () => "kim:b").read())).toEqual(["c"]);
});

it("what waits for longer than a day is not sent without a word of the person", () => {
  outbox("out:", () => "kim").write([said("old", now - 2 * 86_400_000), said("new", now)]);
  expect(outbox("out:", () => "kim").read().map(({ state }) => state)).toEqual(["failed", "queued"]);
});

it("nothing is kept for nobody: it is written once it is known who speaks", () => {
  let userKey = "";
  const unsent = outbox("out:", () => userKey);
  const a = said("a", now);
  unsent.write([a]);
  expect(unsent.read()).toEqual([]);
  userKey = "kim";
  unsent.write([a]);
  expect(ids(outbox("out:", () => "kim").read())).toEqual(["a"]);
});

it("blocked storage keeps nothing and breaks nothing", () => {
  vi.stubGlobal("window", {});
  vi.stubGlobal("localStorage", undefined);
  const unsent = outbox("out:", () => "kim");
  unsent.write([said("a", now)]);
  expect(unsent.read()).toEqual([]);
});
