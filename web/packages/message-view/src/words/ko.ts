import type { Locale } from "../words";

export const ko = {
  locale: "ko" as Locale,
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
