// Many clients in one Node process. Each follows card o1 and counts its deliveries; all report their counts when asked on stdin.
import { createHmac } from "node:crypto";
import { createInterface } from "node:readline";
import { EventSource } from "eventsource";
import WebSocket from "ws";

const [bundle, given] = process.argv.slice(2);
const { number, options, secret, user = "ana" } = JSON.parse(given);
const { Feed } = await import(bundle);
const print = (line) => console.log(JSON.stringify(line));

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const now = Math.floor(Date.now() / 1000);
const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user, name: user, iat: now, exp: now + 3600 })}`;
const token = `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
const session = async () => ({ token, userId: user, expires: Date.now() + 3_600_000 });

class Client {
  feed = new Feed({ WebSocket, EventSource, session, ...options });
  seqs = new Set();
  delivered = { version: 1, events: 0, states: 0, resets: 0, repeated: 0, gaps: [] };
  /** The transports it has used, with the time of each switch (ms since 1970). */
  transports = [];

  constructor() {
    this.feed.onDelivery(({ messages }) => messages.forEach((message) => this.count(message)));
    this.feed.onStatus((status) => {
      const { state } = status;
      const transport = state === "live" ? status.transport : state;
      if ((state !== "live" && state !== "off") || this.transports.at(-1)?.transport === transport) return;
      this.transports.push({ transport, at: Date.now() });
      reportSameTransport(transport);
    });
  }

  count({ type, seq, version, opportunities = [], opportunityId }) {
    const { delivered } = this;
    if (type === "reset") delivered.resets++;
    if (type === "state") {
      delivered.states++;
      for (const card of opportunities) if (card.id === "o1") delivered.version = Math.max(delivered.version, card.version_number);
    }
    if (seq === undefined || opportunityId !== "o1") return;
    if (this.seqs.has(seq)) delivered.repeated++;
    this.seqs.add(seq);
    delivered.events++;
    // A stream that replaces polling repeats what the last states contained.
    if (version !== delivered.version + 1 && !(delivered.states > 0 && version <= delivered.version)) delivered.gaps.push([delivered.version, version]);
    delivered.version = Math.max(delivered.version, version);
  }
}

/** When all clients use the same transport, prints it with the time of each client's switch. */
function reportSameTransport(transport) {
  const now = clients.map(({ transports }) => transports.at(-1));
  if (now.every((one) => one?.transport === transport)) print({ kind: "same transport", transport, since: now.map(({ at }) => at) });
}

const clients = Array.from({ length: number }, () => new Client());

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { follow, report } = JSON.parse(line);
  if (follow !== undefined) await Promise.all(clients.map(({ feed }) => feed.follow(follow)));
  if (report !== undefined) print({ kind: "report", report, clients: clients.map(({ delivered, transports, feed }) => ({ ...delivered, transports, status: feed.status })) });
});
