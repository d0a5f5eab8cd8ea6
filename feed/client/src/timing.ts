/** How long things may take, in ms. Given once, when a feed is made. */
export interface Timing {
  /** From opening a way to its `auth_success`: a proxy that holds it back is found so. */
  readonly probe: number;
  /** The service's heartbeats; a stream that is silent for two of them is dead. */
  readonly heartbeat: number;
  /** Between the WebSocket's pings, and how long a pong may take, ordinarily and when the page wakes. */
  readonly ping: number;
  readonly pong: number;
  readonly check: number;
  /** Waits before a higher way is tried again: the first, the longest. */
  readonly climb: number;
  readonly climbMost: number;
  /** Waits before all of them are tried again, where none works. */
  readonly round: number;
  readonly roundMost: number;
  /** Between polls, where the page is seen and where it is not. */
  readonly poll: number;
  readonly pollHidden: number;
  /** The longest wait between looks at what is offered, where no stream tells it and the service does not hold the answer. */
  readonly look: number;
  /** Between the renewals of presence over HTTP, which ends after 30 s. */
  readonly claim: number;
  /** What has been live for so long did not fail: its next attempt is an early one again. */
  readonly steady: number;
}

export const TIMING: Timing = {
  probe: 5_000,
  heartbeat: 15_000,
  ping: 15_000,
  pong: 10_000,
  check: 3_000,
  climb: 5_000,
  climbMost: 60_000,
  round: 500,
  roundMost: 30_000,
  poll: 2_000,
  pollHidden: 15_000,
  look: 60_000,
  claim: 10_000,
  steady: 10_000,
};
