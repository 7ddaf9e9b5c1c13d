import type { Shell } from "./shell";

/**
 * On a phone the window is the whole screen: the page below stands still, and "back" closes the window. Its place in the
 * history is an entry of ours with the page's own state, and the page does not hear of its end.
 */
export function phone({ setOpen, page }: Shell, wrapper: HTMLElement): { covers(): boolean; opened(open: boolean): void; end(): void } {
  const root = document.documentElement;
  const view = window.visualViewport;
  /** The address at which the entry is ours; empty: there is none. */
  let here = "";
  let overflow = "";
  const marked = (): boolean => !!history.state?.malgil;
  const popped = (event: Event): void => {
    if (!here || marked()) return;
    if (location.href === here) event.stopImmediatePropagation();
    here = "";
    setOpen(false);
  };
  /** Above the keyboard; where the visitor magnifies the page, they know best. */
  const fit = (): void => {
    if (view?.scale === 1) {
      wrapper.style.setProperty("--wc-vh", `${view.height}px`);
      wrapper.style.setProperty("--wc-vt", `${view.offsetTop}px`);
    }
  };
  const listen = (to: "addEventListener" | "removeEventListener"): void => {
    window[to]("popstate", popped, true);
    view?.[to]("resize", fit);
    view?.[to]("scroll", fit);
  };
  const covers = (): boolean => !page && matchMedia("(max-width: 639px)").matches;
  let locked = false;
  const opened = (open: boolean): void => {
    fit();
    if (open === locked || (open && !covers())) return;
    locked = open;
    if (open) {
      overflow = root.style.overflow;
      root.style.overflow = "hidden";
      here = location.href;
      if (!marked()) history.pushState({ ...history.state, malgil: 1 }, "");
    } else {
      root.style.overflow = overflow;
      if (here && marked()) history.back();
      else here = "";
    }
  };
  listen("addEventListener");
  return { covers, opened, end: () => (opened(false), listen("removeEventListener")) };
}
