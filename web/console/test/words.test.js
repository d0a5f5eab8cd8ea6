import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bytes, duration, t } from "../page/i18n.js";
import { verdict } from "../page/feed/health.js";
import { en } from "../page/words.en.js";
import { pt } from "../page/words.pt.js";

const names = (text) => [...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("texts have the same names in both languages", () => {
  expect(Object.keys(pt).sort()).toEqual(Object.keys(en).sort());
  for (const key of Object.keys(en)) expect([key, new Set(names(pt[key]))]).toEqual([key, new Set(names(en[key]))]);
});

test("each text is used", () => {
  const page = join(import.meta.dirname, "..", "page");
  const files = readdirSync(page, { recursive: true }).filter((name) => name.endsWith(".js") && !/vendor|words\./.test(name));
  const code = files.map((name) => readFileSync(join(page, name), "utf8")).join("\n");
  // Filters, states, views, and statuses have the same names as their texts.
  expect(Object.keys(en).filter((key) => !new RegExp(`["\\s{,]${key}["\\s:,]`).test(code))).toEqual([]);
});

test("singular and plural, sizes and times", () => {
  expect([t("shown", { count: 1 }), t("shown", { count: 1234 })]).toEqual(["1 change", "1,234 changes"]);
  expect([bytes(0), bytes(1536), bytes(1024 ** 3 * 1.5)]).toEqual(["0 B", "1.5 kB", "1.5 GB"]);
  expect([0, 0.00011, 0.0127, 9.35, 600, 90_000, 90 * 86_400].map(duration)).toEqual(["0 s", "110 µs", "12.7 ms", "9.35 s", "10 min", "25 h", "90 days"]);
});

test("the verdict is the worst status and its count", () => {
  const checks = (...statuses) => statuses.map((status) => ({ topic: "", status, found: null, fix: null }));
  expect(verdict(checks("ok", "warning", "bad", "bad"))).toEqual({ worst: "bad", word: "2 problems" });
  expect(verdict(checks("ok", "unknown", "warning"))).toEqual({ worst: "warning", word: "1 warning" });
  expect(verdict(checks("ok", "unknown"))).toEqual({ worst: "unknown", word: "Health unknown" });
  expect(verdict(checks("ok"))).toEqual({ worst: "ok", word: "No problems" });
});
