import { Icon, IconButton, MessageView, notTwice } from "@malgil/message-view";
import type { Item } from "@malgil/protocol";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Ui } from "./ui";
import { perTab } from "./cache";
import { agentName } from "./chat";
import { walk } from "./keys";
import { fill } from "./words";

const GROUP_MS = 120_000;
/** Three lines of short ones. */
const CHIPS = 10;
const NEAR = 60;
const KEPT_MS = 600_000;

function speaker({ message }: Item): string {
  return message.isUser ? "user" : (message.persona?.displayName ?? message.meta?.persona?.displayName ?? (message.meta?.sender ? "agent" : "bot"));
}

export function TimelineView({ ui }: { ui: Ui }) {
  const { chat, w } = ui;
  const list = useRef<HTMLDivElement>(null);
  const [below, setBelow] = useState(0);
  const { items } = chat;
  const placeKey = `wc:${ui.shell.botId}:place`;
  const first = items[0]?.key;
  /** What was there when this was drawn last, and whether the reader is at its end. */
  const seen = useRef({ first, count: items.length, height: 0, bottom: true, placed: false, line: 0 }).current;

  const toBottom = (): void => {
    list.current!.scrollTop = list.current!.scrollHeight;
  };
  useLayoutEffect(() => {
    const it = list.current!;
    if (!it.clientHeight) return;
    const place = seen.placed || !items.length ? undefined : perTab.get<{ at: number; up: number }>(placeKey);
    seen.placed ||= items.length > 0;
    const line = chat.line !== seen.line && it.querySelector<HTMLElement>(".wc-unread");
    if (line) {
      seen.line = chat.line;
      it.scrollTop = line.offsetTop - 8;
      scrolled();
    } else if (place && Date.now() - place.at < KEPT_MS) {
      it.scrollTop = it.scrollHeight - place.up;
      scrolled();
    } else if (seen.first !== first && !seen.bottom) it.scrollTop += it.scrollHeight - seen.height;
    else if (seen.bottom || items.at(-1)?.status) toBottom();
    else if (items.length > seen.count) setBelow(below + items.length - seen.count);
    Object.assign(seen, { first, count: items.length, height: it.scrollHeight });
  });
  useEffect(() => {
    const { person } = chat;
    const leave = (): void => {
      const it = list.current!;
      if (it.clientHeight && chat.person === person) perTab.set(placeKey, seen.bottom ? undefined : { at: Date.now(), up: it.scrollHeight - it.scrollTop });
    };
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("pagehide", leave);
      leave();
    };
  }, []);
  useEffect(() => {
    const it = list.current!;
    const observer = new ResizeObserver(() => seen.bottom && toBottom());
    observer.observe(it);
    for (const child of Array.from(it.children)) observer.observe(child);
    return () => observer.disconnect();
  }, [items.length]);
  const scrolled = (): void => {
    const it = list.current!;
    seen.bottom = it.scrollHeight - it.scrollTop - it.clientHeight < NEAR;
    if (seen.bottom) setBelow(0);
    if (it.scrollTop < 40) void chat.older();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown" && event.target === Array.from(list.current!.querySelectorAll(".wc-msg")).at(-1)) ui.focus("textarea");
    else walk(event, ".wc-msg", { ArrowUp: -1, ArrowDown: 1 }, event.target === list.current ? "ArrowUp" : undefined);
  };

  const day = new Intl.DateTimeFormat(w.locale, { dateStyle: "long" });
  const clock = new Intl.DateTimeFormat(w.locale, { timeStyle: "short" });
  const call = chat.transport.standing.call;
  const inFlight = items.find((item) => item.status === "sending") && call.status !== "in_progress" && call.status !== "waiting";
  const rows = [];
  for (const [index, item] of items.entries()) {
    const { message } = item;
    const before = items[index - 1];
    const next = items[index + 1];
    const who = speaker(item);
    if (!before || day.format(before.message.timestamp) !== day.format(message.timestamp)) rows.push(<div class="wc-line" key={`d${item.key}`}>{day.format(message.timestamp)}</div>);
    if (before?.message.conversationId && message.conversationId && before.message.conversationId !== message.conversationId) {
      rows.push(<div class="wc-line wc-new" data-testid="wc-separator" key={`c${item.key}`}>{w.fresh}</div>);
    }
    if (chat.line && before && before.message.rev <= chat.line && message.rev > chat.line && !item.status) {
      rows.push(<div class="wc-line wc-new wc-unread" data-testid="wc-unread" key="unread">{w.unread}</div>);
    }
    const joins = (one: Item | undefined, other: Item | undefined): boolean => !!one && !!other && speaker(one) === speaker(other) && other.message.timestamp - one.message.timestamp < GROUP_MS;
    const head = !joins(before, item);
    const tail = !joins(item, next);
    const from = message.isUser ? "user" : who === "bot" ? who : "agent";
    const time = clock.format(message.timestamp);
    const name = from !== "agent" ? "" : who === from ? w.someone : who;
    rows.push(
      <div
        key={item.key}
        role="article"
        aria-label={`${message.isUser ? w.you : name || w.bot}, ${time}`}
        tabIndex={-1}
        class={`wc-msg mv-${message.isUser ? "user" : "other"}${head ? " wc-head" : ""}`}
        data-testid={`wc-msg-${message.id}`}
        data-from={from}
        data-type={message.data.type}
        data-status={item.status ?? "sent"}
      >
        {head && name && <b class="wc-name">{name}</b>}
        <MessageView message={message} words={w} pressed={chat.pressed} onButton={(button, key) => chat.press(button, key)} onImage={(uri, alt) => ui.open(`image:${uri}\n${alt}`)} />
        {item.status === "failed" ? (
          <small class="wc-failed">
            <Icon name="alert" /> {w.failed}
            <button onClick={() => chat.transport.retry(item.clientId!)}>{w.retry}</button>
            <button onClick={() => chat.transport.discard(item.clientId!)}>{w.remove}</button>
          </small>
        ) : item.status === "queued" && chat.transport.status !== "online" ? (
          <small title={w.queued}><Icon name="clock" /> {w.queued}</small>
        ) : (
          tail && !item.status && <small>{time}</small>
        )}
      </div>,
    );
    for (const note of chat.notes) {
      if (note.after < message.rev || (next && next.message.rev <= note.after) || item.status) continue;
      rows.push(
        <div class="wc-line" data-testid="wc-system" key={`n${chat.notes.indexOf(note)}`} data-from="system">
          {note.kind === "joined" ? fill(w.joined, { name: note.name ?? w.someone }) : w.ended}
        </div>,
      );
    }
  }
  const typing = chat.agentTyping;
  const slow = !typing && !chat.pace.waits;
  return (
    <div class="wc-scroll">
      <div class="wc-timeline" ref={list} role="log" aria-live="polite" aria-relevant="additions" aria-label={w.log} tabIndex={0} data-testid="wc-timeline" onScroll={scrolled} onKeyDown={onKeyDown}>
        {chat.more && <button class="wc-older" onClick={() => void chat.older()}>{w.older}</button>}
        {rows}
        {chat.loading && !items.length && <div class="wc-skeleton" aria-hidden="true"><i /><i /></div>}
        {(typing || inFlight || chat.pace.waits) && (
          <div class={`wc-typing${slow ? " wc-slow" : ""}`} data-testid={typing ? "wc-typing" : "wc-thinking"} role={typing ? "status" : undefined} aria-label={typing ? `${agentName(typing) ?? w.someone} ${w.typing}` : undefined} aria-hidden={!typing}>
            <i /><i /><i />
          </div>
        )}
      </div>
      {below > 0 && (
        <button class="wc-below" onClick={() => { setBelow(0); toBottom(); }}>
          {fill(w.newBelow, { n: below })} <Icon name="down" />
        </button>
      )}
    </div>
  );
}

