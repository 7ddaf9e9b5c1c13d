import type { BotConfig, MessageData, Params, Place } from "@malgil/protocol";
import type { Words } from "./words";

/** What the loader and the app, which comes later, know of each other. */

export interface Theme {
  title?: string;
  description?: string;
  icon?: string;
  position?: string;
  positionStrategy?: string;
  textColor?: string;
  primaryColor?: string;
  primaryContrastTextColor?: string;
  pageMargin?: number | [number, number];
  zIndex?: number;
  defaultWindowSize?: { width?: number; height?: number } | [number, number];
  greetingMessage?: string;
  enableResize?: boolean;
  buttonSize?: number;
  buttonIconSize?: number;
  buttonRadius?: number;
  colorScheme?: string;
  skipWelcome?: boolean;
  hideBrand?: boolean;
  announceAgent?: boolean;
  /** Questions to begin with, on the teaser and the welcome view. */
  greetingReplies?: string[];
  locale?: string;
}

export type ViewName = "welcome" | "contact" | "chat" | "setting";

export interface State {
  isOpen: boolean;
  isEnabled: boolean;
  unread: number;
  userKey: string;
  params: Params;
  /** Parameters that the page changed and the server does not know yet. */
  unsent: Params;
  theme: Theme;
  view: { current: ViewName; stack: ViewName[] };
}

export interface InitOptions {
  userKey?: string;
  identity?: string | undefined;
  /** The name that ux papers gave the identity. */
  userHash?: string | undefined;
  params?: Params;
  enable?: boolean;
  defaultOpen?: boolean;
  theme?: Theme;
  locale?: string;
  /** The full page was asked to begin anew. */
  restart?: boolean;
}

export interface Shell {
  host: string;
  botId: string;
  config: BotConfig;
  options: InitOptions;
  state: State;
  /** The full page: no launcher, the window fills the page. */
  page: boolean;
  /** The visitor's own choice, the page's, the owner's, or the browser's. */
  locale(): "ko" | "en";
  /** Fetches the words of a language. */
  words(locale: "ko" | "en"): Promise<Words>;
  emit(event: string, detail?: unknown): void;
  /** Puts colours, such as can be read on the paper, and place on a wrapper in the page. */
  place(wrapper: HTMLElement, paper?: string): void;
  /** Draws the launcher anew after a change of the state. */
  paint(): void;
  setOpen(open: boolean): void;
  focusLauncher(): void;
  /** Loads a file that came with this build and calls back with what it gives. */
  load<T>(file: string): Promise<T>;
  /** The loader's request for the configuration. */
  asked: Promise<Response>;
}

/** What the loader hands calls on to. */
export interface App {
  setOpen(open: boolean): void;
  repaint(): void;
  changeView(view: ViewName | "back", how?: string): void;
  /** Sends what is unsent. */
  setParams(): Promise<void>;
  setUserKey(userKey: string): Promise<void>;
  startConversation(options?: { navigation?: Place; params?: Params; restart?: boolean }): Promise<void>;
  changeNavigation(place: Place): Promise<void>;
  sendMessage(message: { data: MessageData }): Promise<void>;
  sendTypingEvent(): Promise<void>;
  /** Begins the conversation with a text. */
  ask(text: string): Promise<void>;
  destroy(): void;
}

export type MountApp = (shell: Shell, words: Words) => App;

export interface Launcher {
  /** The bot's configuration is known. */
  ready: Promise<void>;
  setOpen(open: boolean): void;
  paint(): void;
  /** The app, loaded if it is not there yet. */
  need(): Promise<App>;
  app(): App | null;
  destroy(): void;
}

export type MakeLauncher = (shell: Shell) => Launcher;
