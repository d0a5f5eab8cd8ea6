/**
 * How a board's state follows its source: a snapshot, then every delivery, and a new snapshot where the source says that what
 * lies between cannot be told.
 *
 * Invariant: what is not told is fetched. A delivery before the first snapshot may be passed over: `follow` tells it again.
 */

import { Backoff } from "./backoff.js";
import { covers, coversXid } from "./covers.js";
import { heldOf } from "./hash.js";
import { type Http, ProblemError } from "./http.js";
import type { Model } from "./model.js";
import { NOBODY, people } from "./people.js";
import type { Queue } from "./queue.js";
import { remoteBetween, remoteOf } from "./remote.js";
import { fetchCard } from "./requests.js";
import type { RemoteChange } from "./state.js";
import type { Delivery, Message, Opportunity, OpportunityEvent, Presence, Snapshot, Source } from "./types.js";

/** With more cards than that to fetch, the whole board is. */
const MANY = 20;
const AGAIN: readonly number[] = [0, 408, 429];

export class Following {
  readonly #ended = new AbortController();
  readonly #fetching = new Set<string>();
  readonly #ends: (() => void)[] = [];
  #loading = false;
  #reload = false;
  #people = NOBODY;
  /** Where the snapshot was taken and the newest state: a checkpoint before them says nothing of what is here. */
  #marks: string[] = [];
  /** Until when a checkpoint that does not agree is passed over. */
  #trusted = 0;
  readonly #doubts = new Backoff(1_000, 600_000);
  #fresh = false;

  constructor(
    readonly source: Source,
    readonly http: Http,
    readonly model: Model,
    readonly queue: Queue,
    readonly board: string,
    readonly userId: string,
    /** Whether a mutation is one of this store's. */
    readonly own: (mutation: string) => boolean,
  ) {}

  /** Resolves when there is a first snapshot, or no such board. */
  async start(snapshot?: Snapshot): Promise<void> {
    const { source } = this;
    let live = source.status.state === "live";
    this.#ends.push(
      source.onDelivery((delivery) => this.#deliver(delivery)),
      source.onPresence((presence) => this.#see([...presence.values()].flat())),
      source.onStatus(({ state }) => {
        if (state === "live" && !live) this.#back();
        live = state === "live";
      }),
    );
    await new Promise<void>((resolve, reject) => void this.#load(snapshot, resolve).catch(reject));
  }

  stop(): void {
    this.#ended.abort();
    for (const end of this.#ends.splice(0)) end();
  }

  async #load(given: Snapshot | undefined, installed: () => void): Promise<void> {
    this.#loading = true;
    const waits = new Backoff(100, 30_000);
    const { signal } = this.#ended;
    try {
      for (let snapshot = given; !signal.aborted; snapshot = undefined) {
        try {
          this.#reload = false;
          snapshot ??= await this.#snapshot(signal);
          if (signal.aborted) return;
          this.#install(snapshot);
          installed();
          await this.source.follow(snapshot.cursor, this.board);
          if (!this.#reload) return;
        } catch (error) {
          if (signal.aborted) return;
          if (!(error instanceof ProblemError)) throw error;
          if (error.type === "unknown-board") return this.#gone();
          const late = error.type === "cursor-reset";
          if (!late) this.model.set({ problem: { code: error.type, message: error.message } });
          if (!late && !AGAIN.includes(error.status) && error.status < 500) throw error;
          await pause(Math.max(error.retryAfter ?? 0, waits.next()), signal);
        }
      }
    } finally {
      this.#loading = false;
      installed();
    }
  }

  async #snapshot(signal: AbortSignal): Promise<Snapshot> {
    const headers: Record<string, string> = this.#fresh ? { "Cache-Control": "no-cache" } : {};
    const { body } = await this.http.request("GET", this.#path, { signal, headers });
    this.#fresh = false;
    return body as Snapshot;
  }

  get #path(): string {
    return `/api/boards/${encodeURIComponent(this.board)}`;
  }

  #install(snapshot: Snapshot): void {
    this.#marks = [snapshot.cursor];
    this.model.batch(() => {
      this.model.install(snapshot);
      this.#see(this.source.presence.size > 0 ? [...this.source.presence.values()].flat() : snapshot.presence);
      for (const id of [...this.queue.lanes.keys()]) this.queue.reconsider(id);
    });
  }

  /** Compare what was confirmed with what it has to be. What is newer than the checkpoint cannot be compared. */
  #check({ cursor, count, hash }: Extract<Message, { type: "checkpoint" }>): void {
    const { truth } = this.model;
    const now = performance.now();
    if (this.#loading || !truth.comparable(now) || !this.#marks.every((mark) => covers(cursor, mark))) return;
    const held = heldOf(truth.rows.values());
    if (held.count === count && held.hash === hash) this.#doubts.reset();
    else if (now >= this.#trusted) {
      this.#trusted = now + this.#doubts.next();
      void this.#mend({ cursor, expected: { count, hash }, held });
    }
  }

  /** Something was lost: say so, and take a snapshot that owes nothing to what the feed was told. */
  async #mend(gap: object): Promise<void> {
    const { signal } = this.#ended;
    await this.http.request("POST", `${this.#path}/gaps`, { body: gap, signal }).catch(() => undefined);
    this.#fresh = true;
    this.#refresh();
  }

