/** How long things may take, in ms. Set once, when a feed is created. */
export interface Timing {
  /** From opening a transport to its `auth_success`. Detects proxies that buffer streams. */
  readonly connect: number;
  /** The interval of the service's heartbeats; a stream that is silent for two of them is dead. */
  readonly heartbeat: number;
  /** Between pings over the WebSocket. */
  readonly ping: number;
  /** How long an answer may take before the connection is dead. */
  readonly pong: number;
  /** How long an answer may take before what is shown counts as behind. */
  readonly behind: number;
  /** How long a connection may take to come back before the state is `offline`. */
  readonly lost: number;
  /** Pauses before a better transport is tried again: the first, the longest. */
  readonly upgrade: number;
  readonly upgradeMax: number;
  /** Pauses before all transports are tried again when none works: the first, the longest. */
  readonly retry: number;
  readonly retryMax: number;
  /** Between polls, while the page is visible and while it is hidden. */
  readonly poll: number;
  readonly pollHidden: number;
  /** The longest pause between checks of the flags, where no stream reports them and the service does not hold the request. */
  readonly flagPollMax: number;
  /** Between renewals of presence over HTTP; a lease ends after 30 s. */
  readonly presenceRenewal: number;
  /** A transport that was live this long did not fail: it is tried again soon. */
  readonly stable: number;
}

export const TIMING: Timing = {
  connect: 5_000,
  heartbeat: 15_000,
  ping: 5_000,
  pong: 3_000,
  behind: 1_000,
  lost: 5_000,
  upgrade: 5_000,
  upgradeMax: 60_000,
  retry: 500,
  retryMax: 30_000,
  poll: 2_000,
  pollHidden: 15_000,
  flagPollMax: 60_000,
  presenceRenewal: 10_000,
  stable: 10_000,
};
