import type { Outgoing, Turn } from "./transport";
import type { Message } from "./types";

export interface Item {
  /** Stays the same when an echo becomes the stored message. */
  key: string;
  message: Message;
  status?: Outgoing["state"];
  clientId?: string;
}

/** What is shown: stored messages by revision, then our own that are on their way. */
export class Timeline {
  #stored: Item[] = [];
  #outbox: readonly Outgoing[] = [];
  readonly #ids = new Set<string>();
  /** Outgoing entries that a sync has already brought, although their acknowledgement is still missing. */
  readonly #arrived = new Set<string>();

  add({ messages, clientId }: Turn): Message[] {
    const fresh = this.#fresh(messages);
    for (const message of fresh) {
      const own = message.isUser ? (clientId ?? this.#echoOf(message)) : undefined;
      if (own !== undefined) this.#arrived.add(own);
      this.#stored.push({ key: own ?? message.id, message, clientId: own });
    }
    return fresh;
  }

  prepend(messages: readonly Message[]): void {
    this.#stored = [...this.#fresh(messages).map((message) => ({ key: message.id, message })), ...this.#stored].sort(
      (a, b) => a.message.rev - b.message.rev,
    );
  }

  setOutbox(outbox: readonly Outgoing[]): void {
    this.#outbox = outbox;
    const waiting = new Set(outbox.map((entry) => entry.clientId));
    for (const known of this.#arrived) if (!waiting.has(known)) this.#arrived.delete(known);
  }

  clear(): void {
    this.#stored = [];
    this.#ids.clear();
    this.#arrived.clear();
  }

  get items(): Item[] {
    // A jump that no button brought says nothing.
    const echoes = this.#outbox.filter(({ clientId, frame }) => frame.data && !this.#arrived.has(clientId)).map(echo);
    return [...this.#stored, ...echoes];
  }

  get messages(): Message[] {
    return this.#stored.map((item) => item.message);
  }

  get oldest(): number {
    return this.#stored[0]?.message.rev ?? 0;
  }

  #fresh(messages: readonly Message[]): Message[] {
    const fresh = messages.filter(({ id }) => !this.#ids.has(id));
    for (const { id } of fresh) this.#ids.add(id);
    return fresh;
  }

  #echoOf(message: Message): string | undefined {
    const said = JSON.stringify([message.data.text, message.data.media?.uri]);
    return this.#outbox.find(
      ({ clientId, frame, state }) =>
        state !== "failed" &&
        !this.#arrived.has(clientId) &&
        frame.data &&
        JSON.stringify([frame.data.text, frame.data.media?.uri]) === said,
    )?.clientId;
  }
}

function echo({ clientId, frame, state, at }: Outgoing): Item {
  const message: Message = { id: clientId, rev: Number.MAX_SAFE_INTEGER, isUser: true, data: frame.data!, timestamp: at };
  return { key: clientId, message, status: state, clientId };
}
