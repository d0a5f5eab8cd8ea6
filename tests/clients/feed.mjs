// The client in Node: prints deliveries and statuses as JSON lines, and reads commands from stdin.
import { createHmac } from "node:crypto";
import { createInterface } from "node:readline";
import { EventSource } from "eventsource";
import WebSocket from "ws";

const [bundle, given] = process.argv.slice(2);
const { options, user = "ana", secret, ttl = 600, skew = 0 } = JSON.parse(given);
const { Feed } = await import(bundle);
const print = (line) => console.log(JSON.stringify(line));

const realNow = Date.now;
Date.now = () => realNow() + skew;
let issued = 0;
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
function token() {
  const iat = Math.floor(realNow() / 1000);
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user, name: user, iat, exp: iat + ttl, jti: String(++issued) })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

const session = async () => {
  print({ kind: "token", number: issued + 1 });
  return { token: token(), userId: user, expires: Date.now() + ttl * 1000 };
};
const feed = new Feed({ WebSocket, EventSource, session, ...options });
feed.onDelivery(({ messages, cursor }) => print({ kind: "delivery", messages, cursor }));
feed.onStatus((status) => print({ kind: "status", status }));
feed.onPresence((presence) => print({ kind: "presence", presence: Object.fromEntries(presence) }));

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { follow, board, send, stop } = JSON.parse(line);
  if (send) feed.send(send);
  if (stop) feed.stop();
  if (follow === undefined) return;
  try {
    await feed.follow(follow, board);
    print({ kind: "followed", cursor: feed.cursor });
  } catch (error) {
    print({ kind: "refused", type: error.type, status: error.status, reason: error.body?.reason });
  }
});
