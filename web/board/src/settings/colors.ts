import type { Phase } from "@boardcast/client";

/** The colors that the API accepts, each for light and dark. */
export const COLORS = {
  gray: "light-dark(#6b7773, #94a39e)",
  red: "light-dark(#c0352b, #f0837a)",
  orange: "light-dark(#c2560c, #f0985a)",
  amber: "light-dark(#a87400, #e0b341)",
  green: "light-dark(#1c7a46, #5bd08f)",
  teal: "light-dark(#146058, #63cabd)",
  blue: "light-dark(#1f63c4, #7db0f5)",
  indigo: "light-dark(#4a4fc4, #a2a6f7)",
  violet: "light-dark(#7a3fc0, #c39bf2)",
  pink: "light-dark(#b4307c, #f08cc0)",
} as const;

export type Color = keyof typeof COLORS;

const OF_KIND = { open: "gray", won: "green", lost: "red" } as const;

export function colorOf({ color, kind = "open" }: Phase): Color {
  return color !== undefined && color in COLORS ? (color as Color) : OF_KIND[kind];
}

export function stageColor(phase: Phase): string {
  return COLORS[colorOf(phase)];
}
