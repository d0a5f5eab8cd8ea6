// What is drawn: of each chart its columns, how its numbers are written, and how far back they are known.

import { about, bytes, duration, percent, t } from "../i18n.js";

/** @import { Series } from "../../types" */

/**
 * @typedef {object} Definition
 * @property {string} name
 * @property {string} title
 * @property {Exclude<keyof Series, "step">} part of the answer
 * @property {{ column: string, label: string }[]} lines
 * @property {(value: number) => string} written
 * @property {"zero" | "count" | "log" | "near"} scale from zero on; the same in whole numbers; by powers of ten; as near as the values are
 * @property {string} note where the numbers are from
 */

/** @param {number} value */
const rate = (value) => t("rate", { value: about(value) });

/** @returns {Definition[]} */
export const definitions = () => [
  {
    name: "writes", title: t("writes"), part: "written", scale: "zero", written: rate, note: t("fromLog"),
    lines: [{ column: "changes", label: t("changes") }, { column: "transactions", label: t("transactions") }],
  },
  {
    name: "bell", title: t("bells"), part: "written", scale: "zero", written: rate, note: t("fromLog"),
    lines: [{ column: "rang", label: t("rung") }, { column: "quiet", label: t("skipped") }],
  },
  {
    name: "latency", title: t("latency"), part: "told", scale: "log", written: duration, note: t("fromSweeps"),
    lines: [{ column: "median", label: t("median") }, { column: "p95", label: t("p95") }, { column: "slowest", label: t("slowest") }],
  },
  {
    name: "deliveries", title: t("deliveries"), part: "told", scale: "zero", written: rate, note: t("fromSweeps"),
    lines: [{ column: "deliveries", label: t("delivered") }],
  },
  {
    name: "connections", title: t("connections"), part: "gauges", scale: "count", written: about, note: t("fromHub"),
    lines: [{ column: "connections", label: t("clients") }],
  },
  {
    name: "queue", title: t("queue"), part: "gauges", scale: "zero", written: percent, note: t("fromHub"),
    lines: [{ column: "queue", label: t("used") }],
  },
  {
    name: "size", title: t("size"), part: "gauges", scale: "near", written: bytes, note: t("fromHub"),
    lines: [{ column: "log_bytes", label: t("total") }],
  },
];
