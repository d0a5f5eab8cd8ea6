/** Two texts as one list of lines: what stays, what went, what came. Long stretches that stay are folded. */
import { diffLines } from "diff";

export type Line = { readonly kind: "same" | "removed" | "added"; readonly text: string } | { readonly kind: "folded"; readonly count: number };

const KEPT_AROUND = 2;

export function lines(before: string, after: string): Line[] {
  const parts = diffLines(ended(before), ended(after));
  return parts.flatMap((part, index) => {
    const texts = part.value === "" ? [] : part.value.replace(/\n$/, "").split("\n");
    if (part.added || part.removed) return texts.map((text) => ({ kind: part.added ? ("added" as const) : ("removed" as const), text }));
    return folded(texts, index === 0, index === parts.length - 1);
  });
}

/** A last line without an end would differ from the same line with one. */
function ended(text: string): string {
  const unified = text.replace(/\r\n?/g, "\n");
  return unified === "" || unified.endsWith("\n") ? unified : `${unified}\n`;
}

function folded(texts: readonly string[], first: boolean, last: boolean): Line[] {
  const head = first ? 0 : KEPT_AROUND;
  const tail = last ? 0 : KEPT_AROUND;
  const whole = texts.map((text): Line => ({ kind: "same", text }));
  const count = texts.length - head - tail;
  if (count < 2) return whole;
  return [...whole.slice(0, head), { kind: "folded", count }, ...whole.slice(texts.length - tail)];
}

/** All the lines of two texts: those that both have once, and where they differ the one's before the other's. */
export function both(one: string, other: string): string {
  return diffLines(ended(one), ended(other))
    .map((part) => part.value)
    .join("")
    .replace(/\n$/, "");
}
