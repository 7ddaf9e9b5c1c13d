import { describe, expect, it } from "vitest";
import { contrast, parseHex, readableOn, textOn } from "../src/color";
import { parseEmoji } from "../src/emoji";
import { readFileSync } from "node:fs";
import { numberProblem } from "../src/number";
import { pieces } from "../src/teaser";
import { when } from "../src/when";

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

describe("the owner's greeting", () => {
  it("knows bold and links to https, and leaves all else as text", () => {
    expect(pieces("가 **나** [다](https://example.com/?a=1) 라")).toEqual([["가 ", "나", undefined, undefined], [" ", undefined, "다", "https://example.com/?a=1"], [" 라"]]);
    for (const text of ["<b>x</b>", "[x](javascript:alert(1))", "[x](http://a.b)", "** x", "[x] (https://a.b)", "a\nb", ""]) expect(pieces(text)).toEqual([[text]]);
  });
});

describe("moments as people say them", () => {
  const now = new Date(2026, 10, 20, 15, 0); // A Friday
  const said = (...at: [number, number, number, number, number]): string[] => (["ko", "en"] as const).map((locale) => when(new Date(...at), now, locale).replace(/\u202f/g, " "));
  it("names near days by what they are to us, nearer ones of a week by their weekday, others by their date", () => {
    expect(said(2026, 10, 20, 9, 5)).toEqual(["오늘 오전 9:05", "today at 9:05 AM"]);
    expect(said(2026, 10, 21, 9, 0)).toEqual(["내일 오전 9시", "tomorrow at 9 AM"]);
    expect(said(2026, 10, 19, 23, 59)).toEqual(["어제 오후 11:59", "yesterday at 11:59 PM"]);
    expect(said(2026, 10, 23, 9, 0)).toEqual(["월요일 오전 9시", "Monday at 9 AM"]);
    expect(said(2026, 11, 1, 13, 0)).toEqual(["12월 1일 오후 1시", "December 1 at 1 PM"]);
    expect(said(2026, 10, 13, 13, 0)).toEqual(["11월 13일 오후 1시", "November 13 at 1 PM"]);
  });
});
