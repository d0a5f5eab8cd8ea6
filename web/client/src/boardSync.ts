/**
 * Keeps a board's state in sync with its source: a snapshot, then every delivery, and a new snapshot when the source says that
 * changes cannot be sent one by one.
 *
 * Invariant: what is not delivered is fetched. A delivery before the first snapshot can be ignored, because `follow` repeats it.
 */

import { Backoff, pause } from "./backoff.js";
import { boardAfter } from "./boardChange.js";
import { boardPresence, NOBODY } from "./boardPresence.js";
import { type Checkpoint, CheckpointVerifier, type Gap } from "./checkpointVerifier.js";
import { coversXid } from "./compareCursors.js";
import { DeliveryQueue, type Schedule } from "./deliveryQueue.js";
import { type Http, ProblemError } from "./http.js";
import type { Model } from "./model.js";
import { remoteChangeBetween, remoteChangeOf } from "./changeSummary.js";
import { reportUncaught } from "./reportUncaught.js";
import { fetchCard } from "./requests.js";
import type { RemoteChange } from "./state.js";
import type { Delivery, Message, Opportunity, OpportunityEvent, Presence, RowEvent, Snapshot, Source } from "./types.js";
import type { WriteQueue } from "./writeQueue.js";

/** With more cards than this to fetch, fetch the whole board. */
const MANY = 20;
const RETRYABLE: readonly number[] = [0, 408, 429];

export class BoardSync {
  readonly #ended = new AbortController();
  readonly #fetching = new Set<string>();
  readonly #unsubscribe: (() => void)[] = [];
  #loading = false;
  #reload = false;
  #presence = NOBODY;
  /** The cursors of the snapshot and of the newest state: a checkpoint before them says nothing about the rows here. */
  #baseCursors: string[] = [];
  readonly #checkpoints = new CheckpointVerifier();
  #bypassCache = false;
  readonly #deliveries: DeliveryQueue;

  constructor(
    readonly source: Source,
    readonly http: Http,
    readonly model: Model,
    readonly writeQueue: WriteQueue,
    readonly board: string,
    readonly userId: string,
    /** Whether a mutation is one of this store's. */
    readonly isOwn: (mutation: string) => boolean,
    /** When to apply deliveries. */
    schedule: Schedule,
  ) {
    this.#deliveries = new DeliveryQueue(schedule, (deliveries) => this.#applyAll(deliveries));
  }

  /** Resolves when there is a first snapshot, or no such board. */
  async start(snapshot?: Snapshot): Promise<void> {
    const { source } = this;
    let live = source.status.state === "live";
    this.#unsubscribe.push(
      source.onDelivery((delivery) => this.#deliveries.push(delivery)),
      source.onPresence((presence) => this.#setPresence([...presence.values()].flat())),
      source.onStatus(({ state }) => {
        if (state === "live" && !live) this.#onLive();
        live = state === "live";
      }),
    );
    await new Promise<void>((resolve, reject) => void this.#load(snapshot, resolve).catch(reject));
  }

  stop(): void {
    this.#ended.abort();
    this.#deliveries.clear();
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
  }

  async #load(given: Snapshot | undefined, installed: () => void): Promise<void> {
    this.#loading = true;
    const backoff = new Backoff(100, 30_000);
    const { signal } = this.#ended;
    try {
      for (let snapshot = given; !signal.aborted; snapshot = undefined) {
        try {
          this.#reload = false;
          snapshot ??= await this.#fetchSnapshot(signal);
          if (signal.aborted) return;
          this.#install(snapshot);
          installed();
          await this.source.follow(snapshot.cursor, this.board);
          if (!this.#reload) return;
        } catch (error) {
          if (signal.aborted) return;
          if (!(error instanceof ProblemError)) throw error;
          if (error.type === "unknown-board") return this.#gone();
          const outdated = error.type === "cursor-reset";
          if (!outdated) this.model.set({ problem: { code: error.type, message: error.message } });
          if (!outdated && !RETRYABLE.includes(error.status) && error.status < 500) throw error;
          await pause(Math.max(error.retryAfter ?? 0, backoff.next()), signal);
        }
      }
    } finally {
      this.#loading = false;
      installed();
    }
  }

  async #fetchSnapshot(signal: AbortSignal): Promise<Snapshot> {
    const headers: Record<string, string> = this.#bypassCache ? { "Cache-Control": "no-cache" } : {};
    const { body } = await this.http.request("GET", this.#path, { signal, headers });
    this.#bypassCache = false;
    return body as Snapshot;
  }

  get #path(): string {
    return `/api/boards/${encodeURIComponent(this.board)}`;
  }

  #install(snapshot: Snapshot): void {
    this.#deliveries.flush();
    this.#baseCursors = [snapshot.cursor];
    this.model.batch(() => {
      this.model.install(snapshot);
      this.#setPresence(this.source.presence.size > 0 ? [...this.source.presence.values()].flat() : snapshot.presence);
      for (const id of [...this.writeQueue.queues.keys()]) this.writeQueue.updateConflict(id);
    });
  }

  #check(checkpoint: Checkpoint): void {
    if (this.#loading) return;
    const gap = this.#checkpoints.gap(checkpoint, this.model.serverState, this.#baseCursors);
    if (gap) void this.#repair(gap);
  }

