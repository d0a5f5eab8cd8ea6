/**
 * The rules of docs/protocol.md, for all transports at once.
 *
 * Invariant: what is delivered is whole batches, each event once, and all events up to `cursor`, which never goes back but by a reset.
 * Each stream holds its own unfinished batch, which is dropped when the stream is cut: it is sent again. A stream that takes over
 * from another one repeats what that one delivered meanwhile: the `seq` of each event is remembered for that.
 */
import { covers, coversXid } from "./covers.js";
import type { Delivery, Message, Realtime } from "./types.js";

/** What a service sends, delivered or not. */
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

/** Events kept in mind beyond the newest cursor. */
const REMEMBERED = 10_000;

export class Inbox {
  cursor: string | null;
  readonly #deliver: (delivery: Delivery) => void;
  readonly #seen = new Set<number>();

  constructor(cursor: string | null, deliver: (delivery: Delivery) => void) {
    this.cursor = cursor;
    this.#deliver = deliver;
  }

  /** For a stream that begins: it takes what that stream sends. */
  open(): (message: Incoming) => void {
    let held: Message[] = [];
    return (message) => {
      switch (message.type) {
        case "batch":
          held = held.concat(message.events);
          break;
        case "auth_success":
          // Of a stream that resumes it is the cursor that we gave; of a reset it comes with the `reset`.
          if (message.resume === "live" && this.cursor === null) this.cursor = message.cursor ?? null;
          return;
        case "reset":
          held = [];
          this.#seen.clear();
          this.cursor = null;
          this.move([message], message.cursor);
          return;
        case "checkpoint":
          // It ends the batch, as any message with a cursor. Of a stream that is behind another's it says what was.
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
          // A right that changes keeps its place among the events; the cursor that comes next covers it.
          held.push(message);
          break;
        default:
          // Presence and errors are about now.
          if (!("seq" in message) || message.seq === undefined) {
            this.#deliver({ messages: [message], cursor: null });
            return;
          }
          held.push(message);
      }
      if (!message.cursor) return;
      const batch = held;
      held = [];
      this.move(batch, message.cursor);
    };
  }

  /** A cursor covers what polling made states of, too. It may claim less than was delivered, and never more. */
  #delivered(message: Message): boolean {
    if (!("seq" in message) || message.seq === undefined) return false;
    return this.#seen.has(message.seq) || (this.cursor !== null && "xid" in message && coversXid(this.cursor, message.xid));
  }

  /** Deliver the end of a batch, without what has been delivered before. */
  move(batch: readonly Message[], cursor: string): void {
    const messages = batch.filter((message) => !this.#delivered(message));
    for (const message of messages) if ("seq" in message && message.seq !== undefined) this.#seen.add(message.seq);
    for (const seq of this.#seen) {
      if (this.#seen.size <= REMEMBERED) break;
      this.#seen.delete(seq);
    }
    // A stream that takes over may be behind: then this is no news of where we are.
    const behind = this.cursor !== null && cursor !== this.cursor && covers(this.cursor, cursor);
    if (!messages.length && (behind || cursor === this.cursor)) return;
    if (!behind) this.cursor = cursor;
    this.#deliver({ messages, cursor: this.cursor });
  }
}
