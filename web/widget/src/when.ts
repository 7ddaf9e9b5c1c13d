import type { Locale } from "@malgil/message-view";

const DAY = 86_400_000;
const midnight = (at: Date): number => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();

/** A moment as people say it, in their own time zone: tomorrow at 9 AM, Monday at 9:30 AM, 12월 1일 오전 9시. */
export function when(at: Date, now: Date, locale: Locale): string {
  const days = Math.round((midnight(at) - midnight(now)) / DAY);
  const day = Math.abs(days) < 2
    ? new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(days, "day")
    : at.toLocaleDateString(locale, days > 0 && days < 7 ? { weekday: "long" } : { month: "long", day: "numeric" });
  const time = at.toLocaleTimeString(locale, { hour: "numeric", ...(at.getMinutes() ? { minute: "2-digit" } : {}) });
  return day + (locale === "en" ? " at " : " ") + time;
}
