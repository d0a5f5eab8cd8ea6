/** The fields of a card in the panel's order, their limits (the same as in the API's schemas), and their texts. */
import type { Field, Opportunity } from "@boardcast/client";
import type { Formats } from "../i18n/formats";

export const CURRENCIES: readonly string[] = ["BRL", "USD", "EUR", "GBP", "ARS", "CLP", "COP", "MXN", "PYG", "UYU"];

export const FIELDS = [
  "title",
  "company",
  "contact",
  "value",
  "currency",
  "phase",
  "probability",
  "owner_id",
  "expected_close_date",
  "close_reason",
  "next_activity",
  "next_activity_date",
  "notes",
] as const satisfies readonly Field[];

export type FormField = (typeof FIELDS)[number];
export type Row = Partial<Opportunity>;

/** Characters, as PostgreSQL counts them. */
export const LONGEST: Partial<Record<FormField, number>> = { title: 300, company: 300, contact: 300, close_reason: 300, next_activity: 300, notes: 20_000 };

/** An emoji is one character, however many UTF-16 units it has. */
export function length(text: string): number {
  return [...text].length;
}

/** Names for the ids in a row. */
export interface Names {
  readonly phase: (id: string) => string;
  readonly user: (id: string | null) => string;
}

/** The text for a field's value; empty if it has none. */
export function shown(field: Field, row: Row, format: Formats, names: Names): string {
  const value = row[field];
  if (value === null || value === undefined || value === "") return "";
  switch (field) {
    case "value":
      return format.money(Number(value), row.currency ?? "BRL");
    case "probability":
      return format.percent(Number(value));
    case "expected_close_date":
    case "next_activity_date":
      return format.day(String(value));
    case "phase":
      return names.phase(String(value));
    case "owner_id":
      return names.user(String(value));
    default:
      return String(value);
  }
}

/** Whether two values look the same to people: null equals empty. */
export function same(a: unknown, b: unknown): boolean {
  return (a ?? "") === (b ?? "");
}

/** The fields that differ between two versions. */
export function differing(before: Row, after: Row): Field[] {
  return ([...FIELDS, "board_id", "position"] as const).filter((field) => !same(before[field], after[field]));
}
