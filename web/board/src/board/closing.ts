/** Open, won, and lost deals, and what is due or has not changed for long. */
import type { Opportunity, Phase } from "@boardcast/client";

export type Kind = "open" | "won" | "lost";

const DAY = 86_400_000;

export function kindOf(phases: readonly Phase[] | undefined, phase: string | undefined): Kind {
  return phases?.find(({ id }) => id === phase)?.kind ?? "open";
}

export function isClosed(phases: readonly Phase[] | undefined, phase: string | undefined): boolean {
  return kindOf(phases, phase) !== "open";
}

/** A day in the user's time zone, in the format of dates. */
export function dayOf(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

export function today(): string {
  return dayOf(new Date());
}

/** Whole days since the card last changed; null if its table does not say when that was, as one of an application may. */
export function idleDays(card: Opportunity, now = Date.now()): number | null {
  if (card.last_sync_at === undefined) return null;
  const changed = Date.parse(card.last_sync_at ?? card.created_at);
  return Number.isNaN(changed) ? null : Math.max(0, Math.floor((now - changed) / DAY));
}
