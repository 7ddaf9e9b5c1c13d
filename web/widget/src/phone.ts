import type { Shell } from "./shell";

/**
 * On a phone the window is the whole screen: the page below stands still, and "back" closes the window. For that the history
 * gets an entry with the page's own address and state, so that a page that hears of it finds nothing changed.
 */
export function phone({ setOpen, page }: Shell, wrapper: HTMLElement): { covers(): boolean; opened(open: boolean): void; end(): void } {
  const { style } = document.documentElement;
  const view = visualViewport!;
  let overflow: string | null = null;
  const covers = (): boolean => !page && matchMedia("(max-width: 639px)").matches;
  // By the address: pages may take our mark over into entries of theirs.
  const marked = (): boolean => history.state?.malgil === location.href;
  /** Our mark is being taken back, which the browser does later. */
  let leaving = false;
  const mark = (): void => {
    if (!marked()) history.pushState({ ...history.state, malgil: location.href }, "");
  };
  const popped = (): void => {
    const reopened = leaving;
    leaving = false;
    if (overflow === null) return;
    if (reopened) mark();
    else if (!marked()) setOpen(false);
  };
  /** The room that the keyboard leaves; a page that is magnified stays as it is. */
  const fit = (): void => {
    if (view.scale === 1) wrapper.style.setProperty("--wc-vh", `${view.height}px`);
    wrapper.style.setProperty("--wc-vt", `${view.offsetTop}px`);
  };
  const listen = (to: "addEventListener" | "removeEventListener"): void => {
    window[to]("popstate", popped);
    view[to]("resize", fit);
    view[to]("scroll", fit);
  };
  const opened = (open: boolean): void => {
    fit();
    if (open && overflow === null && covers()) {
      overflow = style.overflow;
      style.overflow = "hidden";
      mark();
    } else if (!open && overflow !== null) {
      style.overflow = overflow;
      overflow = null;
      if (!leaving && (leaving = marked())) history.back();
    }
  };
  listen("addEventListener");
  return { covers, opened, end: () => listen("removeEventListener") };
}
