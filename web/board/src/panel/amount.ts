/** Amounts as people write them: "48.000,50", "48,000.50", "R$ 48 000". */
import type { Language } from "@boardcast/storage";

const DECIMAL: Record<Language, string> = { "pt-BR": ",", en: "." };

/** The number; null for an empty text, undefined for a text that is not an amount. */
export function readAmount(text: string, language: Language): number | null | undefined {
  const written = text.replace(/[\s\u00a0\u202f]|R\$|US\$|[$€£]/g, "");
  if (written === "") return null;
  if (!/^\d[\d.,]*$/.test(written)) return undefined;
  const number = Number(plain(written, language));
  return Number.isFinite(number) ? number : undefined;
}

export function writeAmount(value: number | null, language: Language): string {
  if (value === null) return "";
  return new Intl.NumberFormat(language, { minimumFractionDigits: value % 1 === 0 ? 0 : 2, maximumFractionDigits: 2 }).format(value);
}

/** Remove thousands separators, and use a point for decimals. */
function plain(written: string, language: Language): string {
  const marks = [...written.matchAll(/[.,]/g)];
  const last = marks.at(-1);
  if (!last) return written;
  const mark = last[0];
  const decimals = written.length - last.index - 1;
  const mixed = marks.some((each) => each[0] !== mark);
  // Only one kind of mark, followed by three digits, and not this language's decimal mark: thousands.
  const thousands = !mixed && (marks.length > 1 || (decimals === 3 && mark !== DECIMAL[language]));
  if (thousands) return written.replace(/[.,]/g, "");
  return `${written.slice(0, last.index).replace(/[.,]/g, "")}.${written.slice(last.index + 1)}`;
}
