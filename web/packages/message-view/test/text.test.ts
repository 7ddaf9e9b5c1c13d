import { describe, expect, it } from "vitest";
import { countCharacters, isLargeEmoji, linkify, notTwice, playerUri, safeMedia, safeUri } from "../src/text";

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

describe("films of other sites", () => {
  it("play in the frame of their site, which sets no cookies before", () => {
    for (const uri of ["https://youtu.be/aqz-KE-bpKQ?si=x", "https://www.youtube.com/watch?list=a&v=aqz-KE-bpKQ&t=3", "https://m.youtube.com/shorts/aqz-KE-bpKQ", "http://youtube.com/embed/aqz-KE-bpKQ"]) {
      expect(playerUri(uri)).toBe("https://www.youtube-nocookie.com/embed/aqz-KE-bpKQ?autoplay=1");
    }
    expect(playerUri("https://vimeo.com/76979871")).toBe("https://player.vimeo.com/video/76979871?autoplay=1");
    expect(playerUri("https://vimeo.com/76979871/ab12cd")).toBe("https://player.vimeo.com/video/76979871?autoplay=1&h=ab12cd");
    expect(playerUri("https://player.vimeo.com/video/76979871?h=ab12cd")).toBe("https://player.vimeo.com/video/76979871?autoplay=1&h=ab12cd");
  });

  it("are theirs alone: an address that only looks alike plays nowhere", () => {
    for (const uri of ["https://evil.com/youtu.be/aqz-KE-bpKQ", "https://youtu.be.evil.com/aqz-KE-bpKQ", "https://youtube.com/watch?v=short", "https://youtu.be/aqz-KE-bpKQ9", "https://vimeo.com/channels/staff", "javascript://youtu.be/aqz-KE-bpKQ", "https://a.com/film.mp4"]) {
      expect(playerUri(uri)).toBeUndefined();
    }
  });
});

describe("presses", () => {
  it("of the same thing within a second are one", () => {
    let now = 0;
    const counts = notTwice(() => now);
    expect([counts("a"), counts("a"), counts("b"), counts("a")]).toEqual([true, false, true, true]);
    now = 1_000;
    expect(counts("a")).toBe(true);
  });
});
