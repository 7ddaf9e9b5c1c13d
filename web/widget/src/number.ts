import type { Keyboard } from "@malgil/protocol";

export type NumberProblem = "number" | "integer" | "atLeast" | "atMost";

/** What is wrong with a text where the keyboard asks for a number; null when it may be sent. */
export function numberProblem(text: string, { min, max, integer, parse }: Keyboard): NumberProblem | null {
  const found = parse ? /[-+]?\d[\d,]*(?:\.\d+)?/.exec(text)?.[0].replaceAll(",", "") : text.trim();
  const value = found ? Number(found) : NaN;
  if (!Number.isFinite(value)) return "number";
  if (integer && !Number.isInteger(value)) return "integer";
  if (min !== undefined && value < min) return "atLeast";
  if (max !== undefined && value > max) return "atMost";
  return null;
}
