/** Text of others is text: only these addresses become links, and no HTML ever. */
export type Piece = { text: string; uri?: string };

const ADDRESS = /https?:\/\/[^\s<>"'`]+|(?:tel|mailto):[^\s<>"'`]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/gi;
const SAFE = /^(?:https?:\/\/|tel:|mailto:)/i;
/** Not part of an address at its end: punctuation, and the particles that Korean writes to the word before. */
const TAIL = /[.,;:!?'"…。、]+$|(?<=[\x21-\x7e])(?:에[서게]?|으?로|[을를은는이가와과도의]|까지|부터|입니다)[.,!?]*$/u;

/** The address, if a press on it may lead somewhere; undefined otherwise. */
export function safeUri(uri: unknown): string | undefined {
  // Browsers drop these characters and would then read another scheme.
  return typeof uri === "string" && !/[\u0000-\u001f]/.test(uri) && SAFE.test(uri.trim()) ? uri.trim() : undefined;
}

/** Where pictures may come from. */
export function safeMedia(uri: unknown): string | undefined {
  return typeof uri === "string" && /^(?:https?:\/\/|blob:|data:image\/)/i.test(uri) ? uri : undefined;
}

const YOUTUBE = /^https?:\/\/(?:(?:www\.|m\.)?youtube(?:-nocookie)?\.com\/(?:watch\?(?:[^#]*&)?v=|embed\/|shorts\/|live\/)|youtu\.be\/)([\w-]{11})(?![\w-])/;
const VIMEO = /^https?:\/\/(?:www\.|player\.)?vimeo\.com\/(?:video\/)?(\d+)(?:(?:\/|\?h=)(\w+))?(?=[?#&]|$)/;

/** The frame that plays a video of these two sites, where the address is one of theirs. The page's policy allows no others. */
export function playerUri(uri: string): string | undefined {
  const youtube = YOUTUBE.exec(uri);
  if (youtube) return `https://www.youtube-nocookie.com/embed/${youtube[1]}?autoplay=1`;
  const [vimeo, id, hash] = VIMEO.exec(uri) ?? [];
  return vimeo && `https://player.vimeo.com/video/${id}?autoplay=1${hash ? `&h=${hash}` : ""}`;
}

/** Whether a press counts: the same one within a second is a double press, which is one. */
export function notTwice(clock: () => number = Date.now): (what: string) => boolean {
  let last = "";
  let at = -Infinity;
  return (what) => {
    const again = what === last && clock() - at < 1_000;
    if (!again) [last, at] = [what, clock()];
    return !again;
  };
}

export function linkify(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    let found = match[0].replace(TAIL, "");
    if (found.endsWith(")") && !found.includes("(")) found = found.slice(0, -1).replace(TAIL, "");
    const uri = safeUri(found.includes(":") ? found : `mailto:${found}`);
    if (uri === undefined) continue;
    if (match.index > from) pieces.push({ text: text.slice(from, match.index) });
    pieces.push({ text: found, uri });
    from = match.index + found.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

const EMOJI_ONLY = /^(?:\p{Extended_Pictographic}(?:\u200d\p{Extended_Pictographic}|[\ufe0f\u{1f3fb}-\u{1f3ff}])*\s*){1,3}$/u;

export function isLargeEmoji(text: string): boolean {
  return EMOJI_ONLY.test(text);
}

/** User-perceived characters. */
export function countCharacters(text: string): number {
  if (text.length < 900 || !("Segmenter" in Intl)) return text.length;
  return [...new Intl.Segmenter().segment(text)].length;
}
