import { describe, expect, it } from "vitest";
import { contrast, parseHex, readableOn, textOn } from "../src/color";
import { parseEmoji } from "../src/emoji";
import { readFileSync } from "node:fs";
import { numberProblem } from "../src/number";
import { words } from "../src/strings";

describe("colours", () => {
  it("takes hex only", () => {
    expect(parseHex("#abc")).toBe("#aabbcc");
    expect(["red", "#12", "#12345g", "url(x)", null, 3].map(parseHex)).toEqual([undefined, undefined, undefined, undefined, undefined, undefined]);
  });

  it("makes text readable on every colour, in both themes", () => {
    for (let n = 0; n < 4096; n += 7) {
      const color = parseHex(`#${n.toString(16).padStart(3, "0")}`)!;
      expect(contrast(color, textOn(color))).toBeGreaterThanOrEqual(4.5);
      expect(contrast(color, textOn(color, "#777777"))).toBeGreaterThanOrEqual(4.5);
      for (const paper of ["#ffffff", "#1c1f25"]) expect(contrast(paper, readableOn(paper, color))).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("keeps a wish that can be read", () => {
    expect(textOn("#0e6b5c", "#f5f4f0")).toBe("#f5f4f0");
    expect(readableOn("#ffffff", "#0e6b5c")).toBe("#0e6b5c");
  });
});

it("says what is wrong with a number, and reads it out of text where the bot does", () => {
  const keyboard = { type: "number", min: 1, max: 5, integer: true };
  expect(["3", " 5 ", "9", "0", "1.5", "a", "", "3개"].map((text) => numberProblem(text, keyboard))).toEqual([null, null, "atMost", "atLeast", "integer", "number", "number", "number"]);
  expect(numberProblem("3개 주세요", { ...keyboard, parse: true })).toBeNull();
  expect(numberProblem("1,234원", { type: "number", parse: true, min: 1000 })).toBeNull();
});

it("names every emoji in both languages", () => {
  const groups = parseEmoji(readFileSync(new URL("../src/emoji.txt", import.meta.url), "utf8"));
  expect(groups).toHaveLength(8);
  for (const [emoji, ko, en] of groups.flat()) expect([emoji, /[가-힣]/.test(ko), /^[a-z ]+$/.test(en)]).toEqual([emoji, true, true]);
  expect(new Set(groups.map((group) => group[0]![0])).size).toBe(8);
});

it("uses every string of the chrome", () => {
  const sources = ["app.tsx", "timeline.tsx", "composer.tsx", "chat.ts", "number.ts"].map((name) => readFileSync(new URL(`../src/${name}`, import.meta.url), "utf8")).join();
  expect(Object.keys(words.ko).filter((key) => !new RegExp(`\\bw\\.${key}\\b|"${key}"`).test(sources))).toEqual([]);
});
