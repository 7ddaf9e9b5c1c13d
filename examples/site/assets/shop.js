/** The shop's part of the chat: its words and colour, and the buttons of the page that ask it something. */
window.shop = (() => {
  let chat;
  let make;

  function begin(init) {
    make = init;
    chat = init({
      locale: site.language,
      params: { page: "shop" },
      theme: {
        greetingMessage: site.say("궁금한 점이 있으면 편하게 물어보세요.", "Is there anything you would like to know?"),
        greetingReplies: ["배송 조회", "상품 보기"],
      },
    });
  }

  async function ask(text) {
    if (!chat) return; // Its script is not there yet, or never will be.
    chat.setOpen(true);
    await chat.startConversation();
    await chat.sendMessage({ data: { type: "text", text } });
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-ask]");
    if (button) ask(button.dataset.ask).catch((error) => console.warn("shop:", error.message));
  });
  document.addEventListener("language", () => {
    if (!chat) return;
    chat.destroy();
    begin(make);
  });
  return { begin };
})();
