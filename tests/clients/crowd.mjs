// Many clients in one Node, as they are built: each follows card o1 and keeps account of what it was told; asked on stdin, all tell it.
import { createHmac } from "node:crypto";
import { createInterface } from "node:readline";
import { EventSource } from "eventsource";
import WebSocket from "ws";

const [bundle, given] = process.argv.slice(2);
const { number, options, secret, user = "ana" } = JSON.parse(given);
const { Feed } = await import(bundle);
const say = (line) => console.log(JSON.stringify(line));

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const now = Math.floor(Date.now() / 1000);
const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user, name: user, iat: now, exp: now + 3600 })}`;
const token = `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
const session = async () => ({ token, userId: user, expires: Date.now() + 3_600_000 });

class Client {
  feed = new Feed({ WebSocket, EventSource, session, ...options });
  seqs = new Set();
  told = { version: 1, events: 0, states: 0, resets: 0, repeated: 0, gaps: [] };
  /** The ways that it has been on, and since when (ms since 1970). */
  ways = [];

  constructor() {
    this.feed.onDelivery(({ messages }) => messages.forEach((message) => this.take(message)));
    this.feed.onStatus(({ state, transport }) => {
      const way = state === "live" ? transport : state;
      if ((state !== "live" && state !== "off") || this.ways.at(-1)?.way === way) return;
      this.ways.push({ way, at: Date.now() });
      together(way);
    });
  }

  take({ type, seq, version, opportunities = [], opportunityId }) {
    const { told } = this;
    if (type === "reset") told.resets++;
    if (type === "state") {
      told.states++;
      for (const card of opportunities) if (card.id === "o1") told.version = Math.max(told.version, card.version_number);
    }
    if (seq === undefined || opportunityId !== "o1") return;
    if (this.seqs.has(seq)) told.repeated++;
    this.seqs.add(seq);
    told.events++;
    // A stream that takes over from polling tells again what the last states were made of.
    if (version !== told.version + 1 && !(told.states > 0 && version <= told.version)) told.gaps.push([told.version, version]);
    told.version = Math.max(told.version, version);
  }
}

/** Said when all are on the same way, with the times at which they were; nobody need ask. */
function together(way) {
  const now = clients.map(({ ways }) => ways.at(-1));
  if (now.every((one) => one?.way === way)) say({ kind: "together", way, since: now.map(({ at }) => at) });
}

const clients = Array.from({ length: number }, () => new Client());

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { follow, report } = JSON.parse(line);
  if (follow !== undefined) await Promise.all(clients.map(({ feed }) => feed.follow(follow)));
  if (report !== undefined) say({ kind: "report", report, clients: clients.map(({ told, ways, feed }) => ({ ...told, ways, status: feed.status })) });
});
