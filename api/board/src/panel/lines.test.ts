import { expect, test } from "vitest";
import { both, lines } from "./lines";

test("a changed line is one that went and one that came", () => {
  expect(lines("um\ndois\ntrês", "um\n2\ntrês")).toEqual([
    { kind: "same", text: "um" },
    { kind: "removed", text: "dois" },
    { kind: "added", text: "2" },
    { kind: "same", text: "três" },
  ]);
});

test("whether the last line ends, and how, is no difference", () => {
  expect(lines("um\r\ndois", "um\ndois\n")).toEqual([{ kind: "folded", count: 2 }]);
});

test("nothing was there before", () => {
  expect(lines("", "um\n\ndois")).toEqual(["um", "", "dois"].map((text) => ({ kind: "added", text })));
});

test("what stays is folded away from the changes", () => {
  const long = Array.from({ length: 20 }, (_, index) => `linha ${index}`);
  const told = lines(["antes", ...long, "fim"].join("\n"), ["depois", ...long, "fim"].join("\n"));
  expect(told.slice(2)).toEqual([{ kind: "same", text: "linha 0" }, { kind: "same", text: "linha 1" }, { kind: "folded", count: 19 }]);
});

test("both texts have all their lines", () => {
  expect(both("um\ndois de Ana\ntrês", "um\ndois de Bruno\ntrês")).toBe("um\ndois de Ana\ndois de Bruno\ntrês");
});
