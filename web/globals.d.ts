/** Style sheets come in as their minified text. */
declare module "*.css" {
  const text: string;
  export default text;
}

/** Names of the built files that are loaded later, put in by build.mjs. */
declare const LAUNCHER_FILE: string;
declare const APP_FILE: string;
declare const WORDS_ORDER: string;
declare const WORDS_FILES: Record<"ko" | "en", string>;
declare const EMOJI_FILE: string;
