/** The shop's part of the chat: its words and colour, and the buttons of the page that ask it something. */
window.shop = (() => {
  const korean = { greetingMessage: "궁금한 점이 있으면 편하게 물어보세요.", greetingReplies: ["배송 조회", "상품 보기"] };
  // The bot itself speaks Korean alone.
  const english = { title: "Malgil Store", description: "Orders, products, returns. The example bot answers in Korean.", greetingMessage: "Is there anything you would like to know?" };
  let chat;
  let make;

  function begin(init) {
    make = init;
    chat = init({
      locale: site.language,
      params: { page: "shop" },
      theme: site.language === "en" ? english : korean,
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
