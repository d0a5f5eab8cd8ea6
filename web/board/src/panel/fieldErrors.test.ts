import { expect, test } from "vitest";
import { render, type Template } from "../i18n/templates";
import type { Translate } from "../i18n";
import { fieldErrors } from "./fieldErrors";
import { length } from "./fields";
import { en } from "./words.en";

const t = ((key: keyof typeof en, values?: Record<string, string | number>) => render(en[key] as Template, new Intl.PluralRules("en"), values)) as Translate;

function rejected(...errors: { pointer: string; code: string; detail: string }[]) {
  return fieldErrors({ code: "invalid-input", message: "", errors }, t);
}

test("each error is at its field, in plain words", () => {
  const { fields, whole } = rejected(
    { pointer: "/title", code: "string_too_long", detail: "String should have at most 300 characters" },
    { pointer: "/value", code: "decimal_max_places", detail: "…" },
    { pointer: "/probability", code: "less_than_equal", detail: "…" },
  );
  expect(whole).toBeNull();
  expect(fields.title).toMatch(/^Use at most 300 characters/);
  expect(fields.value).toMatch(/^Enter an amount/);
  expect(fields.probability).toBe("Enter a whole number from 0 to 100.");
});

test("an error of a hidden field is reported for the whole deal", () => {
  expect(rejected({ pointer: "/position", code: "value_error", detail: "…" })).toEqual({ fields: {}, whole: "Some values are not valid." });
  expect(fieldErrors({ code: "read-only", message: "" }, t).whole).toMatch(/^You can view/);
  expect(fieldErrors({ code: "teapot", message: "I am one" }, t).whole).toBe("The server responded: I am one");
});

test("characters are counted as PostgreSQL counts them", () => {
  expect(length("🌱🌱")).toBe(2);
});
