/**
 * The token that the connection shows, and when to get the next one.
 *
 * Invariant: whether a token is near its end is decided by how much life it had when it came and how long ago that was, never by
 * this machine's idea of the date: that may be wrong by a day. One renewal at a time, whoever asks.
 */
import type { Http } from "./http.js";
import type { Session } from "./types.js";

/** A token is renewed so long before its end, in ms, or in the last quarter of a short one's life. */
const MARGIN = 120_000;
/** The longest delay that timers can have. */
const LONGEST = 2 ** 31 - 1;
/** Before a renewal that failed is tried again, in ms. */
const AGAIN = 10_000;

export class SessionKeeper {
  readonly #make: () => Promise<Session>;
  readonly #now: () => number;
  #session: Session | null = null;
  #due = Infinity;
  #renewal: Promise<Session> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watching = false;
  /** Called with each token that follows another. */
  onRenewed: ((session: Session) => void) | null = null;

  constructor(make: () => Promise<Session>, now: () => number = () => performance.now()) {
    this.#make = make;
    this.#now = now;
  }

  /** One that is good for a while, as far as is known here. */
  async current(): Promise<Session> {
    return this.#session && this.#now() < this.#due ? this.#session : this.renew();
  }

  /** A new one, because its time has come or the service does not take the old one. */
  renew(): Promise<Session> {
    this.#renewal ??= this.#make()
      .then((session) => this.#keep(session))
      .finally(() => {
        this.#renewal = null;
      });
    return this.#renewal;
  }

  /** Renew in time from here on, until `stop`. */
  watch(): void {
    this.#watching = true;
    this.#arm(0);
    void this.current().catch(() => undefined); // whoever needs it will be told why there is none
  }

  stop(): void {
    this.#watching = false;
    clearTimeout(this.#timer);
  }

  #arm(least: number): void {
    clearTimeout(this.#timer);
    if (!this.#watching || this.#due === Infinity) return;
    const wait = Math.max(least, Math.min(this.#due - this.#now(), LONGEST));
    this.#timer = setTimeout(() => {
      void this.current().then(
        () => this.#arm(0),
        () => this.#arm(AGAIN),
      );
    }, wait);
  }

  #keep(session: Session): Session {
    const before = this.#session;
    const life = session.expires - Date.now();
    // An issuer that hands out the same token again has nothing newer: it is used until it is refused.
    this.#due = session.token === before?.token || !(life > 0) ? Infinity : this.#now() + life - Math.min(MARGIN, life / 4);
    this.#session = session;
    this.#arm(0);
    if (before && before.token !== session.token) this.onRenewed?.(session);
    return session;
  }
}

/** A session by the browser's cookie: its token for the WebSocket, its life by the service's own clock. */
export function cookieSession(http: Http): () => Promise<Session> {
  return async () => {
    const { headers, body } = await http.request("POST", "/api/auth/refresh");
    const told = body as { token: string; expiresAt: string; user: { id: string } };
    const date = Date.parse(headers.get("Date") ?? "");
    const life = Date.parse(told.expiresAt) - (Number.isNaN(date) ? Date.now() : date);
    return { token: told.token, userId: told.user.id, expires: Date.now() + life };
  };
}
