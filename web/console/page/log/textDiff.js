// The part in which two texts differ, between their common start and their common end; and the texts of values to compare.

import { Digits } from "../api.js";

/**
 * Where the difference to another text begins and ends.
 * @param {string} own @param {string} other @returns {[number, number]}
 */
export function changedRange(own, other) {
  const most = Math.min(own.length, other.length);
  let head = 0;
  while (head < most && own[head] === other[head]) head++;
  let tail = 0;
  while (tail < most - head && own[own.length - 1 - tail] === other[other.length - 1 - tail]) tail++;
  let end = own.length - tail;
  // Do not split a pair of surrogates.
  if (head > 0 && low(own, head)) head--;
  if (end < own.length && low(own, end)) end++;
  return [head, end];
}

/** @param {string} text @param {number} at */
const low = (text, at) => {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
};

/**
 * The text of a column's value; undefined: the row has no such column.
 * @param {unknown} value
 */
export function text(value) {
  if (value === undefined || typeof value === "string") return value;
  if (value instanceof Digits) return value.text;
  return written(value, "");
}

/**
 * Indented JSON, with the original digits of numbers.
 * @param {unknown} value @param {string} indent @returns {string}
 */
function written(value, indent) {
  if (value instanceof Digits) return value.text;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((each) => deeper + written(each, deeper))
    : Object.entries(value).map(([name, each]) => `${deeper}${JSON.stringify(name)}: ${written(each, deeper)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return parts.length ? `${open}\n${parts.join(",\n")}\n${indent}${close}` : `${open}${close}`;
}
