/**
 * What the service knows of a card beyond its row: when and why it was closed, and its next activity. It comes with the row in responses
 * and snapshots, and in events of its own table.
 *
 * Invariant: nothing older replaces it. Its version is not that of the row.
 */

import { DETAILS } from "./fields.js";
import type { Opportunity, RowEvent } from "./types.js";

const ALL = [...DETAILS, "details_version"] as const;

type Details = Partial<Pick<Opportunity, (typeof ALL)[number]>>;

export function versionOf(card: Details | undefined): number {
  return card?.details_version ?? 0;
}

/** A row with the details of another state of the card. */
export function withDetails(row: Opportunity, details: Details | undefined): Opportunity {
  return { ...row, ...Object.fromEntries(ALL.map((name) => [name, details?.[name]]).filter(([, value]) => value !== undefined)) };
}

/** The columns of the table without those that have the name of a detail. */
export function withoutDetails<Row extends object>(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !(ALL as readonly string[]).includes(name))) as Row;
}

/** The card's details after an event; null if the event does not say what they are then. */
export function detailsAfter(before: Details | undefined, { type, version, collapsed, changes, row }: RowEvent): Details | null {
  const known = versionOf(before);
  if (known >= version) return before ?? {};
  if (type === "row_inserted" && row) return { ...pickDetails(row), details_version: version };
  if (type === "row_updated" && changes && known === version - (collapsed ?? 1)) return { ...before, ...pickDetails(changes), details_version: version };
  return null;
}

function pickDetails(row: Readonly<Record<string, unknown>>): Details {
  return Object.fromEntries(DETAILS.filter((name) => name in row).map((name) => [name, row[name]]));
}
