import type { ko } from "./words/ko";

/** The words of one language, as they come in its file. */
export type Words = typeof ko;

export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}
