import { countCharacters, Icon, IconButton } from "@malgil/message-view";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Ui } from "./ui";
import { local, perTab } from "./cache";
import { type Emoji, parseEmoji } from "./emoji";
import { walk } from "./keys";
import { numberProblem } from "./number";
import { fill } from "./words";

const MAX = 1_000;
const COUNTER = 900;

export function Composer({ ui }: { ui: Ui }) {
  const { chat, w } = ui;
  const { draftKey, takesFiles } = chat;
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);
  const composing = useRef(false);
  const files = useRef<HTMLInputElement>(null);
  const { keyboard } = chat;
  const number = keyboard?.type === "number" ? keyboard : null;
  const length = countCharacters(text);
  const empty = text.trim() === "";

  const change = (value: string): void => {
    setText(value);
    setProblem("");
    perTab.set(draftKey, value || undefined);
    if (value) chat.transport.typing();
  };
  useLayoutEffect(() => {
    const it = area.current;
    if (!it) return;
    it.style.height = "auto";
    it.style.height = `${Math.min(it.scrollHeight, 5 * 21 + 20)}px`;
  }, [text]);
  useEffect(() => setProblem(""), [keyboard]);
  useEffect(() => setText(perTab.get<string>(draftKey) ?? ""), [chat.transport]);

  const send = (): void => {
    if (empty || composing.current) return;
    if (length > MAX) return setProblem(w.problems.tooLong);
    if (number) {
      const wrong = numberProblem(text, number);
      if (wrong) return setProblem(fill(w.problems[wrong], { n: (wrong === "atLeast" ? number.min : number.max) ?? "" }));
    }
    chat.say({ type: "text", text: text.trim() });
    if (chat.problem !== "full") change("");
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowUp" && empty) {
      event.preventDefault();
      return ui.focus(".wc-msg");
    }
    // While Hangul is composed, Enter ends the syllable and sends nothing.
    if (event.key !== "Enter" || event.shiftKey || composing.current || event.keyCode === 229) return;
    if (matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    send();
  };
  const paste = (event: ClipboardEvent): void => {
    const pasted = Array.from(event.clipboardData?.files ?? []);
    if (pasted.length && takesFiles) {
      event.preventDefault();
      void chat.attach(pasted);
    }
  };
  const insert = (emoji: string): void => {
    const it = area.current!;
    change(text.slice(0, it.selectionStart) + emoji + text.slice(it.selectionEnd));
  };
  const locate = (): void => {
    navigator.geolocation.getCurrentPosition(
      ({ coords: { latitude, longitude } }) => chat.say({ type: "location", location: { latitude, longitude } }),
      () => setProblem(w.noLocation),
    );
  };
  const said = problem || (chat.problem ? w.problems[chat.problem] : "");

  return (
    <div class="wc-composer">
      {ui.layer === "emoji" && <Palette ui={ui} insert={insert} />}
      {chat.tray.length > 0 && (
        <ul class="wc-tray">
          {chat.tray.map((entry, index) => (
            <li data-testid={`wc-tray-${index}`}>
              {entry.preview && <img src={entry.preview} alt="" />}
              {entry.error ? <span role="alert">{fill(w.problems[entry.error], { name: entry.name })}</span> : <progress aria-label={entry.name} value={entry.share} />}
              {entry.error === "fileFailed" && <button onClick={() => void chat.upload(entry)}>{w.retry}</button>}
              <IconButton icon="close" aria-label={`${w.remove}: ${entry.name}`} onClick={() => chat.drop(entry)} />
            </li>
          ))}
        </ul>
      )}
      {keyboard?.type === "location" && <button class="wc-main" onClick={locate}>{w.location}</button>}
      {said && <p class="wc-problem" role="alert" data-testid="wc-problem">{said}</p>}
      <div class="wc-field">
        <IconButton icon="smile" aria-label={w.emoji} aria-expanded={ui.layer === "emoji"} data-testid="wc-emoji" onClick={() => ui.open(ui.layer === "emoji" ? "" : "emoji")} />
        {takesFiles && <IconButton icon="image" aria-label={w.attach} data-testid="wc-attach" onClick={() => files.current?.click()} />}
        <input
          ref={files}
          type="file"
          accept="image/*"
          multiple
          hidden
          onChange={(event) => {
            const input = event.currentTarget as HTMLInputElement;
            void chat.attach(Array.from(input.files ?? []));
            input.value = "";
          }}
        />
        <textarea
          ref={area}
          rows={1}
          value={text}
          data-focus
          data-testid="wc-input"
          placeholder={w.hint}
          aria-label={w.hint}
          aria-invalid={!!problem}
          inputMode={number ? (number.integer ? "numeric" : "decimal") : "text"}
          onInput={(event) => change((event.currentTarget as HTMLTextAreaElement).value)}
          onKeyDown={onKeyDown}
          onCompositionStart={() => (composing.current = true)}
          onCompositionEnd={() => (composing.current = false)}
          onPaste={paste}
        />
        {length >= COUNTER && <span class={length > MAX ? "wc-count wc-over" : "wc-count"} data-testid="wc-count">{length.toLocaleString("en")}/1,000</span>}
        <IconButton icon="send" class="wc-send" aria-label={w.send} data-testid="wc-send" disabled={empty || length > MAX} onClick={send} />
      </div>
    </div>
  );
}

