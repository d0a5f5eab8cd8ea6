import { expect, test } from "vitest";
import { say, type Phrase } from "../i18n/phrases";
import type { Translate } from "../i18n";
import { faults } from "./faults";
import { length } from "./fields";
import { en } from "./words.en";

const t = ((key: keyof typeof en, values?: Record<string, string | number>) => say(en[key] as Phrase, new Intl.PluralRules("en"), values)) as Translate;

function refused(...errors: { pointer: string; code: string; detail: string }[]) {
  return faults({ code: "invalid-input", message: "", errors }, t);
}

test("each fault stands at its field, in plain words", () => {
  const { fields, whole } = refused(
    { pointer: "/title", code: "string_too_long", detail: "String should have at most 300 characters" },
    { pointer: "/value", code: "decimal_max_places", detail: "…" },
    { pointer: "/probability", code: "less_than_equal", detail: "…" },
  );
  expect(whole).toBeNull();
  expect(fields.title).toMatch(/^At most 300 characters/);
  expect(fields.value).toMatch(/^An amount/);
  expect(fields.probability).toBe("A whole number from 0 to 100.");
});

test("a fault of no field that is shown is told of the whole", () => {
  expect(refused({ pointer: "/position", code: "value_error", detail: "…" })).toEqual({ fields: {}, whole: "Some of it is not as it should be." });
  expect(faults({ code: "read-only", message: "" }, t).whole).toMatch(/^You may read/);
  expect(faults({ code: "teapot", message: "I am one" }, t).whole).toBe("The server says: I am one");
});

test("characters are counted as PostgreSQL counts them", () => {
  expect(length("🌱🌱")).toBe(2);
});
