import type { ko } from "./words/ko";

export type Locale = "ko" | "en";

/** The words of one language, which whoever shows messages brings; each language is a file of its own. */
export type MessageWords = typeof ko;
