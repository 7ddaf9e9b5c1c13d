/** The widget's rule for colours (web/widget/src/color.ts), for the page that warns of them; a test holds both together. */

export function parseHex(value) {
  if (typeof value !== "string" || !/^#(?:[\da-f]{3}|[\da-f]{6})$/i.test(value)) return undefined;
  return value.length === 4 ? value.replace(/[\da-f]/gi, "$&$&") : value;
}

const channels = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));

function luminance(color) {
  return channels(color).reduce((sum, value, index) => {
    const part = value / 255;
    return sum + [0.2126, 0.7152, 0.0722][index] * (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  }, 0);
}

export function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/** Text on a colour: the wished one if it can be read, else white or black. */
export function textOn(background, wished) {
  if (wished && contrast(background, wished) >= 4.5) return wished;
  return contrast(background, "#ffffff") >= 4.5 ? "#ffffff" : "#000000";
}

/** The colour, moved towards black or white until it can be read on the background. */
export function readableOn(background, color) {
  const end = luminance(background) > 0.4 ? 0 : 255;
  for (let share = 0; share <= 1; share += 0.05) {
    const mixed = `#${channels(color)
      .map((value) => Math.round(value + (end - value) * share).toString(16).padStart(2, "0"))
      .join("")}`;
    if (contrast(background, mixed) >= 4.5) return mixed;
  }
  return end ? "#ffffff" : "#000000";
}
