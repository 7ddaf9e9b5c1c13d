/** Texts to paste into a site, out of what was chosen. Whatever somebody typed stays a text: no script, no tag, no attribute of its own. */

export const KINDS = ["plain", "function", "name", "v1", "page"];
/** The full page keeps these for itself. */
const RESERVED = new Set(["userKey", "sessionId", "restart", "locale"]);
const CLOSER = "(function(c,l,o,s,e,r){c[e]=c[e]||{};r=l.createElement('script');s&&(o+='?botId='+s);e&&(o+=('&bind='+e));r.src=o;r.async=1;l.head.appendChild(r);})";

/** A value as JavaScript that may stand inside a <script> of any page, and in an address. */
export function literal(value, space) {
  const escapes = { "<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029" };
  return JSON.stringify(value, null, space).replace(/[<>&\u2028\u2029]/g, (letter) => escapes[letter]);
}

/** A value as the text of an attribute in double quotes, or of an element. */
export function escaped(text) {
  const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return String(text).replace(/[&<>"']/g, (letter) => escapes[letter]);
}

/** A name that can stand before a dot. */
export const isName = (text) => /^[A-Za-z_$][\w$]*$/.test(text);

const isEmpty = (object) => Object.keys(object).length === 0;
const indented = (text, by) => text.replaceAll("\n", `\n${" ".repeat(by)}`);
const closers = ({ host, bot }, bind) => `${CLOSER}(window,document,${quoted(`${host}/webchat.js`)},${quoted(bot)}${bind ? `,${bind}` : ""})`;
/** Single quotes, as CLOSER's snippet has them. */
const quoted = (text) => `'${literal(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

/** camelCase as an attribute, which knows no capitals; undefined when it would come back as something else. */
function attribute(name) {
  if (!/^[a-z][A-Za-z0-9]*$/.test(name) || /^(?:bot|bind|botId|botid)$/.test(name) || /[A-Z]{2}|[A-Z]$|[A-Z]\d/.test(name)) return undefined;
  return `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The address of the full page with start params. */
export function address({ host, bot, options }) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options.params ?? {})) if (!RESERVED.has(name)) query.append(name, value);
  if (options.locale) query.append("locale", options.locale);
  return `${host}/webchat/${bot}${query.size ? `?${query}` : ""}`;
}

const forms = {
  plain(wanted) {
    const { host, bot, options } = wanted;
    const from = `${host}/webchat.js?botId=${bot}`;
    if (isEmpty(options)) return `<script async src="${escaped(from)}"></script>`;
    return `<script>
(function (d, r) {
  r = d.createElement('script');
  r.async = true;
  r.src = ${quoted(from)};
  r.onLoad = function (init) {
    init(${indented(literal(options, 2), 4)});
  };
  d.head.appendChild(r);
})(document);
</script>`;
  },
  function(wanted) {
    const given = isEmpty(wanted.options) ? "" : indented(literal(wanted.options, 2), 2);
    return `<script>
function onLoad(init) {
  init(${given}).then(function (chat) {
    chat.on('open', function () { /* ... */ });
  });
}
${closers(wanted, "onLoad")}
</script>`;
  },
  name(wanted) {
    const { name, options } = wanted;
    if (isEmpty(options)) return `<script>\n${closers(wanted, quoted(name))}\n</script>`;
    return `<script>
function ${name}Ready(init) {
  window.${name} = init(${indented(literal(options, 2), 2)});
}
${closers(wanted, quoted(`${name}Ready`))}
</script>`;
  },
  v1({ host, bot, options }) {
    const { theme, params = {}, defaultOpen } = options;
    const attributes = Object.entries(params).flatMap(([name, value]) => (attribute(name) ? [`${attribute(name)}="${escaped(value)}"`] : []));
    const others = Object.fromEntries(Object.entries(params).filter(([name]) => !attribute(name)));
    const calls = [
      theme && `chat.setTheme(${indented(literal(theme, 2), 2)});`,
      !isEmpty(others) && `chat.updateParams(${indented(literal(others, 2), 2)});`,
      defaultOpen && "chat.openChatWindow();",
    ].filter(Boolean);
    const callback = calls.length ? `<script>\nfunction onInit(chat) {\n  ${calls.join("\n  ")}\n}\n</script>\n` : "";
    const tag = ["<script async", `botId="${escaped(bot)}"`, callback && 'callback="onInit"', ...attributes, `src="${escaped(`${host}/js/webchat.min.js`)}"`];
    return `${callback}${tag.filter(Boolean).join(" ")}></script>`;
  },
  page(wanted) {
    const title = escaped(wanted.options.theme?.title ?? "Chat");
    return `<iframe src="${escaped(address(wanted))}" title="${title}" style="border:0;width:380px;height:640px"></iframe>`;
  },
};

/** The text of one kind for {host, bot, name, options}; `options` are those of init, without what is left as it is. */
export const snippet = (kind, wanted) => forms[kind](wanted);
