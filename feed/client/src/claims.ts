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
/** By opportunity. */
export type Claims = ReadonlyMap<string, Claim>;

/** What one tab has open. */
export class Desk {
  #viewing: string | null = null;
  readonly #editing = new Map<string, Claim>();

  take(message: ClientMessage): Claims {
    if (message.type === "viewing") this.#viewing = message.opportunityId;
    else if (message.type === "user_stopped_editing") this.#editing.delete(message.opportunityId);
    else {
      const base = message.baseVersion === undefined ? {} : { baseVersion: message.baseVersion };
      this.#editing.set(message.opportunityId, { action: "editing", ...base });
    }
    return this.claims;
  }

  get claims(): Claims {
    const viewing: [string, Claim][] = this.#viewing === null ? [] : [[this.#viewing, { action: "viewing" }]];
    return new Map([...viewing, ...this.#editing]);
  }
}

export function merged(tabs: Iterable<Claims>): Claims {
  const all = new Map<string, Claim>();
  for (const claims of tabs) {
    for (const [opportunity, claim] of claims) {
      if (claim.action === "editing" || !all.has(opportunity)) all.set(opportunity, claim);
    }
  }
  return all;
}

export class Speaker {
  readonly #http: Http;
  readonly #every: number;
  #wanted: Claims = new Map();
  #told: Claims = new Map();
  /** What HTTP was told and may still hold. */
  readonly #leased = new Set<string>();
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
    else if (wire) for (const opportunity of this.#leased) this.#put(opportunity, null);
  }

  #tell(): void {
    if (!this.#wire) return;
    const say = this.#wire.claim ?? ((opportunity, claim): void => this.#put(opportunity, claim));
    for (const opportunity of this.#told.keys()) if (!this.#wanted.has(opportunity)) say(opportunity, null);
    for (const [opportunity, claim] of this.#wanted) {
      if (JSON.stringify(this.#told.get(opportunity)) !== JSON.stringify(claim)) say(opportunity, claim);
    }
    this.#told = new Map(this.#wanted);
  }

  #renew(): void {
    for (const [opportunity, claim] of this.#wanted) this.#put(opportunity, claim);
  }

  /** What cannot be told is told at the next renewal, or ends by itself. */
  #put(opportunity: string, claim: Claim | null): void {
    if (claim) this.#leased.add(opportunity);
    else this.#leased.delete(opportunity);
    const path = `/api/opportunities/${encodeURIComponent(opportunity)}/presence`;
    const asked = claim ? this.#http.request("PUT", path, { body: claim }) : this.#http.request("DELETE", path);
    asked.catch(() => undefined);
  }
}
