import type { Message } from "@malgil/protocol";

const STEP_MS = 300;
const MOST_MS = 5_000;

/** How long a message waits for its turn, in ms: as long as it says, else a step; the first one not at all. */
export function pause({ delay }: { delay?: unknown }, first: boolean): number {
  const asked = Number(delay);
  return asked > 0 ? Math.min(asked, MOST_MS) : first ? 0 : STEP_MS;
}

/** Messages of a turn that arrives while somebody looks appear one after the other. They are there from the beginning: nothing is lost or moved. */
export class Pace {
  #waiting: Message[] = [];
  #timer = 0;

  constructor(private readonly changed: () => void) {}

  get waits(): boolean {
    return this.#waiting.length > 0;
  }

  hides(message: Message): boolean {
    return this.#waiting.includes(message);
  }

  add(messages: Message[]): void {
    const first = !this.waits;
    this.#waiting.push(...messages);
    if (first) this.#next(true);
  }

  /** Everything appears. */
  end(): void {
    clearTimeout(this.#timer);
    this.#waiting = [];
  }

  #next(first = false): void {
    const message = this.#waiting[0];
    if (!message) return;
    const shown = (): void => {
      this.#waiting.shift();
      this.changed();
      this.#next();
    };
    const ms = pause(message, first);
    if (ms) this.#timer = setTimeout(shown, ms) as unknown as number;
    else shown();
  }
}
