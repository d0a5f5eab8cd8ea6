import { expect, test } from "vitest";
import { link, only, where } from "../page/address.js";

test("an address is parsed, and unknown values are ignored", () => {
  expect(where("?view=charts&range=6h&actor=ana&change=7&colour=red")).toEqual({ view: "charts", range: "6h", change: "7", filters: { actor: "ana" } });
  expect(where("?view=kitchen&range=1y&actor=")).toEqual({ view: "log", range: "1h", change: null, filters: {} });
});

test("a link keeps other parameters; a link to the log keeps only its filters", () => {
  expect(link({ change: 7 }, "?actor=ana")).toBe("?actor=ana&change=7");
  expect(link({ change: null }, "?change=7")).toBe("?");
  expect(where(only({ xid: "762", change: 7 }, "?view=feed&actor=ana&since=1h"))).toEqual({ view: "log", range: "1h", change: "7", filters: { xid: "762" } });
  expect(where(link({ text: "a & b=c" }, "")).filters).toEqual({ text: "a & b=c" });
});