export function Chips({ ui: { chat, w, focus } }: { ui: Ui }) {
  const [all, setAll] = useState<unknown>(null);
  const once = useRef(notTwice());
  const { keyboard } = chat;
  const buttons = keyboard?.buttons ?? [];
  const shown = all === keyboard ? buttons : buttons.slice(0, CHIPS);
  if (!buttons.length) return null;
  return (
    <div class="wc-chips" role="group" aria-label={w.replies} onKeyDown={(event: KeyboardEvent) => walk(event, "button", { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 })}>
      {shown.map((button, index) => (
        <button
          data-testid={`wc-qr-${index}`}
          onClick={() => {
            if (!once.current(button.label)) return;
            chat.press(button);
            // The chips go; the focus does not fall out of the window.
            focus("textarea");
          }}
        >
          {button.label}
        </button>
      ))}
      {shown.length < buttons.length && <button onClick={() => setAll(keyboard)}>{fill(w.rest, { n: buttons.length - shown.length })}</button>}
    </div>
  );
}

/** A picture as large as the window. */
export function Lightbox({ ui }: { ui: Ui }) {
  const [uri = "", alt = ""] = ui.layer.slice(6).split("\n");
  useEffect(() => ui.focus(".wc-lightbox button"), []);
  return (
    <div class="wc-lightbox" role="dialog" aria-modal="true" aria-label={alt} data-testid="wc-lightbox" onKeyDown={(event: KeyboardEvent) => walk(event, "button, a", { Tab: event.shiftKey ? -1 : 1 })} onClick={() => ui.open("")}>
      <img src={uri} alt={alt} />
      <IconButton icon="close" aria-label={ui.w.closeImage} />
      <a class="wc-icon" href={uri} download={alt} target="_blank" rel="noopener noreferrer" aria-label={`${ui.w.open}: ${alt}`}>
        <Icon name="save" />
      </a>
    </div>
  );
}
