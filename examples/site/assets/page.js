/** What the pages share: two languages and buttons that copy. The pages' text is Korean; `data-en` has the English. */
(() => {
  const KEY = "language";
  const ATTRIBUTES = { enLabel: "aria-label", enHint: "placeholder", enAlt: "alt" };
  const kept = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // Storage is blocked: the language is the browser's.
    }
  };
  let language = kept() ?? (navigator.language.startsWith("ko") ? "ko" : "en");

  function translate(root) {
    for (const element of root.querySelectorAll("[data-en]")) {
      element.dataset.ko ??= element.textContent;
      element.textContent = element.dataset[language];
    }
    for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
      const english = `data-${name.replace(/[A-Z]/g, "-$&").toLowerCase()}`;
      for (const element of root.querySelectorAll(`[${english}]`)) {
        const korean = english.replace("data-en", "data-ko");
        if (!element.hasAttribute(korean)) element.setAttribute(korean, element.getAttribute(attribute) ?? "");
        element.setAttribute(attribute, element.getAttribute(language === "en" ? english : korean));
      }
    }
  }

  function show() {
    document.documentElement.lang = language;
    translate(document);
    for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }

  function choose(wanted) {
    language = wanted;
    try {
      localStorage.setItem(KEY, wanted);
    } catch {
      // It is asked for again on the next page.
    }
    show();
    document.dispatchEvent(new CustomEvent("language"));
  }

  async function copy(button) {
    const source = document.querySelector(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      // No clipboard without https or loopback: what is selected can be copied by hand.
      getSelection().selectAllChildren(source);
      return;
    }
    button.dataset.copied = "";
    button.textContent = language === "en" ? "Copied" : "복사했어요";
    setTimeout(() => {
      delete button.dataset.copied;
      translate(button.parentElement);
    }, 1_600);
  }

  document.documentElement.lang = language;
  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-language], [data-copy]");
    if (button?.dataset.language) choose(button.dataset.language);
    else if (button) void copy(button);
  });

  window.site = {
    get language() {
      return language;
    },
    /** A text in the language of the page. */
    say: (korean, english) => (language === "en" ? english : korean),
    translate,
  };
})();
