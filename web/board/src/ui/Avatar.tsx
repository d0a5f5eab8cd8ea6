import { classes } from "./classes";

// Dark enough behind white letters, in light and dark mode (each at least 4.5 : 1).
const TINTS = ["bg-[#146058]", "bg-[#8a3b12]", "bg-[#5b3fa8]", "bg-[#9b2257]", "bg-[#1d5a96]", "bg-[#4b6411]", "bg-[#7a4b00]", "bg-[#3d5561]"];

function tint(id: string): string {
  let hash = 0;
  for (const letter of id) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return TINTS[hash % TINTS.length] ?? "";
}

const LETTERS = new Intl.Segmenter();
const known = new Map<string, string>();

/** The first letters of the first and the last name; an emoji counts as a letter. */
function initials(name: string): string {
  const before = known.get(name);
  if (before !== undefined) return before;
  const words = name.trim().split(/\s+/).filter(Boolean);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  const found = ends.map((word) => firstLetter(word ?? "")).join("").toLocaleUpperCase() || "?";
  known.set(name, found);
  return found;
}

function firstLetter(word: string): string {
  const [first] = LETTERS.segment(word);
  return first?.segment ?? "";
}

interface Props {
  readonly id: string;
  readonly name: string;
  readonly size?: "sm" | "md";
  /** False if the name is already next to it. */
  readonly named?: boolean;
  readonly className?: string;
}

export function Avatar({ id, name, size = "md", named = true, className }: Props) {
  return (
    <span
      {...(named ? { role: "img", "aria-label": name, title: name } : { "aria-hidden": true })}
      className={classes(
        // Rendered with CSS, so that only the name is read aloud.
        "inline-flex shrink-0 before:content-[attr(data-initials)] items-center justify-center rounded-full font-semibold text-white select-none",
        size === "sm" ? "size-6 text-[10px]" : "size-8 text-xs",
        tint(id),
        className,
      )}
      data-initials={initials(name)}
    />
  );
}
