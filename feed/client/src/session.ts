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

export class SessionKeeper {
  readonly #make: () => Promise<Session>;
  readonly #now: () => number;
  #session: Session | null = null;
  #due = Infinity;
  #renewal: Promise<Session> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Called with a token that was renewed because its time came. */
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
    clearTimeout(this.#timer);
    if (!Number.isFinite(this.#due)) return;
    const wait = Math.max(0, Math.min(this.#due - this.#now(), LONGEST));
    this.#timer = setTimeout(() => void this.#renewInTime(), wait);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async #renewInTime(): Promise<void> {
    if (this.#now() >= this.#due) {
      const before = this.#session?.token;
      const session = await this.renew().catch(() => null); // who needs the token will hear of it
      if (!session || session.token === before) return;
      this.onRenewed?.(session);
    }
    this.watch();
  }

  #keep(session: Session): Session {
    const life = session.expires - Date.now();
    // An issuer that hands out the same token again has nothing newer: it is used until it is refused.
    const same = session.token === this.#session?.token;
    this.#due = same || !(life > 0) ? Infinity : this.#now() + life - Math.min(MARGIN, life / 4);
    this.#session = session;
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
