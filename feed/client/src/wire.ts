/**
 * What all the ways have in common: a wire is one attempt at one of them.
 *
 * Invariant: a wire calls nothing before its maker has it, nothing after `close`, and `end` once and last.
 */
import { CODES, type Next } from "./codes.js";
import { asRecord, ProblemError } from "./http.js";
import type { Incoming } from "./inbox.js";
import type { Claim, Place } from "./claims.js";
import type { FeedStatus, Session } from "./types.js";

export interface End {
  readonly next: Next;
  /** Not before so many ms. */
  readonly retry: number | null;
  readonly problem: FeedStatus["problem"];
}

export interface WireEvents {
  /** What arrives from here on is the feed. */
  live(): void;
  message(message: Incoming): void;
  latency(ms: number): void;
  interval(ms: number): void;
  /** Up to where its messages have been applied. */
  applied(): string | null;
  end(end: End): void;
}

export interface Wire {
  /** Says who is where; null where the wire cannot, and HTTP does. */
  readonly claim: ((place: Place, claim: Claim | null) => void) | null;
  /** Find out now whether it lives. */
  check(): void;
  /** There is a newer token. */
  renewed(session: Session): void;
  close(): void;
}

export type Open = (cursor: string | null, events: WireEvents) => Wire;

/** What a service said; null where it cannot have been one. */
export function read(data: string): Incoming | null {
  try {
    const message: unknown = JSON.parse(data);
    return typeof asRecord(message)["type"] === "string" ? (message as Incoming) : null;
  } catch {
    return null;
  }
}

export function lost(message: string): End {
  return { next: "down", retry: null, problem: { code: "lost", message } };
}

/** The end that a service gave a name: of a close code, a goodbye or an error. */
export function named(name: string, message: string, retry: number | null = null): End {
  const code = Object.values(CODES).find((one) => one.name === name);
  const next = code?.next ?? (name.startsWith("token_") || name === "wrong_user" ? "token" : "down");
  return { next, retry, problem: { code: name, message } };
}

/** The end that a request that failed means for its way. */
export function failed(error: unknown): End {
  if (!(error instanceof ProblemError)) return lost(String(error));
  const next: Next = error.status === 401 ? "token" : error.status === 403 ? "never" : "down";
  return { next, retry: error.retryAfter, problem: { code: error.type, message: error.message } };
}
