// The time between two timestamps, with the microseconds that a Date does not have.

import { duration } from "../i18n.js";

/** @param {string} at as PostgreSQL writes it into JSON */
function microseconds(at) {
  const fraction = /\.(\d{1,6})/.exec(at)?.[1] ?? "";
  return Math.floor(Date.parse(at) / 1000) * 1_000_000 + Number(fraction.padEnd(6, "0"));
}

/** @param {string} begin @param {string} at */
export function elapsed(begin, at) {
  const between = microseconds(at) - microseconds(begin);
  return between === 0 ? "" : `${between > 0 ? "+" : "−"}${duration(Math.abs(between) / 1_000_000)}`;
}
