import { expect, test } from "vitest";
import { atOnce, DeliveryQueue } from "../src/deliveryQueue.js";
import type { Delivery } from "../src/types.js";

const delivery = (cursor: string): Delivery => ({ messages: [], cursor });

test("without a schedule, each delivery is applied at once", () => {
  const applied: string[][] = [];
  const queue = new DeliveryQueue(atOnce, (all) => applied.push(all.map(({ cursor }) => cursor ?? "")));
  queue.push(delivery("a"));
  queue.push(delivery("b"));
  expect(applied).toEqual([["a"], ["b"]]);
});

test("what arrives during a frame is applied together and in order, and asked for once", () => {
  const applied: string[][] = [];
  let runs: (() => void)[] = [];
  const queue = new DeliveryQueue(
    (run) => {
      runs.push(run);
      return () => undefined;
    },
    (all) => applied.push(all.map(({ cursor }) => cursor ?? "")),
  );
  const frame = (): void => {
    const due = runs;
    runs = [];
    for (const run of due) run();
  };
  for (const cursor of ["a", "b", "c"]) queue.push(delivery(cursor));
  expect(runs).toHaveLength(1);
  frame();
  expect(applied).toEqual([["a", "b", "c"]]);
  queue.push(delivery("d"));
  frame();
  frame();
  expect(applied).toEqual([["a", "b", "c"], ["d"]]);
});

test("a flush cancels the schedule, and so does the end", () => {
  const applied: number[] = [];
  let cancelled = 0;
  const queue = new DeliveryQueue(
    () => () => cancelled++,
    (all) => applied.push(all.length),
  );
  queue.push(delivery("a"));
  queue.flush();
  queue.flush();
  queue.push(delivery("b"));
  queue.clear();
  expect([applied, cancelled]).toEqual([[1], 2]);
});
