/** The page inside the generator's frame: shows the widget with the options that it is told, without loading itself anew. */
window.preview = (() => {
  const TEASER_MS = 3_000;
  let make;
  let chat;
  let shown; // What the widget was made with.
  let base; // Its theme before any option.
  let told;

  // What is only looked at leaves nothing behind: neither an open window nor a dismissed teaser nor a person.
  Storage.prototype.getItem = () => null;
  Storage.prototype.setItem = () => undefined;
  // Whoever asks for the teaser need not wait for it.
  const later = window.setTimeout;
  window.setTimeout = (act, after, ...given) => later(act, after === TEASER_MS && told?.state === "teaser" ? 0 : after, ...given);
  // The chat takes the focus when it opens; not from somebody who types in the form.
  const { focus } = HTMLElement.prototype;
  HTMLElement.prototype.focus = function (options) {
    if (document.hasFocus()) focus.call(this, options);
  };

  /** These count when the widget is made and not after. */
  const birth = ({ state, options: { locale, theme = {} } }) => JSON.stringify([state === "teaser" && [theme.greetingMessage, theme.greetingReplies], locale]);

  async function show() {
    if (!make || !told) return;
    const { state, scheme, options } = told;
    const theme = { ...options.theme, colorScheme: options.theme?.colorScheme ?? scheme };
    document.documentElement.dataset.scheme = theme.colorScheme;
    if (shown !== birth(told)) {
      chat?.destroy();
      shown = birth(told);
      base = null;
      chat = make({ ...options, theme: { colorScheme: theme.colorScheme, ...(state === "teaser" ? options.theme : {}) }, defaultOpen: false });
    }
    const mine = chat;
    await mine.ready;
    if (mine !== chat) return;
    base ??= { ...chat.theme };
    const now = told;
    const unset = Object.fromEntries(Object.keys(chat.theme).map((name) => [name, base[name]]));
    chat.setTheme({ ...unset, ...theme });
    const open = now.state === "welcome" || now.state === "chat";
    chat.setOpen(open);
    if (now.state === "chat" && chat.view.current !== "chat") await chat.startConversation().catch((error) => console.warn("preview:", error.message));
    if (now.state === "welcome" && chat.view.current !== "welcome") chat.changeView("welcome");
  }

  addEventListener("message", ({ data, origin, source }) => {
    if (origin !== location.origin || source !== parent) return;
    told = data;
    void show();
  });

  return {
    loaded(init) {
      make = init;
      parent.postMessage("ready", location.origin);
    },
  };
})();
