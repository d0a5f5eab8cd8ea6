/**
 * The three rules of docs/protocol.md, for all ways at once.
 *
 * Invariant: what is delivered is whole batches, each event once by its `seq`, and `cursor` is where all of it has been delivered.
 * Each stream holds its own unfinished batch, which goes with it when it is cut: it is sent again. What has been delivered is
 * remembered longer than the rules ask, since a stream that takes over from another repeats what that one told meanwhile.
 */
import { covers } from "./covers.js";
import type { Delivery, Message, Realtime } from "./types.js";

/** What a service sends, delivered or not. */
export type Incoming =
  | Message
  | { readonly type: "batch"; readonly events: readonly Message[]; readonly cursor?: string }
  | { readonly type: "auth_success"; readonly resume: "live" | "resumed" | "reset"; readonly boards: readonly string[]; readonly cursor: string; readonly realtime?: Realtime }
  | { readonly type: "flags"; readonly realtime: Realtime }
  | { readonly type: "auth_error"; readonly code: string; readonly message: string }
  | { readonly type: "heartbeat"; readonly cursor?: string }
  | { readonly type: "goodbye"; readonly reason: string; readonly retryMs: number }
  | { readonly type: "pong" }
  | { readonly type: "subscribed"; readonly boards: readonly string[] };

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
          // Of a stream that resumes it is the cursor that we gave; one that is renewed has told its own since.
          if (message.resume === "live" && this.cursor === null) this.cursor = message.cursor;
          return;
        case "reset":
          held = [];
          this.#seen.clear();
          this.move([message], message.cursor);
          return;
        case "checkpoint":
          // Of a stream that is behind another's it says what was.
          if (this.cursor === null || covers(message.cursor, this.cursor)) this.move([...held.splice(0), message], message.cursor);
          return;
        case "heartbeat":
          break;
        case "pong":
        case "flags":
        case "goodbye":
        case "auth_error":
        case "subscribed":
          return;
        default:
          if (!("seq" in message) || message.seq === undefined) {
            // A right that changes keeps its place among the events; presence has none.
            if (message.type.startsWith("board_") && held.length) held.push(message);
            else this.#deliver({ messages: [message], cursor: null });
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

  /** Deliver the end of a batch, without what has been delivered before. */
  move(batch: readonly Message[], cursor: string): void {
    const messages = batch.filter((message) => !("seq" in message && message.seq !== undefined && this.#seen.has(message.seq)));
    for (const message of messages) if ("seq" in message && message.seq !== undefined) this.#seen.add(message.seq);
    for (const seq of this.#seen) {
      if (this.#seen.size <= REMEMBERED) break;
      this.#seen.delete(seq);
    }
    if (!messages.length && cursor === this.cursor) return;
    this.cursor = cursor;
    this.#deliver({ messages, cursor });
  }
}
