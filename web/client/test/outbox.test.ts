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
const names = (stored: { writes: readonly Write[] }): string[] => stored.writes.map(({ mutation }) => mutation).sort();

/** Locks as in a browser: held until the holder's promise settles. */
function locks(): Pick<LockManager, "request"> {
  const held = new Map<string, Promise<unknown>>();
  const request = async (name: string, ...rest: unknown[]): Promise<unknown> => {
    const work = rest.at(-1) as (lock: unknown) => unknown;
    const { signal } = (rest.length > 1 ? rest[0] : {}) as LockOptions;
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
  await first.open();
  first.save({ writes: [write("m1")], rejectedWrites: [] });
  expect(names(await new Outbox(storage, "bruno", "b1").open())).toEqual([]);
  expect(names(await new Outbox(storage, "ana", "b2").open())).toEqual([]);
  const second = new Outbox(storage, "ana", "b1");
  expect(names(await second.open())).toEqual(["m1"]);
  expect(storage.length).toBe(1);
  second.save({ writes: [], rejectedWrites: [] });
  expect(storage.length).toBe(0);
});

test("a page that is open keeps its writes", async () => {
  vi.stubGlobal("navigator", { locks: locks() });
  const storage = new MemoryStorage();
  const first = new Outbox(storage, "ana", "b1");
  await first.open();
  first.save({ writes: [write("m1")], rejectedWrites: [] });
  expect(names(await new Outbox(storage, "ana", "b1").open())).toEqual([]);
  const next = new Outbox(storage, "ana", "b1").open();
  first.close();
  expect(names(await next)).toEqual(["m1"]);
});

test("storage may be full, corrupt, or missing", async () => {
  vi.stubGlobal("navigator", {});
  const storage = new MemoryStorage();
  storage.setItem("boardcast:writes:ana:b1:corrupt", "{");
  const outbox = new Outbox(storage, "ana", "b1");
  expect(names(await outbox.open())).toEqual([]);
  storage.full = true;
  outbox.save({ writes: [write("m1")], rejectedWrites: [] });
  expect(names(await new Outbox(undefined, "ana", "b1").open())).toEqual([]);
  const drafts = new Drafts(storage, "ana");
  drafts.put("o1", { base: null, changes: { title: "typed" } });
  expect(drafts.get("o1")?.changes).toEqual({ title: "typed" });
  drafts.drop("o1");
  expect(drafts.get("o1")).toBeNull();
});
