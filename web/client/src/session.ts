/**
 * The token that the connection uses, and when to get the next one.
 *
 * Invariant: whether a token is about to expire depends on its lifetime when it arrived and on how long ago that was, never on this
 * machine's date, which may be wrong by a day. Only one renewal runs at a time.
 */
import type { Session } from "./types.js";

/** A token is renewed this many ms before it expires, or in the last quarter of a short lifetime. */
const MARGIN = 120_000;
/** The longest delay that timers can have. */
const LONGEST = 2 ** 31 - 1;
/** Pause before a failed renewal is tried again, in ms. */
const RETRY = 10_000;

export class SessionManager {
  readonly #create: () => Promise<Session>;
  readonly #now: () => number;
  #session: Session | null = null;
  #due = Infinity;
  #renewal: Promise<Session> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watching = false;
  /** Called with each token that replaces another one. */
  onRenewed: ((session: Session) => void) | null = null;

  constructor(create: () => Promise<Session>, now: () => number = () => performance.now()) {
    this.#create = create;
    this.#now = now;
  }

  /** A session that is valid for a while, as far as is known here. */
  async current(): Promise<Session> {
    return this.#session && this.#now() < this.#due ? this.#session : this.renew();
  }

  /** A new session, because the old one is about to expire or the service rejects it. */
  renew(): Promise<Session> {
    this.#renewal ??= this.#create()
      .then((session) => this.#set(session))
      .finally(() => {
        this.#renewal = null;
      });
    return this.#renewal;
  }

  /** Renew in time from now on, until `stop`. */
  watch(): void {
    this.#watching = true;
    this.#schedule(0);
    void this.current().catch(() => undefined); // callers that need the session get the error
  }

  stop(): void {
    this.#watching = false;
    clearTimeout(this.#timer);
  }

  #schedule(least: number): void {
    clearTimeout(this.#timer);
    if (!this.#watching || this.#due === Infinity) return;
    const wait = Math.max(least, Math.min(this.#due - this.#now(), LONGEST));
    this.#timer = setTimeout(() => {
      void this.current().then(
        () => this.#schedule(0),
        () => this.#schedule(RETRY),
      );
    }, wait);
  }

  #set(session: Session): Session {
    const before = this.#session;
    const life = session.expires - Date.now();
    // An issuer that returns the same token again has nothing newer: it is used until it is rejected.
    this.#due = session.token === before?.token || !(life > 0) ? Infinity : this.#now() + life - Math.min(MARGIN, life / 4);
    this.#session = session;
    this.#schedule(0);
    if (before && before.token !== session.token) this.onRenewed?.(session);
    return session;
  }
}
