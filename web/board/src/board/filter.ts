import type { Opportunity } from "@boardcast/client";

/** Filter by owner: everyone, one user, or cards without an owner. */
export type OwnerFilter = { readonly kind: "everyone" } | { readonly kind: "unassigned" } | { readonly kind: "user"; readonly id: string };

export interface Filter {
  readonly words: string;
  readonly owner: OwnerFilter;
}

export const NO_FILTER: Filter = { words: "", owner: { kind: "everyone" } };

export function isFiltered({ words, owner }: Filter): boolean {
  return words.trim() !== "" || owner.kind !== "everyone";
}

/** The cards of the owner that have all words somewhere in title, company, or contact, ignoring accents and case. */
export function matching(cards: readonly Opportunity[], filter: Filter): readonly Opportunity[] {
  if (!isFiltered(filter)) return cards;
  const words = plain(filter.words).split(/\s+/).filter(Boolean);
  return cards.filter((card) => owned(card, filter.owner) && has(card, words));
}

function owned({ owner_id }: Opportunity, owner: OwnerFilter): boolean {
  if (owner.kind === "everyone") return true;
  return owner.kind === "unassigned" ? owner_id === null : owner_id === owner.id;
}

function has({ title, company, contact }: Opportunity, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = plain(`${title}\n${company ?? ""}\n${contact ?? ""}`);
  return words.every((word) => text.includes(word));
}

function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{Mn}/gu, "").toLowerCase();
}
