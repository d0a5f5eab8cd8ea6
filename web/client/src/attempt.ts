/** One opening of a transport, from its start until it is closed. */
import type { Transport } from "./transport.js";
import type { TransportState } from "./transportState.js";

export class Attempt {
  transport: Transport | null = null;
  /** Since when it has been live; null: not yet. */
  live: number | null = null;

  constructor(
    /** In the list of transports. */
    readonly index: number,
    readonly state: TransportState,
  ) {}

  /** Its transport, if it is live and more than the one that waits. */
  get liveTransport(): Transport | null {
    return this.live !== null && this.state.name !== null ? this.transport : null;
  }
}
