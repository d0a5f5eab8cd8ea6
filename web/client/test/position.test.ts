import { expect, test } from "vitest";
import { between, place, spread, valid } from "../src/position.js";

const column = (...positions: string[]) => positions.map((position, at) => ({ id: `c${at}`, position }));

/** The order of a column after a card is put at an index. */
function after(cards: { id: string; position: string }[], index: number): string[] {
  const placed = new Map(place(cards, index, "x").map((one) => [one.id, one.position]));
  const all = [...cards.map(({ id, position }) => ({ id, position: placed.get(id) ?? position })), { id: "x", position: placed.get("x") ?? "" }];
  all.sort((one, other) => (one.position < other.position ? -1 : one.position > other.position ? 1 : one.id < other.id ? -1 : 1));
  for (const { position } of all.filter(({ id }) => placed.has(id))) expect(valid(position)).toBe(true);
  return all.map(({ id }) => id);
}

function expected(length: number, index: number): string[] {
  const ids = Array.from({ length }, (_, at) => `c${at}`);
  return [...ids.slice(0, index), "x", ...ids.slice(index)];
}

test("keys are those of the fractional-indexing package", () => {
  expect([between(null, null), between("a0", null), between("az", null)]).toEqual(["a0", "a1", "b00"]);
  expect([between(null, "a0"), between(null, "Zz"), between("a0", "a1"), between("a0", "a0V"), between("Zz", "a1")]).toEqual(["Zz", "Zy", "a0V", "a0G", "a0"]);
  expect([between("a0V", "a1"), between("b125", "b129"), between("Zz", "a01"), between(null, "a0V")]).toEqual(["a0l", "b127", "a0", "a0"]);
});

test("a key between any two is valid and sorts between them", () => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
  const keys: string[] = [];
  for (let step = 0; step < 3000; step++) {
    const at = random(keys.length + 1);
    const [low, high] = [keys[at - 1] ?? null, keys[at] ?? null];
    const key = between(low, high);
    expect(valid(key)).toBe(true);
    expect((low === null || low < key) && (high === null || key < high)).toBe(true);
    keys.splice(at, 0, key);
  }
});

test("several keys at once are in order", () => {
  for (const [low, high] of [[null, null], ["a0", null], [null, "a0"], ["a0", "a1"]] as const) {
    const keys = spread(low, high, 20);
    expect([...keys].sort()).toEqual(keys);
    expect(new Set(keys).size).toBe(20);
    expect(keys.every(valid)).toBe(true);
  }
});

test("usually only the moved card changes", () => {
  const cards = column("a0", "a1", "a2");
  for (const index of [0, 1, 2, 3]) {
    expect(place(cards, index, "x")).toHaveLength(1);
    expect(after(cards, index)).toEqual(expected(3, index));
  }
  expect(place([], 0, "x")).toEqual([{ id: "x", position: "a0" }]);
});

test("between equal keys, as few cards as possible change", () => {
  const cards = column("a0", "a1", "a1", "a2", "a3");
  expect(place(cards, 2, "x").length).toBeLessThanOrEqual(3);
  expect(after(cards, 2)).toEqual(expected(5, 2));
  const equal = column("a0", "a0", "a0", "a0");
  for (const index of [0, 1, 2, 3, 4]) expect(after(equal, index)).toEqual(expected(4, index));
});

test("keys from another program are replaced", () => {
  const cards = column("1000", "2000", "3000");
  for (const index of [0, 1, 2, 3]) expect(after(cards, index)).toEqual(expected(3, index));
});

test("keys do not grow without limit", () => {
  let cards = column("a0", "a1");
  for (let step = 0; step < 500; step++) {
    const placed = new Map(place(cards, 1, `n${step}`).map((one) => [one.id, one.position]));
    cards = [...cards.map(({ id, position }) => ({ id, position: placed.get(id) ?? position })), { id: `n${step}`, position: placed.get(`n${step}`) ?? "" }];
    cards.sort((one, other) => (one.position < other.position ? -1 : 1));
    expect(cards[1]?.id).toBe(`n${step}`);
  }
  expect(Math.max(...cards.map(({ position }) => position.length))).toBeLessThanOrEqual(60);
});
