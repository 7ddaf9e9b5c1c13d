import type { Message } from "@malgil/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Pace, pause } from "../src/pace";

const message = (id: string, delay?: number): Message => ({ id, rev: 1, isUser: false, data: { type: "text", text: id }, timestamp: 0, delay });

describe("the pause before a message", () => {
  it("is what the message asks for, 5 s at most", () => {
    expect([pause({ delay: 1_200 }, true), pause({ delay: 60_000 }, false), pause({ delay: "700" }, false)]).toEqual([1_200, 5_000, 700]);
  });

  it("is 300 ms without a delay, and none for the first", () => {
    for (const delay of [undefined, 0, -5, NaN, "soon", null]) expect([pause({ delay }, true), pause({ delay }, false)]).toEqual([0, 300]);
  });
});

describe("pace", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const all = [message("a"), message("b"), message("c", 1_000)];
  const shown = (pace: Pace): string => all.filter((one) => !pace.hides(one)).map(({ id }) => id).join("");

  it("shows messages in their order, each after its pause", () => {
    const seen: string[] = [];
    const pace: Pace = new Pace(() => seen.push(shown(pace)));
    pace.add(all);
    expect(shown(pace)).toBe("a");
    vi.advanceTimersByTime(299);
    expect(shown(pace)).toBe("a");
    vi.advanceTimersByTime(1);
    expect([shown(pace), pace.waits]).toEqual(["ab", true]);
    vi.advanceTimersByTime(1_000);
    expect([shown(pace), pace.waits]).toEqual(["abc", false]);
    expect(seen).toEqual(["a", "ab", "abc"]);
  });

  it("puts a later turn behind the one that is still arriving", () => {
    const pace = new Pace(() => undefined);
    pace.add(all.slice(0, 2));
    pace.add(all.slice(2));
    vi.advanceTimersByTime(300);
    expect(shown(pace)).toBe("ab");
    vi.advanceTimersByTime(1_000);
    expect(shown(pace)).toBe("abc");
  });

  it("shows everything when it ends, and nothing happens later", () => {
    const changed = vi.fn();
    const pace = new Pace(changed);
    pace.add(all);
    pace.end();
    expect([shown(pace), pace.waits]).toEqual(["abc", false]);
    changed.mockClear();
    vi.advanceTimersByTime(10_000);
    expect(changed).not.toHaveBeenCalled();
  });
});
