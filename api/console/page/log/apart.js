// Where two texts differ: what stands between their common beginning and their common end; and how a value is written so that two can be compared.

import { Digits } from "../api.js";

/**
 * Where a text begins to differ from another, and where it ends to.
 * @param {string} own @param {string} other @returns {[number, number]}
 */
export function apart(own, other) {
  const most = Math.min(own.length, other.length);
  let head = 0;
  while (head < most && own[head] === other[head]) head++;
  let tail = 0;
  while (tail < most - head && own[own.length - 1 - tail] === other[other.length - 1 - tail]) tail++;
  let end = own.length - tail;
  // Neither half of a pair of surrogates is a character.
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
 * A value of a column as text; undefined: the row has no such column.
 * @param {unknown} value
 */
export function text(value) {
  if (value === undefined || typeof value === "string") return value;
  if (value instanceof Digits) return value.text;
  return written(value, "");
}

/**
 * JSON in lines, with numbers as they came.
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
