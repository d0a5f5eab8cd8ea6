import { expect, test } from "vitest";
import { lineDiff, mergeLines } from "./lineDiff";

test("a changed line is a removed one and an added one", () => {
  expect(lineDiff("um\ndois\ntrês", "um\n2\ntrês")).toEqual([
    { kind: "same", text: "um" },
    { kind: "removed", text: "dois" },
    { kind: "added", text: "2" },
    { kind: "same", text: "três" },
  ]);
});

test("line endings, and a missing last one, are no difference", () => {
  expect(lineDiff("um\r\ndois", "um\ndois\n")).toEqual([{ kind: "folded", count: 2 }]);
});

test("an empty text before", () => {
  expect(lineDiff("", "um\n\ndois")).toEqual(["um", "", "dois"].map((text) => ({ kind: "added", text })));
});

test("unchanged lines away from changes are folded", () => {
  const long = Array.from({ length: 20 }, (_, index) => `linha ${index}`);
  const found = lineDiff(["antes", ...long, "fim"].join("\n"), ["depois", ...long, "fim"].join("\n"));
  expect(found.slice(2)).toEqual([{ kind: "same", text: "linha 0" }, { kind: "same", text: "linha 1" }, { kind: "folded", count: 19 }]);
});

test("merging keeps the lines of both texts", () => {
  expect(mergeLines("um\ndois de Ana\ntrês", "um\ndois de Bruno\ntrês")).toBe("um\ndois de Ana\ndois de Bruno\ntrês");
});
