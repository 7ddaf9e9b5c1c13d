import type { ko } from "./words/ko";

/** The words of one language. The build makes an array of them and puts a word's place for its name; `order` tells one order from another. */
export type Words = typeof ko & { order?: string };

/** Throws when it is something else that came, or words in the order of another build: a page may be open during a deployment. */
export function fitting(words: Words): Words {
  if (words.order !== WORDS_ORDER) throw Error("words: not loaded");
  return words;
}

export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}