  /** Something was lost: report it, and take a snapshot that does not come from the feed's cache. */
  async #repair(gap: Gap): Promise<void> {
    const { signal } = this.#ended;
    await this.http.request("POST", `${this.#path}/gaps`, { body: gap, signal }).catch(() => undefined);
    this.#bypassCache = true;
    this.#refresh();
  }

  /** Take a new snapshot; pending writes are applied on top of it. */
  #refresh(): void {
    this.#reload = true;
    if (!this.#loading) this.#load(undefined, () => undefined).catch(() => undefined); // it is in state.problem
  }

  #gone(): void {
    this.model.set({ status: "gone", problem: null });
  }

  #onLive(): void {
    this.writeQueue.wake();
    if (this.model.state.problem) this.#refresh();
    this.#fetchIncomplete();
  }

  #setPresence(all: readonly Presence[]): void {
    this.#presence = boardPresence(all, this.board, this.userId, this.#presence);
    this.model.set(this.#presence);
  }

  #applyAll(deliveries: readonly Delivery[]): void {
    try {
      this.#applyMessages(deliveries.flatMap(({ messages }) => messages));
    } catch (error) {
      // A bug in this client. What was not applied is in a new snapshot.
      reportUncaught(error);
      this.#refresh();
    }
  }

  #applyMessages(messages: readonly Message[]): void {
    const { status } = this.model.state;
    this.model.batch(() => {
      const remote: RemoteChange[] = [];
      for (const message of messages) {
        if (status === "ready" || message.type === "board_granted") this.#apply(message, remote);
      }
      if (remote.length > 0) this.model.set({ lastRemote: remote });
    });
    this.#fetchIncomplete();
  }

  #apply(message: Message, remote: RemoteChange[]): void {
    const here = "boardId" in message && message.boardId === this.board;
    switch (message.type) {
      case "opportunity_created":
      case "opportunity_updated":
      case "opportunity_moved":
      case "opportunity_deleted":
        if (here) this.#applyEvent(message, remote);
        break;
      case "state":
        this.#baseCursors[1] = message.at;
        for (const row of message.opportunities) this.#applyState(row.id, remote, () => this.model.serverState.applyRow(row));
        if (message.changedBoards?.includes(this.board)) this.reload();
        for (const id of message.deletedIds) this.#applyState(id, remote, () => this.model.serverState.remove(id));
        break;
      case "row_inserted":
      case "row_updated":
      case "row_deleted":
        if (here && message.table === "opportunity_details") this.#applyDetails(message);
        if (here && ["boards", "board_members"].includes(message.table) && !this.#inSnapshot(message.xid) && !this.#applyBoardChange(message)) this.#refresh();
        break;
      case "resync":
        if ((here || message.boardId === null) && !this.#inSnapshot(message.xid)) this.#refresh();
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
        this.#baseCursors = []; // they belong to another history
        this.#refresh();
    }
  }

  /** Apply a change of the board itself. Returns false if that takes a snapshot. */
  #applyBoardChange(event: RowEvent): boolean {
    const board = boardAfter(this.model.state.board, event);
    if (board) this.model.applyBoard(board);
    return board !== null;
  }

  /** Take a new snapshot, for a program that knows of a change before the stream does. */
  reload(): void {
    this.#bypassCache = true;
    this.#refresh();
  }

  #applyEvent(event: OpportunityEvent, remote: RemoteChange[]): void {
    const { opportunityId: id, origin, xid } = event;
    const changed = !this.#inSnapshot(xid) && this.model.serverState.applyEvent(event);
    if (changed) this.model.touch(id);
    const own = origin !== null && (this.writeQueue.acknowledge(id, origin) || this.isOwn(origin));
    if (changed) this.writeQueue.updateConflict(id);
    if (changed && !own) remote.push(remoteChangeOf(event));
  }

  #applyDetails(event: RowEvent): void {
    const id = String(event.key);
    if (this.#inSnapshot(event.xid) || !this.model.serverState.applyDetails(event)) return;
    this.model.touch(id);
    this.writeQueue.updateConflict(id);
  }

  /** Whether the snapshot includes a transaction. The stream may be behind it, and must not bring back a card that was deleted since. */
  #inSnapshot(xid: string): boolean {
    const [snapshot] = this.#baseCursors;
    return snapshot !== undefined && coversXid(snapshot, xid);
  }

  #applyState(id: string, remote: RemoteChange[], apply: () => boolean): void {
    const before = this.model.serverState.rows.get(id);
    if (!apply()) return;
    this.model.touch(id);
    this.writeQueue.updateConflict(id);
    remote.push(remoteChangeBetween(id, before, this.model.serverState.rows.get(id)));
  }

  /** Fetch the cards that are known only in part. */
  #fetchIncomplete(): void {
    const { incomplete } = this.model.serverState;
    if (incomplete.size > MANY) return this.#refresh();
    for (const id of incomplete.keys()) if (!this.#fetching.has(id)) void this.#fetchCard(id);
  }

  async #fetchCard(id: string): Promise<void> {
    this.#fetching.add(id);
    let apply = (): boolean => false;
    try {
      const row: Opportunity = await fetchCard(this.http, id);
      const { serverState } = this.model;
      const announced = (serverState.incomplete.get(id) ?? 0) >= row.version_number;
      apply = () => (announced ? serverState.applyRow(row) : serverState.applyResponse(id, () => serverState.applyRow(row)));
    } catch (error) {
      // After any other error, the next delivery tries again.
      if (error instanceof ProblemError && error.type === "unknown-opportunity") {
        apply = () => this.model.serverState.applyResponse(id, () => this.model.serverState.remove(id));
      }
    }
    this.#fetching.delete(id);
    if (!this.#ended.signal.aborted) this.model.batch(() => this.#applyState(id, [], apply));
  }
}
