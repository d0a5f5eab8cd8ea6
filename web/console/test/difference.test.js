import { expect, test } from "vitest";
import { exact } from "../page/api.js";
import { changedRange, text } from "../page/log/textDiff.js";
import { elapsed } from "../page/log/elapsed.js";

const marked = (own, other) => {
  const [from, to] = changedRange(own, other);
  return `${own.slice(0, from)}[${own.slice(from, to)}]${own.slice(to)}`;
};

test("the difference between two texts is marked", () => {
  expect([marked("184000.00", "184857.00"), marked("184857.00", "184000.00")]).toEqual(["184[000].00", "184[857].00"]);
  expect([marked("aa", "aaa"), marked("aaa", "aa")]).toEqual(["aa[]", "aa[a]"]);
  expect([marked("", "x"), marked("x", "")]).toEqual(["[]", "[x]"]);
  expect(marked("same", "same")).toBe("same[]");
});

test("surrogate pairs are not split", () => {
  expect([marked("a😀b", "a😁b"), marked("a😁b", "a😀b")]).toEqual(["a[😀]b", "a[😁]b"]);
});

let sources = false;
JSON.parse("1", (_, __, context) => (sources = context !== undefined));

test.skipIf(!sources)("numbers are shown as PostgreSQL wrote them, if the engine gives their source text", () => {
  const row = exact('{"value": 36600.00, "big": 12345678901234567890, "list": [1.50]}');
  expect(Object.values(row).map(text)).toEqual(["36600.00", "12345678901234567890", "[\n  1.50\n]"]);
});

test("values of all kinds are shown", () => {
  const row = exact('{"n": 7, "name": "x", "none": null, "tags": {"a": ["b", null], "c": {}}}');
  expect(Object.values(row).map(text)).toEqual(["7", "x", "null", '{\n  "a": [\n    "b",\n    null\n  ],\n  "c": {}\n}']);
  expect(text(row.other)).toBeUndefined();
});

test("microseconds between two timestamps", () => {
  expect(elapsed("2026-11-27T17:02:05.379123+00:00", "2026-11-27T17:02:05.379233+00:00")).toBe("+110 µs");
  expect(elapsed("2026-11-27T17:02:05.9+00:00", "2026-11-27T17:02:06.1+00:00")).toBe("+200 ms");
  expect(elapsed("2026-11-27T17:02:06+00:00", "2026-11-27T17:02:05.5+00:00")).toBe("−500 ms");
  expect(elapsed("2026-11-27T17:02:05+00:00", "2026-11-27T14:02:05-03:00")).toBe("");
});
