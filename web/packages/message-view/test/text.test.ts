import { describe, expect, it } from "vitest";
import { countCharacters, isLargeEmoji, linkify, safeMedia, safeUri } from "../src/text";

describe("links in text", () => {
  it("links http, https, tel and mailto, and nothing else", () => {
    const uris = linkify("a http://a.b/c?d=1, https://e.f. tel:010 mailto:g@h.kr i@j.kr javascript:alert(1) ftp://k").flatMap((piece) => piece.uri ?? []);
    expect(uris).toEqual(["http://a.b/c?d=1", "https://e.f", "tel:010", "mailto:g@h.kr", "mailto:i@j.kr"]);
  });

  it("leaves particles and brackets outside", () => {
    expect(linkify("(https://a.kr/b)에서")).toEqual([{ text: "(" }, { text: "https://a.kr/b", uri: "https://a.kr/b" }, { text: ")에서" }]);
    expect(linkify("https://a.kr에서").map((piece) => piece.uri)).toEqual(["https://a.kr", undefined]);
    expect(linkify("https://ko.wikipedia.org/wiki/서울")).toHaveLength(1);
  });

  it("keeps every character", () => {
    for (const text of ["", "<b>x</b>", "a https://b.c/d(e)! f", "https://가.한국 https://"]) {
      expect(linkify(text).map((piece) => piece.text).join("")).toBe(text);
    }
  });

  it("refuses schemes that are hidden by case, spaces or control characters", () => {
    for (const uri of ["javascript:a", " JaVaScRiPt:a", "java\nscript:a", "\u0001javascript:a", "data:text/html,a", "//a.b", "", null, {}]) {
      expect(safeUri(uri)).toBeUndefined();
    }
    expect(safeUri(" https://a.b ")).toBe("https://a.b");
    expect(safeMedia("data:text/html,<script>")).toBeUndefined();
  });
});

it("enlarges up to three emoji alone", () => {
  expect(["👍", "👍🏽 ❤️", "👨‍👩‍👧😀😀"].every(isLargeEmoji)).toBe(true);
  expect(["👍 좋아요", "😀😀😀😀", "1", ""].some(isLargeEmoji)).toBe(false);
});

it("counts what people see as characters", () => {
  expect(countCharacters("가".repeat(999) + "👨‍👩‍👧")).toBe(1_000);
});
