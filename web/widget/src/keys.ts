/** Arrow keys, Home and End go through what the selector finds; the key `enter` goes in from outside, to its near end. */
export function walk(event: KeyboardEvent, selector: string, by: Record<string, number>, enter?: string): void {
  const all = Array.from((event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>(selector));
  const at = all.indexOf(event.target as HTMLElement);
  const step = { ...by, Home: -all.length, End: all.length }[event.key];
  if (!step || (at < 0 && event.key !== enter)) return;
  event.preventDefault();
  const to = at < 0 && step < 0 ? all.length - 1 : at < 0 ? 0 : at + step;
  all[Math.max(0, Math.min(all.length - 1, to))]?.focus();
}
