import { Icon, MessageView } from "@malgil/message-view";
import type { Item } from "@malgil/protocol";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Ui } from "./app";
import { agentName } from "./chat";
import { fill } from "./strings";

const GROUP_MS = 120_000;
const CHIPS = 12;
const NEAR = 60;

function speaker({ message }: Item): string {
  return message.isUser ? "user" : (message.persona?.displayName ?? message.meta?.persona?.displayName ?? (message.meta?.sender ? "agent" : "bot"));
}

export function TimelineView({ ui }: { ui: Ui }) {
  const { chat, locale, w } = ui;
  const list = useRef<HTMLDivElement>(null);
  const bottom = useRef(true);
  const height = useRef(0);
  const [below, setBelow] = useState(0);
  const { items } = chat.timeline;
  const oldest = items[0]?.key;
  const first = useRef(oldest);
  const count = useRef(items.length);

  const toBottom = (): void => {
    const it = list.current;
    if (it) it.scrollTop = it.scrollHeight;
  };
  useLayoutEffect(() => {
    const it = list.current;
    if (!it) return;
    if (first.current !== oldest && !bottom.current) it.scrollTop += it.scrollHeight - height.current;
    else if (bottom.current || items.at(-1)?.status) toBottom();
    else if (items.length > count.current) setBelow(below + items.length - count.current);
    first.current = oldest;
    count.current = items.length;
    height.current = it.scrollHeight;
  });
  useEffect(() => {
    const it = list.current;
    if (!it) return;
    const observer = new ResizeObserver(() => bottom.current && toBottom());
    observer.observe(it);
    for (const child of Array.from(it.children)) observer.observe(child);
    return () => observer.disconnect();
  }, [items.length]);
  const scrolled = (): void => {
    const it = list.current!;
    bottom.current = it.scrollHeight - it.scrollTop - it.clientHeight < NEAR;
    if (bottom.current && below) setBelow(0);
    if (it.scrollTop < 40) void chat.older();
  };

  const day = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
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
    const joins = (one: Item | undefined, other: Item | undefined): boolean => !!one && !!other && speaker(one) === speaker(other) && other.message.timestamp - one.message.timestamp < GROUP_MS;
    const head = !joins(before, item);
    const tail = !joins(item, next);
    const agent = !message.isUser && who !== "bot";
    const time = clock.format(message.timestamp);
    const name = message.isUser ? undefined : agent ? (who === "agent" ? w.someone : who) : undefined;
    rows.push(
      <div
        key={item.key}
        class={`wc-msg mv-${message.isUser ? "user" : "other"}${head ? " wc-head" : ""}${tail ? " wc-tail" : ""}`}
        data-testid={`wc-msg-${message.id}`}
        data-from={message.isUser ? "user" : agent ? "agent" : "bot"}
        data-type={message.data.type}
        data-status={item.status ?? "sent"}
      >
        {head && name && <b class="wc-name">{name}</b>}
        <MessageView message={message} locale={locale} pressed={chat.pressed} onButton={(button, key) => chat.press(button, key)} onImage={(uri) => ui.open(`image:${uri}`)} />
        {item.status === "failed" ? (
          <small class="wc-failed">
            <Icon name="alert" /> {w.failed}
            <button type="button" onClick={() => chat.transport.retry(item.clientId!)}>{w.retry}</button>
            <button type="button" onClick={() => chat.transport.discard(item.clientId!)}>{w.remove}</button>
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
  const typing = chat.agentTyping !== null;
  return (
    <div class="wc-scroll">
      <div class="wc-timeline" ref={list} role="log" aria-live="polite" aria-relevant="additions" aria-label={w.log} tabIndex={0} data-testid="wc-timeline" onScroll={scrolled}>
        {chat.more && <button type="button" class="wc-older" onClick={() => void chat.older()}>{w.older}</button>}
        {rows}
        {chat.loading && !items.length && <div class="wc-skeleton" aria-hidden="true"><i /><i /></div>}
        {(typing || inFlight) && (
          <div class={`wc-typing${typing ? "" : " wc-slow"}`} data-testid={typing ? "wc-typing" : "wc-thinking"} role={typing ? "status" : undefined} aria-label={typing ? `${agentName(chat.agentTyping === true ? undefined : (chat.agentTyping ?? undefined)) ?? w.someone} ${w.typing}` : undefined} aria-hidden={typing ? undefined : true}>
            <i /><i /><i />
          </div>
        )}
      </div>
      {below > 0 && (
        <button type="button" class="wc-below" onClick={() => { setBelow(0); toBottom(); }}>
          {fill(w.newBelow, { n: below })} <Icon name="down" />
        </button>
      )}
    </div>
  );
}

export function Chips({ ui: { chat, w } }: { ui: Ui }) {
  const [all, setAll] = useState<unknown>(null);
  const group = useRef<HTMLDivElement>(null);
  const { keyboard } = chat;
  const buttons = keyboard?.buttons ?? [];
  if (!buttons.length) return null;
  const shown = all === keyboard ? buttons : buttons.slice(0, CHIPS);
  const onKeyDown = (event: KeyboardEvent): void => {
    const chips = Array.from(group.current!.querySelectorAll("button"));
    const at = chips.indexOf(event.target as HTMLButtonElement);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: chips.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    chips[(to + chips.length) % chips.length]?.focus();
  };
  return (
    <div class="wc-chips" role="group" aria-label={w.replies} ref={group} onKeyDown={onKeyDown}>
      {shown.map((button, index) => (
        <button
          type="button"
          key={index}
          data-testid={`wc-qr-${index}`}
          onClick={(event: MouseEvent) => {
            const root = (event.currentTarget as HTMLElement).getRootNode() as ShadowRoot;
            chat.press(button);
            // The chips go; the focus does not fall out of the window.
            root.querySelector<HTMLElement>("textarea")?.focus({ preventScroll: true });
          }}
        >
          {button.label}
        </button>
      ))}
      {shown.length < buttons.length && <button type="button" class="wc-rest" onClick={() => setAll(keyboard)}>{fill(w.more, { n: buttons.length - shown.length })}</button>}
    </div>
  );
}
