export type Locale = "ko" | "en";

const KO = {
  you: "나",
  bot: "봇",
  more: "더 보기",
  less: "접기",
  map: "지도에서 보기",
  place: "위치",
  image: "사진",
  open: "열기",
  previous: "이전 카드",
  next: "다음 카드",
  unsupported: "여기서는 볼 수 없는 메시지입니다.",
  newTab: "새 창",
  play: "동영상 재생",
};

const EN: typeof KO = {
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

export const messageStrings: Record<Locale, typeof KO> = { ko: KO, en: EN };
