/** The close codes of docs/protocol.md (a test compares them), and how the client reacts to each. */

/**
 * - `never`: do not use this transport again while the page is open.
 * - `renewToken`: use it again with a new token, once.
 * - `retry`: use it again at once.
 * - `fallBack`: use the next transport, and try this one again later. `fallBackLong`: much later.
 * - `notAllowed`: use the next transport, until flags allow this one again.
 */
export type Reaction = "never" | "renewToken" | "retry" | "fallBack" | "fallBackLong" | "notAllowed";

export interface CloseCode {
  readonly name: string;
  readonly reaction: Reaction;
}

export const CLOSE_CODES: Readonly<Record<number, CloseCode>> = {
  4400: { name: "bad_message", reaction: "never" },
  4401: { name: "unauthenticated", reaction: "renewToken" },
  4403: { name: "forbidden", reaction: "never" },
  4406: { name: "not_offered", reaction: "notAllowed" },
  4408: { name: "no_auth", reaction: "fallBack" },
  4409: { name: "too_slow", reaction: "retry" },
  4429: { name: "too_many", reaction: "fallBackLong" },
  4529: { name: "too_fast", reaction: "fallBack" },
  1009: { name: "too_big", reaction: "never" },
  1012: { name: "restart", reaction: "fallBack" },
  1013: { name: "overloaded", reaction: "fallBack" },
};