  /** Take a new snapshot; the writes that wait are laid over it. */
  #refresh(): void {
    this.#reload = true;
    if (!this.#loading) this.#load(undefined, () => undefined).catch(() => undefined); // said in state.problem
  }

  #gone(): void {
    this.model.set({ stage: "gone", problem: null });
  }

  #back(): void {
    this.queue.wake();
    if (this.model.state.problem) this.#refresh();
    this.#fetch();
  }

  #see(all: readonly Presence[]): void {
    this.#people = people(all, this.board, this.userId, this.#people);
    this.model.set(this.#people);
  }

  #deliver({ messages }: Delivery): void {
    const { stage } = this.model.state;
    this.model.batch(() => {
      const remote: RemoteChange[] = [];
      for (const message of messages) {
        if (stage === "ready" || message.type === "board_granted") this.#take(message, remote);
      }
      if (remote.length > 0) this.model.set({ lastRemote: remote });
    });
    this.#fetch();
  }

  #take(message: Message, remote: RemoteChange[]): void {
    const here = "boardId" in message && message.boardId === this.board;
    switch (message.type) {
      case "opportunity_created":
      case "opportunity_updated":
      case "opportunity_moved":
      case "opportunity_deleted":
        if (here) this.#event(message, remote);
        break;
      case "state":
        this.#marks[1] = message.at;
        for (const row of message.opportunities) this.#state(row.id, remote, () => this.model.truth.row(row));
        for (const id of message.deletedIds) this.#state(id, remote, () => this.model.truth.gone(id));
        break;
      case "row_inserted":
      case "row_updated":
      case "row_deleted":
        if (here && ["boards", "board_members"].includes(message.table) && !this.#contained(message.xid)) this.#refresh();
        break;
      case "resync":
        if ((here || message.boardId === null) && !this.#contained(message.xid)) this.#refresh();
        break;
      case "checkpoint":
        if (here) this.#check(message);
        break;
      case "board_granted":
        if (here) this.#refresh();
        break;
      case "board_revoked":
        if (here) this.#gone();
        break;
      case "reset":
        this.#marks = []; // of another history
        this.#refresh();
    }
  }

  #event(event: OpportunityEvent, remote: RemoteChange[]): void {
    const { opportunityId: id, origin, xid } = event;
    const changed = !this.#contained(xid) && this.model.truth.event(event);
    if (changed) this.model.touch(id);
    const mine = origin !== null && (this.queue.acknowledge(id, origin) || this.own(origin));
    if (changed) this.queue.reconsider(id);
    if (changed && !mine) remote.push(remoteOf(event));
  }

  /** Whether the snapshot has it: the stream may be behind a snapshot, and a card that was deleted since must not come back. */
  #contained(xid: string): boolean {
    const [snapshot] = this.#marks;
    return snapshot !== undefined && coversXid(snapshot, xid);
  }

  #state(id: string, remote: RemoteChange[], apply: () => boolean): void {
    const before = this.model.truth.rows.get(id);
    if (!apply()) return;
    this.model.touch(id);
    this.queue.reconsider(id);
    remote.push(remoteBetween(id, before, this.model.truth.rows.get(id)));
  }

  /** Fetch the cards of which only a part was told. */
  #fetch(): void {
    const { behind } = this.model.truth;
    if (behind.size > MANY) return this.#refresh();
    for (const id of behind.keys()) if (!this.#fetching.has(id)) void this.#fetchOne(id);
  }

  async #fetchOne(id: string): Promise<void> {
    this.#fetching.add(id);
    let apply = (): boolean => false;
    try {
      const row: Opportunity = await fetchCard(this.http, id);
      const { truth } = this.model;
      const told = (truth.behind.get(id) ?? 0) >= row.version_number;
      apply = () => (told ? truth.row(row) : truth.early(id, () => truth.row(row)));
    } catch (error) {
      // Whatever else it is, it is tried again with the next delivery.
      if (error instanceof ProblemError && error.type === "unknown-opportunity") apply = () => this.model.truth.early(id, () => this.model.truth.gone(id));
    }
    this.#fetching.delete(id);
    if (!this.#ended.signal.aborted) this.model.batch(() => this.#state(id, [], apply));
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
