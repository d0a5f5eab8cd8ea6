// Which part of the log is kept, and for how long.

import { h } from "../dom.js";
import { bytes, duration, number, shortMoment, t } from "../i18n.js";

/** @import { Definition } from "./panel.js" */

/** @type {Definition} */
export const retention = {
  name: "retention",
  headings: [
    { name: t("partition") }, { name: t("firstChange") }, { name: t("lastChange") }, { name: t("seqs"), figures: true },
    { name: t("rows"), figures: true }, { name: t("size"), figures: true },
  ],
  rows: (overview) => overview.retention.map((row) => [
    row.partition,
    moment(row.first_at),
    moment(row.last_at),
    row.first_seq === null || row.last_seq === null ? "–" : `${number(row.first_seq)} – ${number(row.last_seq)}`,
    number(row.changes),
    bytes(row.bytes),
  ]),
  beside: (overview) => h("span", { class: "soft" }, t("kept", { time: duration(overview.retention_seconds) })),
};

/** @param {string | null} at */
const moment = (at) => (at === null ? "–" : h("time", { datetime: at }, shortMoment(new Date(at))));
