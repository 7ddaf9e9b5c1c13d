/** A small shop bot: every kind of message, button and keyboard. */
const menu = {
  type: "buttons",
  buttons: ["배송 조회", "상품 보기", "별점", "상담원 연결", "위치"].map((label) => ({ type: "postback", label })),
};
const text = (said, buttons) => ({ type: "text", text: said, ...(buttons ? { buttons } : {}) });
const picture = (color, label) =>
  `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" width="480" height="251"><rect width="480" height="251" fill="${color}"/><text x="240" y="140" font-size="44" text-anchor="middle" fill="#fff">${label}</text></svg>`)}`;

export function demoBot(frame, log) {
  if (frame.start) return { messages: [text("안녕하세요! 무엇을 도와드릴까요?\n아래에서 고르거나 그냥 말씀해 주세요.")], keyboard: menu };
  if (frame.type === "navigate") return { messages: [text(`플로우 ${frame.flowId}입니다.`)], keyboard: menu };
  const said = frame.data;
  if (said.payload) return { messages: [text(`골랐습니다: ${JSON.stringify(said.payload)}`)], keyboard: menu };
  if (said.type === "media") return { messages: [text("사진을 받았습니다.")], keyboard: menu };
  if (log.call.status === "waiting" && said.text === "요청 취소") return { messages: [text("상담 요청을 취소했습니다.")], keyboard: menu, call: { status: "missed" } };
  if (log.call.status === "in_progress") return { messages: [] };
  switch (said.text) {
    case "배송 조회":
      return {
        messages: [
          text("주문하신 상품은 오늘 14시에 출발했습니다. 자세한 것은 https://example.com/track?no=4821 에서 보실 수 있고, 전화는 02-1234-5678입니다.", [
            { type: "link", label: "배송 지도", uri: "https://example.com/map" },
            { type: "postback", label: "다른 주문", payload: "orders" },
            { type: "goto", label: "처음으로", flowId: 1 },
          ]),
        ],
        keyboard: menu,
      };
    case "상품 보기":
      return {
        messages: [
          text("인기 상품입니다."),
          {
            type: "cards",
            cards: ["텀블러", "에코백", "노트"].map((title, index) => ({
              title,
              description: "매일 쓰기 좋은 물건. 가볍고 오래갑니다.",
              media: { contentType: "image", uri: picture(["#0E6B5C", "#A84300", "#5B3FA8"][index], title) },
              buttons: [
                { type: "postback", label: "고르기", payload: `card-${index + 1}` },
                { type: "link", label: "자세히", uri: "https://example.com/p" },
              ],
            })),
          },
        ],
        keyboard: menu,
      };
    case "별점":
      return { messages: [text("1에서 5까지 숫자로 알려 주세요.")], keyboard: { type: "number", min: 1, max: 5, integer: true } };
    case "상담원 연결":
      return { messages: [text("상담원을 부르겠습니다. 잠시만 기다려 주세요.")], keyboard: { type: "buttons", buttons: [{ type: "postback", label: "요청 취소" }] }, call: { status: "waiting" } };
    case "위치":
      return { messages: [{ type: "location", location: { title: "말길 매장", latitude: 37.5665, longitude: 126.978 } }], keyboard: menu };
    case "여러 말":
      return { messages: ["하나", "둘", "셋"].map((said) => text(`여러 말 ${said}`)), keyboard: menu };
    case "긴 글":
      return { messages: [text("말길은 손님과 나누는 이야기를 한곳에서 봅니다. ".repeat(40).trim())], keyboard: menu };
    case "사진":
      return { messages: [{ type: "media", media: { contentType: "image", uri: picture("#0E6B5C", "사진"), altText: "매장 사진", width: 480, height: 251 }, buttons: [{ type: "postback", label: "더 보기", payload: "more" }] }], keyboard: menu };
    case "깨진 사진":
      return { messages: [{ type: "media", media: { contentType: "image", uri: "https://127.0.0.1:9/영수증.png" } }], keyboard: menu };
    case "동영상":
      return { messages: [{ type: "media", media: { contentType: "video", uri: "https://youtu.be/aqz-KE-bpKQ", altText: "설치 방법" } }, { type: "media", media: { contentType: "audio", uri: "https://example.com/sound.mp3" } }, { type: "media", media: { contentType: "link", uri: "https://example.com/files/guide.pdf", name: "이용 안내.pdf", size: 1_480_000 } }], keyboard: menu };
    case "카드 하나":
      return { messages: [{ type: "cards", cards: [{ title: "여름 할인전", description: "7월 한 달 동안 모든 텀블러를 20% 싸게 드립니다. ".repeat(6).trim(), uri: "https://example.com/sale", buttons: [{ type: "postback", label: "보러 가기", payload: "sale" }] }] }], keyboard: menu };
    case "여러 답":
      return { messages: [text("어느 동네에 사세요?")], keyboard: { type: "buttons", buttons: Array.from({ length: 30 }, (_, index) => ({ type: "postback", label: `${index + 1}동네` })) } };
    case "link-xss":
      return { messages: [text("<img src=x onerror=\"window.pwned=1\">", [{ type: "link", label: "나쁜 링크", uri: "javascript:window.pwned=1" }]), { type: "cards", cards: [{ title: "<img src=x onerror=window.pwned=1>" }] }, { type: "hologram", text: "?" }], keyboard: menu };
    default:
      return { messages: [text(`"${said.text}"라고 하셨네요.`)], keyboard: menu };
  }
}
