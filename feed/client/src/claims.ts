/**
 * Who of this browser has what open, said to the service by whatever way there is.
 *
 * Invariant: the service is told the difference between what is wanted and what it was told on this wire, so a wire that is new
 * learns everything and a claim that is made twice is said once. Several tabs are one user: he edits while any of them does.
 */
import type { Http } from "./http.js";
import type { ClientMessage } from "./types.js";
import type { Wire } from "./wire.js";

export type Claim = { readonly action: "viewing" } | { readonly action: "editing"; readonly baseVersion?: number };
/** A card, or a board that is looked at: its path in the API. */
export type Place = `${"opportunities" | "boards"}/${string}`;
export type Claims = ReadonlyMap<Place, Claim>;

const LOOK: Claim = { action: "viewing" };

export function card(id: string): Place {
  return `opportunities/${encodeURIComponent(id)}`;
}

export function board(id: string): Place {
  return `boards/${encodeURIComponent(id)}`;
}

/** What a WebSocket is told of a place; null: that it was left. */
export function spoken(place: Place, claim: Claim | null): object {
  const [kind, encoded = ""] = place.split("/");
  const id = decodeURIComponent(encoded);
  if (kind === "boards") return claim ? { type: "viewing", opportunityId: null, boardId: id } : { type: "stopped_viewing", boardId: id };
  if (!claim) return { type: "user_stopped_editing", opportunityId: id };
  const { action, ...base } = claim;
  return { type: action === "viewing" ? "viewing" : "user_editing", opportunityId: id, ...base };
}

/** What one tab has open. */
export class Desk {
  #viewing: Place | null = null;
  readonly #editing = new Map<Place, Claim>();

  take(message: ClientMessage): Claims {
    if (message.type === "viewing") this.#viewing = looked(message.opportunityId, message.boardId ?? null);
    else if (message.type === "user_stopped_editing") this.#editing.delete(card(message.opportunityId));
    else {
      const base = message.baseVersion === undefined ? {} : { baseVersion: message.baseVersion };
      this.#editing.set(card(message.opportunityId), { action: "editing", ...base });
    }
    return this.claims;
  }

  get claims(): Claims {
    const viewing: [Place, Claim][] = this.#viewing === null ? [] : [[this.#viewing, LOOK]];
    return new Map([...viewing, ...this.#editing]);
  }
}

function looked(opportunity: string | null, at: string | null): Place | null {
  if (opportunity !== null) return card(opportunity);
  return at === null ? null : board(at);
}

export function merged(tabs: Iterable<Claims>): Claims {
  const all = new Map<Place, Claim>();
  for (const claims of tabs) {
    for (const [place, claim] of claims) {
      if (claim.action === "editing" || !all.has(place)) all.set(place, claim);
    }
  }
  return all;
}

function isBoard(place: Place): boolean {
  return place.startsWith("boards/");
}

export class Speaker {
  readonly #http: Http;
  readonly #every: number;
  #wanted: Claims = new Map();
  #told: Claims = new Map();
  /** What HTTP was told and may still hold. */
  readonly #leased = new Set<Place>();
  #wire: Wire | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(http: Http, every: number) {
    this.#http = http;
    this.#every = every;
  }

  want(claims: Claims): void {
    this.#wanted = claims;
    this.#tell();
  }

  /** From now on by this wire; null: by none for now. What another wire was told ends with it, what HTTP was told is taken back. */
  use(wire: Wire | null): void {
    if (wire === this.#wire) return;
    this.#wire = wire;
    this.#told = new Map();
    clearInterval(this.#timer);
    this.#tell();
    if (wire?.claim === null) this.#timer = setInterval(() => this.#renew(), this.#every);
    else if (wire) for (const place of this.#leased) this.#put(place, null);
  }

  /**
   * Where he comes before where he leaves, so that nobody is away between the two. Boards before cards, for a board says "at no
   * card": those that another tab looks at are said again.
   */
  #tell(): void {
    if (!this.#wire) return;
    const say = this.#wire.claim ?? ((place, claim): void => this.#put(place, claim));
    const news = new Map([...this.#wanted].filter(([place, claim]) => JSON.stringify(this.#told.get(place)) !== JSON.stringify(claim)));
    const boards = [...news.keys()].filter(isBoard);
    for (const place of boards) say(place, LOOK);
    for (const [place, claim] of this.#wanted) {
      if (!isBoard(place) && (news.has(place) || (boards.length > 0 && claim.action === "viewing"))) say(place, claim);
    }
    for (const place of this.#told.keys()) if (!this.#wanted.has(place)) say(place, null);
    this.#told = new Map(this.#wanted);
  }

  #renew(): void {
    for (const [place, claim] of this.#wanted) this.#put(place, claim);
  }

  /** What cannot be told is told at the next renewal, or ends by itself. */
  #put(place: Place, claim: Claim | null): void {
    if (claim) this.#leased.add(place);
    else this.#leased.delete(place);
    const path = `/api/${place}/presence`;
    const said = isBoard(place) ? {} : { body: claim };
    const asked = claim ? this.#http.request("PUT", path, said) : this.#http.request("DELETE", path);
    asked.catch(() => undefined);
  }
}
