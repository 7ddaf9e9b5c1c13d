import type { ko } from "./words/ko";

/** The words of one language, which whoever shows messages brings; each language is a file of its own. */
export type MessageWords = typeof ko;

export type Locale = MessageWords["locale"];