function Palette({ ui, insert }: { ui: Ui; insert(emoji: string): void }) {
  const { w, shell } = ui;
  const [groups, setGroups] = useState<Emoji[][]>([]);
  const [query, setQuery] = useState("");
  const [tab, setTab] = useState(0);
  const recentKey = "wc:emoji";
  const recent = local.get<string[]>(recentKey) ?? [];
  useEffect(() => {
    fetch(`${shell.host}/${EMOJI_FILE}`).then(async (found) => setGroups(parseEmoji(await found.text())), () => ui.open(""));
    ui.focus(".wc-palette input");
    return () => ui.focus("textarea");
  }, []);
  const wanted = query.trim().toLowerCase();
  const shown: string[] = wanted
    ? groups.flat().filter(([, ko, en]) => ko.includes(wanted) || en.includes(wanted)).map(([emoji]) => emoji)
    : tab < 0 ? recent : (groups[tab] ?? []).map(([emoji]) => emoji);
  const names = new Map(groups.flat().map(([emoji, ko, en]) => [emoji, w.locale === "ko" ? ko : en]));
  const pick = (emoji: string): void => {
    local.set(recentKey, [emoji, ...recent.filter((other) => other !== emoji)].slice(0, 24));
    insert(emoji);
  };
  return (
    <div class="wc-palette" role="group" aria-label={w.emoji} data-testid="wc-palette" onKeyDown={(event: KeyboardEvent) => walk(event, ".wc-cells button", { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8 }, "ArrowDown")}>
      <input type="search" placeholder={w.emojiSearch} aria-label={w.emojiSearch} value={query} onInput={(event) => setQuery((event.currentTarget as HTMLInputElement).value)} />
      <div class="wc-tabs">
        {recent.length > 0 && <button aria-label={w.recent} aria-pressed={tab < 0} onClick={() => setTab(-1)}><Icon name="clock" /></button>}
        {groups.map((group, index) => (
          <button aria-label={names.get(group[0]![0])} aria-pressed={tab === index} onClick={() => setTab(index)}>{group[0]![0]}</button>
        ))}
      </div>
      <div class="wc-cells">
        {shown.map((emoji) => (
          <button aria-label={names.get(emoji) ?? emoji} onClick={() => pick(emoji)}>{emoji}</button>
        ))}
        {wanted && !shown.length && <p>{w.emojiNone}</p>}
      </div>
    </div>
  );
}
