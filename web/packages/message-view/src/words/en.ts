import type { MessageWords } from "../words";

export const en: MessageWords = {
  locale: "en",
  you: "You",
  bot: "Bot",
  more: "Show more",
  less: "Show less",
  map: "Open map",
  place: "Place",
  image: "Picture",
  open: "Open",
  previous: "Previous card",
  next: "Next card",
  unsupported: "This message cannot be shown here.",
  newTab: "new tab",
  play: "Play video",
};
