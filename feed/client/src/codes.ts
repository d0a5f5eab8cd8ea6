/** The close codes of docs/protocol.md, which a test compares, and what each means for the way down the ladder. */

/**
 * `never`: not this way again in this page's life. `token`: with a new token, once. `again`: at once, the same way.
 * `down`: the next way below; this one is tried again later, `crowded`: much later. `barred`: the next way below; when this one may be
 * tried again, flags say.
 */
export type Next = "never" | "token" | "again" | "down" | "crowded" | "barred";

export interface Code {
  readonly name: string;
  readonly next: Next;
}

export const CODES: Readonly<Record<number, Code>> = {
  4400: { name: "bad_message", next: "never" },
  4401: { name: "unauthenticated", next: "token" },
  4403: { name: "forbidden", next: "never" },
  4406: { name: "not_offered", next: "barred" },
  4408: { name: "no_auth", next: "down" },
  4409: { name: "too_slow", next: "again" },
  4429: { name: "too_many", next: "crowded" },
  1009: { name: "too_big", next: "never" },
  1012: { name: "restart", next: "down" },
  1013: { name: "overloaded", next: "down" },
};
