// Captured tables, their triggers, and what the triggers cost.

import { number, t } from "../i18n.js";
import { h } from "../dom.js";
import { mark, Panel } from "./panel.js";

/** @import { Overview } from "../../types" */

const FED = ["on", "always"];

export class Triggers {
  #panel = new Panel("triggers", t("triggers"));
  node = this.#panel.node;

  /** @param {Overview} overview */
  show({ triggers }) {
    const counted = triggers.some((each) => each.calls !== null);
    this.#panel.beside(counted || triggers.length === 0 ? "" : h("span", { class: "soft" }, t("costHint")));
    if (triggers.length === 0) {
      this.#panel.empty(t("noTriggers"));
      return;
    }
    this.#panel.table([
      { name: t("table") }, { name: t("trigger") }, { name: t("state") }, { name: t("function") }, { name: t("key") }, { name: t("board") },
      { name: t("calls"), figures: true }, { name: t("cost"), figures: true },
    ], triggers.map((each) => [
      each.relation,
      each.trigger,
      mark(FED.includes(each.state) ? "ok" : "bad", each.state),
      each.function,
      each.key?.join(", ") ?? "–",
      each.board ?? "–",
      each.calls === null ? "–" : number(each.calls),
      each.us_per_call === null ? "–" : t("perCall", { value: number(each.us_per_call) }),
    ]));
  }
}
