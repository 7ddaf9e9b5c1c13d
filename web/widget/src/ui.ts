import type { Chat } from "./chat";
import type { Shell, ViewName } from "./shell";
import type { Words } from "./words";

/** What every part of the window is given. */
export interface Ui {
  chat: Chat;
  shell: Shell;
  w: Words;
  go(view: ViewName | "back"): void;
  layer: string;
  open(layer: string): void;
  /** Puts the focus on the last thing that the selector finds. */
  focus(selector: string): void;
}
