// Colours of numbers: blue below 0, the paper at 0, orange above, in light and dark.

import { abs, round } from "./numbers.js";

const COLOUR_SCHEMES = {
  light: { low: [0, 92, 158], zero: [255, 255, 255], high: [200, 82, 0], broken: [190, 0, 160] },
  dark: { low: [110, 190, 250], zero: [24, 29, 34], high: [255, 160, 80], broken: [255, 90, 230] },
};
const COLOUR_HALF = 255;
const palettes = {};

// Return {table, broken}: 511 colours as 32-bit numbers, from the lowest over 0 to the highest.
export function palette(isPaper = false) {
  const name = !isPaper && matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  if (!palettes[name]) {
    const { low, zero, high, broken } = COLOUR_SCHEMES[name], table = new Uint32Array(2 * COLOUR_HALF + 1), word = ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r;
    for (let i = -COLOUR_HALF; i <= COLOUR_HALF; i++) {
      const end = i < 0 ? low : high, share = (abs(i) / COLOUR_HALF) ** 0.8; // small numbers are seen, too
      table[i + COLOUR_HALF] = word(zero.map((z, c) => round(z + share * (end[c] - z))));
    }
    palettes[name] = { table, broken: word(broken) >>> 0 };
  }
  return palettes[name];
}

const bytesOf = (word) => [word & 255, (word >> 8) & 255, (word >> 16) & 255];

// Return the colours of one number: {paper, ink} as CSS; ink is black or white, whichever is read better.
export function coloursOf(x, scale) {
  const { table, broken } = palette(), size = abs(x);
  const [r, g, b] = bytesOf(size <= scale ? table[round((x / (scale || 1)) * COLOUR_HALF) + COLOUR_HALF] : broken);
  const linear = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  const light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return { paper: `rgb(${r} ${g} ${b})`, ink: light > 0.179 ? "#000" : "#fff" };
}
