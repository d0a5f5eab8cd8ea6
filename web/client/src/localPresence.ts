/** What this browser's user is looking at and editing, as the tabs report it. Several tabs are one user. */
import type { ClientMessage } from "./types.js";

export type Activity = { readonly action: "viewing" } | { readonly action: "editing"; readonly baseVersion?: number };
/** A card, or a board that is open without a card: its path in the API. */
export type Place = `${"opportunities" | "boards"}/${string}`;
export type LocalPresence = ReadonlyMap<Place, Activity>;
/** Reports what the user does at a place; null: the user has left it. */
export type SendPresence = (place: Place, activity: Activity | null) => void;

export const VIEWING: Activity = { action: "viewing" };

export function cardPlace(id: string): Place {
  return `opportunities/${encodeURIComponent(id)}`;
}

export function boardPlace(id: string): Place {
  return `boards/${encodeURIComponent(id)}`;
}

export function isBoard(place: Place): boolean {
  return place.startsWith("boards/");
}

/** The WebSocket message about a place; null: the user has left it. */
export function presenceMessage(place: Place, activity: Activity | null): object {
  const [kind, encoded = ""] = place.split("/");
  const id = decodeURIComponent(encoded);
  if (kind === "boards") return activity ? { type: "viewing", opportunityId: null, boardId: id } : { type: "stopped_viewing", boardId: id };
  if (!activity) return { type: "user_stopped_editing", opportunityId: id };
  const { action, ...base } = activity;
  return { type: action === "viewing" ? "viewing" : "user_editing", opportunityId: id, ...base };
}

/** What one tab has open. */
export class PresenceTracker {
  #viewing: Place | null = null;
  readonly #editing = new Map<Place, Activity>();

  /** Apply a message of the application; returns the presence after it. */
  apply(message: ClientMessage): LocalPresence {
    if (message.type === "viewing") this.#viewing = viewedPlace(message.opportunityId, message.boardId ?? null);
    else if (message.type === "user_stopped_editing") this.#editing.delete(cardPlace(message.opportunityId));
    else {
      const base = message.baseVersion === undefined ? {} : { baseVersion: message.baseVersion };
      this.#editing.set(cardPlace(message.opportunityId), { action: "editing", ...base });
    }
    return this.presence;
  }

  get presence(): LocalPresence {
    const viewing: [Place, Activity][] = this.#viewing === null ? [] : [[this.#viewing, VIEWING]];
    return new Map([...viewing, ...this.#editing]);
  }
}

function viewedPlace(opportunity: string | null, board: string | null): Place | null {
  if (opportunity !== null) return cardPlace(opportunity);
  return board === null ? null : boardPlace(board);
}

/** The presence of all tabs together: the user edits a card while any of them does. */
export function mergePresence(tabs: Iterable<LocalPresence>): LocalPresence {
  const all = new Map<Place, Activity>();
  for (const presence of tabs) {
    for (const [place, activity] of presence) {
      if (activity.action === "editing" || !all.has(place)) all.set(place, activity);
    }
  }
  return all;
}
