// The charts: their columns, the format of their numbers, and where the numbers come from.

import { about, bytes, duration, percent, t } from "../i18n.js";

/** @import { Series } from "../../types" */

/**
 * @typedef {object} Definition
 * @property {string} name
 * @property {string} title
 * @property {Exclude<keyof Series, "step">} part of the response
 * @property {{ column: string, label: string }[]} lines
 * @property {(value: number) => string} format
 * @property {"zero" | "count" | "log" | "near"} scale from zero; the same in whole numbers; logarithmic; around the values
 * @property {string} note where the numbers come from
 */

/** @param {number} value */
const rate = (value) => t("rate", { value: about(value) });

/** @returns {Definition[]} */
export const definitions = () => [
  {
    name: "writes", title: t("writes"), part: "written", scale: "zero", format: rate, note: t("fromLog"),
    lines: [{ column: "changes", label: t("changes") }, { column: "transactions", label: t("transactions") }],
  },
  {
    name: "notify", title: t("notifyRate"), part: "written", scale: "zero", format: rate, note: t("fromLog"),
    lines: [{ column: "notified", label: t("sent") }, { column: "quiet", label: t("skipped") }],
  },
  {
    name: "latency", title: t("latency"), part: "delivered", scale: "log", format: duration, note: t("fromJournal"),
    lines: [{ column: "median", label: t("median") }, { column: "p95", label: t("p95") }, { column: "slowest", label: t("slowest") }],
  },
  {
    name: "deliveries", title: t("deliveries"), part: "delivered", scale: "zero", format: rate, note: t("fromJournal"),
    lines: [{ column: "deliveries", label: t("delivered") }],
  },
  {
    name: "connections", title: t("connections"), part: "gauges", scale: "count", format: about, note: t("fromMemory"),
    lines: [{ column: "connections", label: t("clients") }],
  },
  {
    name: "queue", title: t("queue"), part: "gauges", scale: "zero", format: percent, note: t("fromMemory"),
    lines: [{ column: "queue", label: t("used") }],
  },
  {
    name: "size", title: t("size"), part: "gauges", scale: "near", format: bytes, note: t("fromMemory"),
    lines: [{ column: "log_bytes", label: t("total") }],
  },
];
