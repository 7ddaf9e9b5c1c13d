import { describe, expect, it } from "vitest";
import { readdirSync, readFileSync } from "node:fs";
import { fill } from "../src/words";
import { en } from "../src/words/en";
import { ko } from "../src/words/ko";

const folders = ["../src/", "../../packages/message-view/src/", "../../packages/protocol/src/"].map((path) => new URL(path, import.meta.url));
const sources = folders.flatMap((folder) => readdirSync(folder).filter((name) => /\.tsx?$/.test(name)).map((name) => readFileSync(new URL(name, folder), "utf8"))).join("\n");
const flat = ({ problems, ...words }: typeof ko): Record<string, string> => ({ ...words, ...problems });
const [KO, EN] = [flat(ko), flat(en)];
const keys = Object.keys(KO);

describe("the words", () => {
  it("are the same ones in both languages", () => {
    expect([Object.keys(EN).sort(), Object.keys(en).sort()]).toEqual([[...keys].sort(), Object.keys(ko).sort()]);
    expect(keys).toHaveLength(Object.keys(ko).length - 1 + Object.keys(ko.problems).length);
  });

  it("are all said", () => {
    expect(Object.keys(ko).filter((key) => !new RegExp(`\\b(?:w|words)\\.${key}\\b`).test(sources))).toEqual([]);
    expect(Object.keys(ko.problems).filter((key) => !new RegExp(`"${key}"|problems\\.${key}\\b`).test(sources))).toEqual([]);
  });

  it("are said by their names alone, for which the build puts their places", () => {
    expect(sources.match(/\b(?:w|words)(?:\?|!?\[)|\.\.\.(?:w|words)\b|\} = (?:\w+\.)*(?:w|words)\b/g)).toBeNull();
  });

  it("ask for the same values in both languages", () => {
    const asked = (text = ""): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
    for (const key of keys) expect([key, asked(EN[key])]).toEqual([key, asked(KO[key])]);
    expect(fill(en.joined, { name: "Hana" })).toBe("Hana joined");
    expect(fill("{n} of {n}{other}", { n: 3 })).toBe("3 of 3");
  });

  it("are Korean in Korean, and hold no Hangul in English", () => {
    expect(keys.filter((key) => !/[가-힣]/.test(KO[key]!))).toEqual(["locale"]);
    expect(keys.filter((key) => /[가-힣]/.test(EN[key]!))).toEqual([]);
  });
});
