/**
 * Keeps the service informed of the user's presence, by whichever transport is open.
 *
 * Invariant: the service gets the difference between the current presence and what this transport has already sent. So a new
 * transport sends all of it, and nothing is sent twice.
 */
import type { Http } from "./http.js";
import { type Activity, isBoard, type LocalPresence, type Place, type SendPresence, VIEWING } from "./localPresence.js";
import type { Transport } from "./transport.js";

export class PresenceSender {
  readonly #http: Http;
  readonly #renewal: number;
  #presence: LocalPresence = new Map();
  #sent: LocalPresence = new Map();
  /** Places with a lease over HTTP that the service may still hold. */
  readonly #leased = new Set<Place>();
  /** Requests without a response. The next one of the same place waits: a renewal must not arrive after the release. */
  readonly #requests = new Map<Place, Promise<void>>();
  #transport: Transport | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `renewal`: ms between renewals of the leases over HTTP. */
  constructor(http: Http, renewal: number) {
    this.#http = http;
    this.#renewal = renewal;
  }

  update(presence: LocalPresence): void {
    this.#presence = presence;
    this.#send();
  }

  /**
   * Send by this transport from now on; null: by none for now. What another transport sent ends with it; leases over HTTP are
   * released.
   */
  setTransport(transport: Transport | null): void {
    if (transport === this.#transport) return;
    this.#transport = transport;
    this.#sent = new Map();
    clearInterval(this.#timer);
    this.#send();
    if (transport?.sendPresence === null) this.#timer = setInterval(() => this.#renew(), this.#renewal);
    else if (transport) for (const place of this.#leased) this.#request(place, null);
  }

  /**
   * Places that the user enters come before places that the user leaves, so that the user is never shown as absent in between. Boards come before
   * cards, because viewing a board means viewing no card: cards that another tab views are sent again.
   */
  #send(): void {
    if (!this.#transport) return;
    const send: SendPresence = this.#transport.sendPresence ?? ((place, activity) => this.#request(place, activity));
    const changed = new Map([...this.#presence].filter(([place, activity]) => JSON.stringify(this.#sent.get(place)) !== JSON.stringify(activity)));
    const boards = [...changed.keys()].filter(isBoard);
    for (const place of boards) send(place, VIEWING);
    for (const [place, activity] of this.#presence) {
      if (!isBoard(place) && (changed.has(place) || (boards.length > 0 && activity.action === "viewing"))) send(place, activity);
    }
    for (const place of this.#sent.keys()) if (!this.#presence.has(place)) send(place, null);
    this.#sent = new Map(this.#presence);
  }

  #renew(): void {
    for (const [place, activity] of this.#presence) this.#request(place, activity);
  }

  /** If a request fails, the next renewal repeats it, or the lease expires. */
  #request(place: Place, activity: Activity | null): void {
    if (activity) this.#leased.add(place);
    else this.#leased.delete(place);
    const path = `/api/${place}/presence`;
    const options = isBoard(place) ? {} : { body: activity };
    const send = (): Promise<void> =>
      (activity ? this.#http.request("PUT", path, options) : this.#http.request("DELETE", path)).then(
        () => undefined,
        () => undefined,
      );
    const request = this.#requests.get(place)?.then(send) ?? send();
    this.#requests.set(place, request);
    void request.then(() => {
      if (this.#requests.get(place) === request) this.#requests.delete(place);
    });
  }
}
