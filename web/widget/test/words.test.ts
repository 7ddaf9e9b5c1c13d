import { describe, expect, it } from "vitest";
import { readdirSync, readFileSync } from "node:fs";
import { fill } from "../src/words";
import { en } from "../src/words/en";
import { ko } from "../src/words/ko";

const folders = ["../src/", "../../packages/message-view/src/", "../../packages/protocol/src/"].map((path) => new URL(path, import.meta.url));
const sources = folders.flatMap((folder) => readdirSync(folder).filter((name) => /\.tsx?$/.test(name)).map((name) => readFileSync(new URL(name, folder), "utf8"))).join("\n");
const keys = Object.keys(ko) as (keyof typeof ko)[];

describe("the words", () => {
  it("are the same ones in both languages, and all of them are said", () => {
    expect(Object.keys(en)).toEqual(keys);
    expect(keys.filter((key) => !new RegExp(`\\b(?:w|words)\\.${key}\\b|"${key}"`).test(sources))).toEqual([]);
  });

  it("ask for the same values in both languages", () => {
    const asked = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
    for (const key of keys) expect([key, asked(en[key])]).toEqual([key, asked(ko[key])]);
    expect(fill(en.joined, { name: "Hana" })).toBe("Hana joined");
    expect(fill("{n} of {n}{other}", { n: 3 })).toBe("3 of 3");
  });

  it("are Korean in Korean and hold no Hangul in English", () => {
    for (const key of keys) expect([key, /[가-힣]/.test(en[key])]).toEqual([key, false]);
    expect(keys.filter((key) => !/[가-힣]/.test(ko[key]))).toEqual(["locale"]);
  });
});
