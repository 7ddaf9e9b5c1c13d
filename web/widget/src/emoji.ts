/** [emoji, Korean words, English words] */
export type Emoji = [string, string, string];

/** A line is a category, an entry "emoji Korean words/English words"; the file is fetched when the palette is first opened. */
export function parseEmoji(table: string): Emoji[][] {
  return table
    .trim()
    .split("\n")
    .map((line) =>
      line.split(",").map((entry) => {
        const [emoji = "", ...rest] = entry.split(" ");
        const [ko = "", en = ""] = rest.join(" ").split("/");
        return [emoji, ko, en];
      }),
    );
}
