import { describe, expect, test } from "vitest";
import { clashing, difference, tidy } from "../src/merge.js";
import { blank, changesOf, coalesce, overlay, rebase, settle, rebaseAfterUndo, type Change, type Write } from "../src/pending.js";
import type { Changes, Opportunity } from "../src/types.js";

const card = (version: number, more: Changes = {}): Opportunity => ({ ...blank("o1"), title: "base", phase: "new", ...more, version_number: version });
const change = (changes: Changes, seen = card(1), tries = 0): Change => ({ kind: "change", mutation: "m", id: "o1", tries, serverErrors: 0, changes, seen });

describe("a three-way merge", () => {
  test("has no clash on fields that only one side changed", () => {
    expect(clashing(card(1), { title: "mine" }, card(2, { company: "theirs" }))).toEqual([]);
    expect(clashing(card(1), { title: "mine" }, card(2, { title: "theirs" }))).toEqual(["title"]);
    expect(clashing(card(1), { title: "both" }, card(2, { title: "both" }))).toEqual([]);
  });

  test("has no clash on a field that was changed and changed back", () => {
    expect(clashing(card(1), { title: "mine" }, card(3))).toEqual([]);
  });

  test("has no clash on positions, but on phases", () => {
    const theirs = card(2, { position: "a5", phase: "won" });
    expect(clashing(card(1), { position: "a7" }, theirs)).toEqual([]);
    expect(clashing(card(1), { position: "a7", phase: "lost" }, theirs)).toEqual(["phase"]);
    expect(clashing(card(1), { notes: "mine" }, theirs)).toEqual([]);
  });

  test("treats null and undefined as equal", () => {
    expect(difference(card(1), { ...card(1), company: null })).toEqual({});
    expect(difference(card(1, { company: "x" }), card(2))).toEqual({ company: null });
    expect(tidy({ title: " x " })).toEqual({ title: "x" });
  });
});

describe("a pending change", () => {
  test("is rebased onto the current card if nobody else changed its fields", () => {
    const mine = change({ title: "mine" });
    const now = card(4, { company: "theirs" });
    expect(rebase(mine, now)).toEqual([]);
    expect(mine.seen).toBe(now);
  });

  test("is not rebased if somebody else changed its fields", () => {
    const mine = change({ title: "mine", value: 3 });
    expect(settle(mine, card(2, { title: "theirs" }))).toEqual(["title"]);
    expect(mine.seen.version_number).toBe(1);
  });

  test("that conflicts only in the notes is merged by the service, once", () => {
    const mine = change({ notes: "mine", value: 3 });
    expect(settle(mine, card(2, { notes: "theirs" }))).toEqual([]);
    expect(mine.resolving).toEqual({ from: 1, how: "lines" });
    mine.unmergeable = true;
    expect(settle(mine, card(2, { notes: "theirs" }))).toEqual(["notes"]);
  });

  test("absorbs later changes until it is sent", () => {
    const first = change({ title: "one" });
    expect(coalesce(first, { title: "two", company: "mine" }, card(3, { title: "one", company: "seen" }))).toBe(true);
    expect(first.changes).toEqual({ title: "two", company: "mine" });
    expect([first.seen.title, first.seen.company, first.seen.version_number]).toEqual(["base", "seen", 1]);
    expect(coalesce(change({ title: "one" }, card(1), 1), { title: "two" }, card(1))).toBe(false);
    expect(coalesce(undefined, { title: "two" }, card(1))).toBe(false);
  });

  test("does not treat the values of an undone write as somebody else's", () => {
    const later = change({ title: "mine" }, card(1, { title: "undone" }));
    rebaseAfterUndo([later], { title: "undone" }, card(1));
    expect(settle(later, card(1))).toEqual([]);
  });
});

test("writes are applied to a card in order", () => {
  const create: Write = { kind: "create", mutation: "c", id: "o1", tries: 0, serverErrors: 0, card: card(0, { title: "created" }) };
  const remove: Write = { kind: "remove", mutation: "r", id: "o1", tries: 0, serverErrors: 0, seen: card(1) };
  const restore: Write = { kind: "restore", mutation: "u", id: "o1", tries: 0, serverErrors: 0, version: null, seen: null, card: card(1) };
  expect(overlay(undefined, [create, change({ title: "changed" })])?.title).toBe("changed");
  expect(overlay(card(5, { title: "known" }), [create])?.title).toBe("known");
  expect(overlay(card(1), [change({ title: "x" }), remove])).toBeUndefined();
  expect(overlay(card(1), [remove, restore])?.title).toBe("base");
  expect(overlay(undefined, [change({ title: "x" })])).toBeUndefined();
  const row = card(1);
  expect(overlay(row, [])).toBe(row);
  expect(changesOf([create, change({ value: 3 }), remove])).toMatchObject({ title: "created", value: 3 });
});
