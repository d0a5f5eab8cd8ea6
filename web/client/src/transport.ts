/**
 * What all transports have in common. A `Transport` is one connection attempt; `TransportState` remembers how attempts went.
 *
 * Invariant: a transport calls nothing before its creator holds it, nothing after `close`, and `end` exactly once, as its last call.
 */
import { CLOSE_CODES, type Reaction } from "./closeCodes.js";
import { asRecord, ProblemError } from "./http.js";
import type { Incoming } from "./inbox.js";
import type { SendPresence } from "./localPresence.js";
import type { FeedStatus, Session } from "./types.js";

/** Why a transport ended, and what to do next. */
export interface TransportEnd {
  readonly reaction: Reaction;
  /** Do not reconnect before this many ms. */
  readonly retryAfter: number | null;
  readonly problem: FeedStatus["problem"];
  /** It did not answer in time: there may be no network, so that another transport would not work either. */
  readonly silent?: true;
}

export interface TransportEvents {
  /** Messages from here on are the feed. */
  live(): void;
  message(message: Incoming): void;
  latency(ms: number): void;
  interval(ms: number): void;
  /** Whether an answer is so late that what was delivered may be behind. */
  behind(late: boolean): void;
  /** The cursor up to which messages have been applied. */
  applied(): string | null;
  end(end: TransportEnd): void;
}

export interface Transport {
  /** Sends presence; null where the transport cannot, so that it goes over HTTP. */
  readonly sendPresence: SendPresence | null;
  /** Find out now whether the connection is alive. */
  check(): void;
  /** There is a newer token. */
  renewed(session: Session): void;
  close(): void;
}

export type OpenTransport = (cursor: string | null, events: TransportEvents) => Transport;

/** Parse a message of the service; null if it cannot be one. */
export function parseMessage(data: string): Incoming | null {
  try {
    const message: unknown = JSON.parse(data);
    return typeof asRecord(message)["type"] === "string" ? (message as Incoming) : null;
  } catch {
    return null;
  }
}

export function connectionLost(message: string): TransportEnd {
  return { reaction: "fallBack", retryAfter: null, problem: { code: "lost", message } };
}

/** Nothing arrived in time. */
export function silent(message: string): TransportEnd {
  return { ...connectionLost(message), silent: true };
}

/** The end that the service announced by name: in a close code, a goodbye, or an error. */
export function endedByService(name: string, message: string, retryAfter: number | null = null): TransportEnd {
  const code = Object.values(CLOSE_CODES).find((one) => one.name === name);
  const reaction = code?.reaction ?? (name.startsWith("token_") || name === "wrong_user" ? "renewToken" : "fallBack");
  return { reaction, retryAfter, problem: { code: name, message } };
}

/** The end that follows from a failed request. */
export function requestFailed(error: unknown): TransportEnd {
  if (!(error instanceof ProblemError)) return connectionLost(String(error));
  const reaction: Reaction = error.status === 401 ? "renewToken" : error.status === 403 ? "never" : "fallBack";
  return { reaction, retryAfter: error.retryAfter, problem: { code: error.type, message: error.message } };
}
