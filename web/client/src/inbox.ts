/**
 * Applies the rules of docs/protocol.md, for all transports.
 *
 * Invariant: only whole batches are delivered, each event once, and all events up to `cursor`, which moves after the delivery, and back
 * only on a reset. Each stream holds its own unfinished batch. If the stream is cut, the batch is dropped, because it will be sent
 * again. A stream that replaces another one repeats what the other delivered in the meantime; the inbox remembers the `seq` of each
 * event to skip those.
 *
 * If a delivery throws, through a bug in this client, it is reported, and a reset takes its place: then everything is fetched again.
 * If that throws too, nothing more is taken from the stream, and the next one starts at the cursor before it.
 */
import { covers, coversXid } from "./compareCursors.js";
import { isolated, reportUncaught } from "./reportUncaught.js";
import type { Delivery, Message, Realtime } from "./types.js";

/** A message of the service. Some of them are not delivered. */
export type Incoming =
  | Message
  | { readonly type: "batch"; readonly events: readonly Message[]; readonly cursor?: string }
  | { readonly type: "auth_success"; readonly resume: "live" | "resumed" | "reset"; readonly boards: readonly string[]; readonly cursor?: string; readonly realtime?: Realtime }
  | { readonly type: "flags"; readonly realtime: Realtime }
  | { readonly type: "auth_error"; readonly code: string; readonly message: string }
  | { readonly type: "heartbeat"; readonly cursor?: string }
  | { readonly type: "goodbye"; readonly reason: string; readonly retryMs: number }
  | { readonly type: "pong" }
  | { readonly type: "subscribed"; readonly boards: readonly string[]; readonly cursor: string };

/** The number of events whose `seq` is remembered. */
const REMEMBERED = 10_000;

export class Inbox {
  cursor: string | null;
  readonly #deliver: (delivery: Delivery) => void;
  readonly #seen = new Set<number>();

  constructor(cursor: string | null, deliver: (delivery: Delivery) => void) {
    this.cursor = cursor;
    this.#deliver = deliver;
  }

  /** Returns the function that receives the messages of a new stream. After it has thrown, it ignores them. */
  open(): (message: Incoming) => void {
    const receive = this.#receiver();
    let failed = false;
    return (message) => {
      if (failed) return;
      failed = true;
      receive(message);
      failed = false;
    };
  }

  #receiver(): (message: Incoming) => void {
    let held: Message[] = [];
    return (message) => {
      switch (message.type) {
        case "batch":
          held = held.concat(message.events);
          break;
        case "auth_success":
          // A stream that resumes returns the cursor that it was given; after a reset, the `reset` message has it.
          if (message.resume === "live" && this.cursor === null) this.cursor = message.cursor ?? null;
          return;
        case "reset":
          held = [];
          this.#seen.clear();
          this.#move([message], message.cursor);
          return;
        case "checkpoint":
          // Like any message with a cursor, it ends the batch. A checkpoint of a stream that is behind is outdated.
          if (this.cursor === null || covers(message.cursor, this.cursor)) held.push(message);
          break;
        case "heartbeat":
        case "subscribed":
          break;
        case "pong":
        case "flags":
        case "goodbye":
        case "auth_error":
          return;
        case "board_granted":
        case "board_revoked":
          // A change of permissions keeps its place among the events; the next cursor covers it.
          held.push(message);
          break;
        default:
          // Presence and errors are about the present.
          if (!("seq" in message) || message.seq === undefined) {
            isolated(() => this.#deliver({ messages: [message], cursor: null }));
            return;
          }
          held.push(message);
      }
      if (!message.cursor) return;
      const batch = held;
      held = [];
      this.advance(batch, message.cursor);
    };
  }

  /** A cursor also covers changes that polling delivered as states. It may cover less than was delivered, but never more. */
  #delivered(message: Message): boolean {
    if (!("seq" in message) || message.seq === undefined) return false;
    return this.#seen.has(message.seq) || (this.cursor !== null && "xid" in message && coversXid(this.cursor, message.xid));
  }

  /** Deliver a finished batch, without events that were delivered before. */
  advance(batch: readonly Message[], cursor: string): void {
    const messages = batch.filter((message) => !this.#delivered(message));
    // A stream that replaces another one may be behind: then its cursor does not move ours.
    const behind = this.cursor !== null && cursor !== this.cursor && covers(this.cursor, cursor);
    if (!messages.length && (behind || cursor === this.cursor)) return;
    this.#move(messages, behind ? this.cursor : cursor);
  }

  #move(messages: readonly Message[], cursor: string | null): void {
    try {
      this.#deliver({ messages, cursor });
    } catch (error) {
      if (cursor === null || messages.some(({ type }) => type === "reset")) throw error;
      reportUncaught(error);
      return this.#move([{ type: "reset", reason: "client_error", cursor }], cursor);
    }
    this.cursor = cursor;
    for (const message of messages) if ("seq" in message && message.seq !== undefined) this.#seen.add(message.seq);
    for (const seq of this.#seen) {
      if (this.#seen.size <= REMEMBERED) break;
      this.#seen.delete(seq);
    }
  }
}
