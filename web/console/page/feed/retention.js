// Which part of the log is kept, and for how long.

import { h } from "../dom.js";
import { bytes, duration, number, shortMoment, t } from "../i18n.js";
import { Panel } from "./panel.js";

/** @import { Overview } from "../../types" */

export class Retention {
  #panel = new Panel("retention", t("retention"));
  node = this.#panel.node;

  /** @param {Overview} overview */
  show({ retention, retention_seconds: kept }) {
    this.#panel.beside(h("span", { class: "soft" }, t("kept", { time: duration(kept) })));
    this.#panel.table([
      { name: t("piece") }, { name: t("firstChange") }, { name: t("lastChange") }, { name: t("seqs"), figures: true },
      { name: t("rows"), figures: true }, { name: t("size"), figures: true },
    ], retention.map((piece) => [
      piece.partition,
      moment(piece.first_at),
      moment(piece.last_at),
      piece.first_seq === null || piece.last_seq === null ? "–" : `${number(piece.first_seq)} – ${number(piece.last_seq)}`,
      number(piece.changes),
      bytes(piece.bytes),
    ]));
  }
}

/** @param {string | null} at */
const moment = (at) => (at === null ? "–" : h("time", { datetime: at }, shortMoment(new Date(at))));
