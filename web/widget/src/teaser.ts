/** [text, bold, label, address]: some of the owner's greeting, then what is marked in it: **bold** or [label](https://...). */
export type Piece = [text: string, bold?: string, label?: string, uri?: string];

/** The rest, HTML as well, is text. */
export function pieces(text: string): Piece[] {
  const parts = text.split(/\*\*(.+?)\*\*|\[([^\]]+)\]\((https:\/\/[^\s)]+)\)/);
  return parts.flatMap((_, at) => (at % 4 ? [] : [parts.slice(at, at + 4) as Piece]));
}
