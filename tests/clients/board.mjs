// Boards in Node: each client is a Feed and a BoardStore with its own storage. Reads commands from stdin, one JSON line each:
// {n, client, do, args}. Answers each with {n, value} or {n, error}, and prints the result of every mutation.
import { createHmac } from "node:crypto";
import { createInterface } from "node:readline";
import { EventSource } from "eventsource";
import WebSocket from "ws";

const [bundle, given] = process.argv.slice(2);
const { secret, timing = {} } = JSON.parse(given);
const { BoardStore, Feed } = await import(bundle);
const print = (line) => console.log(JSON.stringify(line));

let issued = 0;
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
function token(user) {
  const iat = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user, name: user, iat, exp: iat + 600, jti: String(++issued) })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

class MemoryStorage {
  #items = new Map();
  get length() {
    return this.#items.size;
  }
  key(index) {
    return [...this.#items.keys()][index] ?? null;
  }
  getItem(key) {
    return this.#items.get(key) ?? null;
  }
  setItem(key, value) {
    this.#items.set(key, String(value));
  }
  removeItem(key) {
    this.#items.delete(key);
  }
}

const clients = new Map();
const storages = new Map();

const plain = (value) => {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [key, plain(one)]));
  return value;
};

const actions = {
  async open(name, { user, board, ...options }) {
    const storage = storages.get(name) ?? new MemoryStorage();
    storages.set(name, storage);
    const session = async () => ({ token: token(user), userId: user, expires: Date.now() + 600_000 });
    const client = { store: null, editor: null, states: 0, remote: [], responsesToLose: 0, messagesToDrop: 0 };
    class Lossy extends WebSocket {
      emit(type, ...args) {
        if (type !== "message" || client.messagesToDrop === 0 || !String(args[0]).includes("opportunity_")) return super.emit(type, ...args);
        client.messagesToDrop--;
        return true;
      }
    }
    const lossyFetch = async (url, init) => {
      const answer = await fetch(url, init);
      if (!["POST", "PATCH", "DELETE"].includes(init.method) || client.responsesToLose === 0) return answer;
      client.responsesToLose--;
      await answer.text();
      throw new TypeError("the response was lost");
    };
    const feed = new Feed({ WebSocket: Lossy, EventSource, session, timing, fetch: lossyFetch, ...options });
    const store = new BoardStore({ source: feed, http: feed.http, board, userId: user, storage });
    Object.assign(client, { feed, store });
    clients.set(name, client);
    store.onOutcome((mutation, result) => print({ kind: "outcome", client: name, mutation, result }));
    let remote = store.getState().lastRemote;
    store.subscribe(() => {
      client.states++;
      const state = store.getState();
      if (state.lastRemote !== remote) client.remote.push(...state.lastRemote);
      remote = state.lastRemote;
    });
    await store.start();
  },
  // Like closing a page: unsent writes stay in its storage.
  close(name) {
    const { feed, store } = clients.get(name);
    store.stop();
    feed.stop();
  },
  // The next writes arrive, but their responses are lost.
  loseResponses(name, number) {
    clients.get(name).responsesToLose = number;
  },
  // The next events are lost on the way to the page.
  dropMessages(name, number) {
    clients.get(name).messagesToDrop = number;
  },
  call: (name, method, ...args) => clients.get(name).store[method](...args),
  /** Writes; returns the mutation and the card as shown before. */
  write(name, method, id, ...args) {
    const { store } = clients.get(name);
    const seen = store.getState().opportunities.get(id);
    return seen ? { seen, mutation: store[method](id, ...args) ?? null } : null;
  },
  openEditor(name, id) {
    const { store } = clients.get(name);
    return Boolean((clients.get(name).editor = store.openEditor(id)));
  },
  editor: (name, method, ...args) => clients.get(name).editor[method](...args),
  draft: (name, id) => clients.get(name).store.drafts.get(id),
  status: (name) => clients.get(name).feed.status,
  observed: (name) => ({ states: clients.get(name).states, remote: clients.get(name).remote }),
  state: (name) => Object.fromEntries(Object.entries(clients.get(name).store.getState()).map(([key, value]) => [key, plain(value)])),
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { n, client, do: action, args } = JSON.parse(line);
  try {
    print({ kind: "answer", n, value: (await actions[action](client, ...args)) ?? null });
  } catch (error) {
    print({ kind: "answer", n, error: error.stack });
  }
});
