import { expect, test } from "vitest";
import { readAmount, writeAmount } from "./amount";

test.each([
  ["48.000,50", 48_000.5],
  ["48.000", 48_000],
  ["1.234.567", 1_234_567],
  ["1.234.567,89", 1_234_567.89],
  ["48000,5", 48_000.5],
  ["48.5", 48.5],
  ["48,000.50", 48_000.5],
  ["R$ 1.250", 1250],
  ["0", 0],
  ["", null],
  ["  ", null],
  ["12 mil", undefined],
  ["-5", undefined],
  ["1e9", undefined],
  [",", undefined],
])("in Portuguese %j is %j", (text, value) => {
  expect(readAmount(text, "pt-BR")).toBe(value);
});

test.each([
  ["48,000.50", 48_000.5],
  ["48,000", 48_000],
  ["48.000", 48],
  ["48.000,50", 48_000.5],
])("in English %j is %j", (text, value) => {
  expect(readAmount(text, "en")).toBe(value);
});

test.each([0, 7, 1250.5, 96_500, 999_999_999_999.99])("%j is read as it is written", (value) => {
  for (const language of ["pt-BR", "en"] as const) expect(readAmount(writeAmount(value, language), language)).toBe(value);
});
