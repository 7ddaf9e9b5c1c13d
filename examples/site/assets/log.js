/** Shows on a page what its snippet did: the code as it stands there, calls that somebody may try, and what the chat told. */
(() => {
  const lines = [];
  let list;
  let row;

  const shown = (value) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return text === undefined ? "" : text.length > 400 ? `${text.slice(0, 400)}…` : text;
  };

  function add([what, detail]) {
    const line = document.createElement("li");
    const name = document.createElement("b");
    line.dataset.what = name.textContent = what;
    line.append(name);
    if (detail !== undefined) line.append(Object.assign(document.createElement("code"), { textContent: shown(detail) }));
    list.append(line);
  }

  window.happened = (what, detail) => (list ? add([what, detail]) : void lines.push([what, detail]));

  const CALLS = {
    "setOpen(true)": (chat) => chat.setOpen(true),
    "setOpen(false)": (chat) => chat.setOpen(false),
    "setEnabled(false)": (chat) => chat.setEnabled(false),
    "setEnabled(true)": (chat) => chat.setEnabled(true),
    "startConversation()": (chat) => chat.startConversation(),
    "sendMessage({data: {type: 'text', text: '매장 안내'}})": (chat) => chat.sendMessage({ data: { type: "text", text: "매장 안내" } }),
    "setParams({visits: 2})": (chat) => chat.setParams({ visits: 2 }),
    "openChatWindow()": (chat) => chat.openChatWindow(),
    "closeChatWindow()": (chat) => chat.closeChatWindow(),
    "hideChatButton()": (chat) => chat.hideChatButton(),
    "showChatButton()": (chat) => chat.showChatButton(),
    "updateParams({visits: 2})": (chat) => chat.updateParams({ visits: 2 }),
  };
  const V1 = /ChatWindow|ChatButton|updateParams/;

  function offer(chat, version) {
    for (const [name, call] of Object.entries(CALLS)) {
      if ((version === 1) !== V1.test(name)) continue;
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
      button.dataset.call = name.split("(")[0];
      button.onclick = async () => {
        try {
          await call(chat);
          happened(name, { isOpen: chat.isOpen, isEnabled: chat.isEnabled, params: chat.params });
        } catch (error) {
          happened(name, `${error.code ?? error.name}: ${error.message}`);
        }
      };
      row.append(button);
    }
  }

  /** Tells of a control object, now and later, and offers its methods. */
  window.watch = (chat, version = 2) => {
    happened("control", Object.keys(chat).filter((name) => typeof chat[name] === "function").join(", "));
    happened("params", chat.params);
    for (const event of ["open", "close", "view", "state", "error"]) chat.on(event, (detail) => happened(event, detail?.message ?? detail));
    chat.on("message", ({ data, isUser }) => happened(isUser ? "message, mine" : "message", data.text ?? data.type));
    chat.ready.then(() => happened("ready", { title: chat.theme.title, isEnabled: chat.isEnabled }), (error) => happened("error", error.message));
    if (row) offer(chat, version);
    else document.addEventListener("DOMContentLoaded", () => offer(chat, version));
  };

  /** The snippet as it stands in the page, or in the script that the page must have it in. */
  async function code() {
    const place = document.querySelector("[data-snippet]");
    const text = place.dataset.snippet ? await (await fetch(place.dataset.snippet)).text() : place.innerHTML;
    return text.trim();
  }

  document.addEventListener("DOMContentLoaded", async () => {
    const place = document.querySelector("[data-log]");
    place.innerHTML = `
      <h2 data-en="The code on this page">이 페이지의 코드</h2>
      <div class="code"><button class="main" type="button" data-copy="#code" data-en="Copy">복사</button><pre id="code" tabindex="0" data-testid="snippet"></pre></div>
      <h2 data-en="What happened">일어난 일</h2>
      <div class="calls" data-testid="calls"></div>
      <div class="log panel" role="log" data-testid="log"><ol></ol></div>`;
    list = place.querySelector("ol");
    row = place.querySelector(".calls");
    for (const line of lines.splice(0)) add(line);
    window.site.translate(place);
    place.querySelector("pre").textContent = await code();
  });
})();
