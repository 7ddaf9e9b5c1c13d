import type { Message, Outgoing } from "@malgil/protocol";

/** The newest messages of a talk, so that a reload shows them before the network answers. */
export interface Saved {
  rev: number;
  messages: Message[];
}

const KEEP = 30;
const STORE = "talks";
let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  return (opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("malgil-webchat", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  }));
}

function asked<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  return database().then(
    (db) =>
      new Promise((resolve, reject) => {
        const request = ask(db.transaction(STORE, mode).objectStore(STORE));
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      }),
  );
}

/** Where storage is blocked, nothing is kept, and the network brings it all. */
export const cache = {
  read: (key: string): Promise<Saved | undefined> => asked<Saved | undefined>("readonly", (store) => store.get(key)).catch(() => undefined),
  write: (key: string, { rev, messages }: Saved): Promise<unknown> =>
    asked("readwrite", (store) => store.put({ rev, messages: messages.slice(-KEEP) }, key)).catch(() => undefined),
  remove: (key: string): Promise<unknown> => asked("readwrite", (store) => store.delete(key)).catch(() => undefined),
};

/** What the web storage did not take is kept in memory, for as long as the page lives. */
const unstored: Record<string, unknown> = {};

/** Web storage that may be blocked or full. */
function stored(area: "localStorage" | "sessionStorage") {
  return {
    get<T>(key: string): T | undefined {
      if (area + key in unstored) return unstored[area + key] as T;
      try {
        return (JSON.parse(window[area].getItem(key)!) ?? undefined) as T;
      } catch {
        return undefined;
      }
    },
    set(key: string, value: unknown): void {
      try {
        if (value === undefined) window[area].removeItem(key);
        else window[area].setItem(key, JSON.stringify(value));
        delete unstored[area + key];
      } catch {
        unstored[area + key] = value;
      }
    },
  };
}

export const local = stored("localStorage");
export const perTab = stored("sessionStorage");

export function storageBlocked(): boolean {
  return Object.keys(unstored).length > 0;
}

const STALE_MS = 86_400_000;

/**
 * Messages that are on their way, where the next visit finds them. Each has a key of its own and is written once: tabs
 * share them, and none may bring back what another one sent and took away.
 */
export function outbox(prefix: string, userKey: () => string) {
  let known: readonly Outgoing[] = [];
  const key = (clientId: string): string => `${prefix}${encodeURIComponent(userKey())}:${clientId}`;
  const stored = (): string[] => {
    try {
      return Object.keys(localStorage).filter((name) => name.startsWith(key("")));
    } catch {
      // Blocked.
      return [];
    }
  };
  return {
    /** Those of all tabs, in the order in which they were said; what is old waits for a word of the person. */
    read(): Outgoing[] {
      const found = stored().map((name) => local.get<Outgoing>(name)!);
      for (const entry of found) if (Date.now() - entry.at > STALE_MS) entry.state = "failed";
      return (known = found.sort((a, b) => a.at - b.at));
    },
    write(entries: readonly Outgoing[]): void {
      if (!userKey()) return;
      for (const entry of known) if (!entries.includes(entry)) local.set(key(entry.clientId), undefined);
      for (const entry of entries) if (!known.includes(entry) || entry.state === "failed") local.set(key(entry.clientId), entry);
      known = entries;
    },
    /** Those of all tabs. */
    clear(): void {
      for (const name of stored()) local.set(name, undefined);
    },
  };
}
