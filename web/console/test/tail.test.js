import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { api, ApiError } from "../page/api.js";
import { MAX_ROWS_PAGED, MAX_ROWS, Tail } from "../page/log/tail.js";

/** The log of a service, oldest change first, and the streams that follow it. */
class Service {
  log = [];
  streams = [];

  write(count) {
    const added = Array.from({ length: count }, (_, index) => ({ seq: (this.log.at(-1)?.seq ?? 0) + index + 1 }));
    this.log.push(...added);
    return added;
  }

  page(before, limit) {
    const below = this.log.filter((change) => before === null || change.seq < before).toReversed();
    const changes = below.slice(0, limit);
    return { changes, next: below.length > limit ? changes.at(-1).seq : null, back: null, whole: true, cursor: before === null ? `c${below[0]?.seq ?? 0}` : null };
  }

  /** Write, and send the changes to the stream. */
  publish(count) {
    const changes = this.write(count);
    this.stream.send("changes", { changes }, `c${changes.at(-1).seq}`);
    return changes;
  }

  get stream() {
    return this.streams.at(-1);
  }
}

class Stream {
  closed = false;
  #listeners = new Map();

  constructor(cursor) {
    this.cursor = cursor;
  }
  addEventListener(name, listener) {
    this.#listeners.set(name, listener);
  }
  send(name, data, lastEventId = "") {
    this.#listeners.get(name)({ data: JSON.stringify(data), lastEventId });
  }
  close() {
    this.closed = true;
  }
}

const seqs = (changes) => changes.map((change) => change.seq);
/** The numbers from `from` descending to `to`. */
const descending = (from, to) => Array.from({ length: from - to + 1 }, (_, index) => from - index);

let service, tail, refused;

beforeEach(async () => {
  vi.useFakeTimers();
  service = new Service();
  service.write(250);
  vi.spyOn(api, "log").mockImplementation(async (_, before, limit = 100) => service.page(before, limit));
  vi.spyOn(api, "stream").mockImplementation((_, cursor) => {
    service.streams.push(new Stream(cursor));
    return service.stream;
  });
  vi.spyOn(api, "me").mockResolvedValue({});
  refused = vi.fn();
  tail = new Tail({}, () => {}, refused);
  await tail.load();
  service.stream.send("ready", {}, "c250");
});

afterEach(() => {
  tail.stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Load all older pages. */
async function loadAll() {
  while (tail.next !== null && tail.rows.length < MAX_ROWS_PAGED) await tail.older();
}

test("the newest changes are shown, and new ones appear above them", async () => {
  expect(seqs(tail.rows)).toEqual(descending(250, 151));
  expect(tail.state).toBe("live");
  service.publish(2);
  expect(seqs(tail.rows)).toEqual(descending(252, 151));
  await loadAll();
  expect(seqs(tail.rows)).toEqual(descending(252, 1));
});

test("a lost connection resumes at the newest cursor, and repeated changes are shown once", async () => {
  service.publish(1);
  const missed = service.write(2);
  service.stream.onerror();
  expect(tail.state).toBe("lost");
  await vi.advanceTimersByTimeAsync(2000);
  expect(service.stream.cursor).toBe("c251");
  service.stream.send("changes", { changes: [{ seq: 251 }, ...missed] }, "c253");
  expect(tail.state).toBe("live");
  expect(seqs(tail.rows).slice(0, 4)).toEqual(descending(253, 250));
});

test("a silent stream is closed", async () => {
  const silent = service.stream;
  await vi.advanceTimersByTimeAsync(26_000);
  expect(silent.closed).toBe(true);
  await vi.advanceTimersByTimeAsync(2000);
  expect(service.streams).toHaveLength(2);
});

test("an expired session leads to the sign-in, and requests stop", async () => {
  api.me.mockRejectedValue(new ApiError("expired-token"));
  service.stream.onerror();
  await vi.advanceTimersByTimeAsync(1000);
  service.stream.onerror();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(refused).toHaveBeenCalledOnce();
  expect(service.streams).toHaveLength(2);
});

test("changes during a pause wait, and are counted", () => {
  tail.hold("paused", true);
  service.publish(3);
  tail.hold("scrolled", true);
  service.publish(1);
  expect(seqs(tail.rows)[0]).toBe(250);
  expect(seqs(tail.waiting)).toEqual(descending(254, 251));
  tail.hold("paused", false);
  expect(tail.waiting).toHaveLength(4);
  tail.hold("scrolled", false);
  expect(tail.waiting).toHaveLength(0);
  expect(seqs(tail.rows)).toEqual(descending(254, 151));
});

test("the number of rows is limited, and dropped rows are found again", async () => {
  service.publish(2000);
  expect(seqs(tail.rows)).toEqual(descending(2250, 1251));
  expect(tail.rows).toHaveLength(MAX_ROWS);
  await loadAll();
  expect(seqs(tail.rows)).toEqual(descending(2250, 1));
});

test("a pause with more changes than can wait loses nothing", async () => {
  tail.hold("paused", true);
  for (let index = 0; index < 15; index++) service.publish(100);
  expect(tail.waiting).toHaveLength(MAX_ROWS);
  expect(tail.waitedMore).toBe(true);
  await tail.older(); // below the visible rows, not below the waiting ones
  expect(seqs(tail.rows)).toEqual(descending(250, 51));
  tail.hold("paused", false);
  expect(seqs(tail.rows)).toEqual(descending(1750, 751));
  await loadAll();
  expect(seqs(tail.rows)).toEqual(descending(1750, 1));
});

test("after a reset the log is reloaded, with a note", async () => {
  service.log = [{ seq: 1 }];
  service.stream.send("reset", { reason: "foreign" }, "c1");
  await vi.advanceTimersByTimeAsync(0);
  expect(seqs(tail.rows)).toEqual([1]);
  expect(tail.note).toBe("reset");
  expect(service.stream.cursor).toBe("c1");
});

test("an unreachable database is shown until it is back", () => {
  service.stream.send("trouble", { detail: "" });
  expect(tail.state).toBe("trouble");
  service.stream.send("heartbeat", { trouble: false }, "c250");
  expect(tail.state).toBe("live");
});

test("a failed request is repeated, unless it is invalid", async () => {
  api.log.mockRejectedValueOnce(new ApiError("database-unavailable"));
  void tail.load();
  await vi.advanceTimersByTimeAsync(0);
  expect([tail.state, tail.error.slug]).toEqual(["failed", "database-unavailable"]);
  await vi.advanceTimersByTimeAsync(5000);
  service.stream.send("ready", {}, "c250");
  expect([tail.state, tail.error]).toEqual(["live", null]);
  api.log.mockRejectedValue(new ApiError("invalid-input", { errors: [{ pointer: "/since", detail: "must be a time" }] }));
  void tail.load();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(tail.state).toBe("failed");
});

test("a period with an end is not followed", async () => {
  const past = new Tail({ until: "1h" }, () => {}, refused);
  await past.load();
  expect(past.state).toBe("fixed");
  expect(service.streams).toHaveLength(1);
});
