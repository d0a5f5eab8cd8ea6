/** Compares two texts line by line. Long unchanged stretches are folded. */
import { diffLines } from "diff";

export type Line = { readonly kind: "same" | "removed" | "added"; readonly text: string } | { readonly kind: "folded"; readonly count: number };

const CONTEXT = 2;

export function lineDiff(before: string, after: string): Line[] {
  const parts = diffLines(ended(before), ended(after));
  return parts.flatMap((part, index) => {
    const texts = part.value === "" ? [] : part.value.replace(/\n$/, "").split("\n");
    if (part.added || part.removed) return texts.map((text) => ({ kind: part.added ? ("added" as const) : ("removed" as const), text }));
    return folded(texts, index === 0, index === parts.length - 1);
  });
}

/** Otherwise a last line without a line break would differ from the same line with one. */
function ended(text: string): string {
  const unified = text.replace(/\r\n?/g, "\n");
  return unified === "" || unified.endsWith("\n") ? unified : `${unified}\n`;
}

function folded(texts: readonly string[], first: boolean, last: boolean): Line[] {
  const head = first ? 0 : CONTEXT;
  const tail = last ? 0 : CONTEXT;
  const whole = texts.map((text): Line => ({ kind: "same", text }));
  const count = texts.length - head - tail;
  if (count < 2) return whole;
  return [...whole.slice(0, head), { kind: "folded", count }, ...whole.slice(texts.length - tail)];
}

/** The lines of two texts: common lines once, and where they differ, those of the first before those of the second. */
export function mergeLines(one: string, other: string): string {
  return diffLines(ended(one), ended(other))
    .map((part) => part.value)
    .join("")
    .replace(/\n$/, "");
}
