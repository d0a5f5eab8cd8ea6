import { afterEach, expect, test, vi } from "vitest";
import { Drafts } from "../src/drafts.js";
import { Outbox } from "../src/outbox.js";
import { blank, type Write } from "../src/pending.js";

class MemoryStorage implements Storage {
  [name: string]: unknown;
  readonly items = new Map<string, string>();
  full = false;
  get length(): number {
    return this.items.size;
  }
  clear(): void {
    this.items.clear();
  }
  key(index: number): string | null {
    return [...this.items.keys()][index] ?? null;
  }
  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    if (this.full) throw new DOMException("full", "QuotaExceededError");
    this.items.set(key, value);
  }
  removeItem(key: string): void {
    this.items.delete(key);
  }
}

const write = (mutation: string): Write => ({ kind: "remove", mutation, id: "o1", tries: 0, serverErrors: 0, seen: blank("o1") });

/** Opens the outbox, and saves what it takes over as a store does; returns the mutations, those of later included. */
async function open(outbox: Outbox): Promise<string[]> {
  const taken: Write[] = [];
  const mutations: string[] = [];
  await outbox.open(({ writes }) => {
    taken.push(...writes);
    mutations.push(...writes.map(({ mutation }) => mutation));
    outbox.save({ writes: taken, rejectedWrites: [] });
  });
  return mutations;
}

/** Locks as in a browser: held until the holder's promise settles, and granted after a moment. */
function locks(): Pick<LockManager, "request"> {
  const held = new Map<string, Promise<unknown>>();
  const request = async (name: string, ...rest: unknown[]): Promise<unknown> => {
    const work = rest.at(-1) as (lock: unknown) => unknown;
    const { signal, ifAvailable } = (rest.length > 1 ? rest[0] : {}) as LockOptions;
    await Promise.resolve();
    if (ifAvailable && held.has(name)) return work(null);
    while (held.has(name)) {
      const aborted = new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("aborted"))));
      await Promise.race([held.get(name), aborted]);
    }
    const done = Promise.resolve(work({ name })).finally(() => held.delete(name));
    held.set(name, done);
    return done;
  };
  return { request: request as LockManager["request"] };
}

afterEach(() => vi.unstubAllGlobals());

test("the next page takes over the writes of a closed page, once", async () => {
  vi.stubGlobal("navigator", {});
  const storage = new MemoryStorage();
  const first = new Outbox(storage, "ana", "b1");
  await open(first);
  first.save({ writes: [write("m1")], rejectedWrites: [] });
  expect(await open(new Outbox(storage, "bruno", "b1"))).toEqual([]);
  expect(await open(new Outbox(storage, "ana", "b2"))).toEqual([]);
  const second = new Outbox(storage, "ana", "b1");
  expect(await open(second)).toEqual(["m1"]);
  expect(storage.length).toBe(1);
  second.save({ writes: [], rejectedWrites: [] });
  expect(storage.length).toBe(0);
});

test("a page that is open keeps its writes; when it closes, one of the others takes them over", async () => {
  vi.stubGlobal("navigator", { locks: locks() });
  const storage = new MemoryStorage();
  const first = new Outbox(storage, "ana", "b1");
  await open(first);
  first.save({ writes: [write("m1")], rejectedWrites: [] });
  const others = [new Outbox(storage, "ana", "b1"), new Outbox(storage, "ana", "b1")];
  const taken = await Promise.all(others.map(open));
  expect(taken).toEqual([[], []]);
  first.close();
  await vi.waitFor(() => expect(taken.flat()).toEqual(["m1"]));
  expect(storage.length).toBe(1);
});

test("a page that has closed takes nothing over, and keeps no lock that it was granted later", async () => {
  vi.stubGlobal("navigator", { locks: locks() });
  const storage = new MemoryStorage();
  storage.setItem("boardcast:writes:ana:b1:gone", JSON.stringify({ writes: [write("m1")], rejectedWrites: [] }));
  const closing = new Outbox(storage, "ana", "b1");
  const taken = open(closing);
  closing.save({ writes: [write("m2")], rejectedWrites: [] });
  closing.close();
  expect(await taken).toEqual([]);
  expect((await open(new Outbox(storage, "ana", "b1"))).sort()).toEqual(["m1", "m2"]);
});

test("storage may be full, corrupt, or missing", async () => {
  vi.stubGlobal("navigator", {});
  const storage = new MemoryStorage();
  storage.setItem("boardcast:writes:ana:b1:corrupt", "{");
  const outbox = new Outbox(storage, "ana", "b1");
  expect(await open(outbox)).toEqual([]);
  storage.full = true;
  outbox.save({ writes: [write("m1")], rejectedWrites: [] });
  expect(await open(new Outbox(undefined, "ana", "b1"))).toEqual([]);
  const drafts = new Drafts(storage, "ana");
  drafts.put("o1", { base: null, changes: { title: "typed" } });
  expect(drafts.get("o1")?.changes).toEqual({ title: "typed" });
  drafts.drop("o1");
  expect(drafts.get("o1")).toBeNull();
});
