// The view of the charts: one period for all of them, updated while the view is visible.

import { go, link, only, RANGES, where } from "../address.js";
import { api, asApiError } from "../api.js";
import { h, replace, say } from "../dom.js";
import { briefTime, shortMoment, t } from "../i18n.js";
import { Poll } from "../poll.js";
import { Chart } from "./chart.js";
import { definitions } from "./definitions.js";
import { moment, pause } from "./scale.js";

/** @import { Series } from "../../types" */
/** @import { ApiError } from "../api.js" */

/** RANGES in seconds. */
const SECONDS = { "15m": 900, "1h": 3600, "6h": 21_600, "24h": 86_400 };
/** Shorter than the shortest interval. */
const AGAIN = 5;

export class ChartsView {
  #charts = definitions().map((each) => new Chart(each, (from, until, byKey) => this.#choose(from, until, byKey)));
  #ranges = h("nav", { class: "ranges", "aria-label": t("time") });
  #word = h("span", { class: "soft", role: "status" }, t("loading"));
  #chosen = h("p", { class: "chosen", hidden: true });
  #grid = h("div", { class: "charts", "aria-busy": "true" }, ...this.#charts.map((chart) => chart.node));
  #notes = h("ul", { class: "notes" }, ...[...new Set(definitions().map((each) => each.note))].map((note) => h("li", {}, note)));
  #dark = matchMedia("(prefers-color-scheme: dark)");
  #paint = () => this.#charts.forEach((chart) => chart.paint());
  #themes = new MutationObserver(this.#paint);
  #poll;
  #range = "";

  node = h("section", { class: "charts-view", "aria-label": t("charts") },
    h("div", { class: "bar" }, this.#ranges, h("span", { class: "space" }), this.#word), this.#chosen, this.#grid, this.#notes);

  /** @param {(error: ApiError) => void} refused */
  constructor(refused) {
    this.#poll = new Poll(AGAIN, async () => {
      const { range } = where();
      try {
        const series = await api.series(range);
        if (range !== where().range) return AGAIN;
        this.#draw(series, range);
        return pause(series.step);
      } catch (error) {
        const found = asApiError(error);
        if (found.refused) refused(found);
        say(this.#word, `${t("seriesFailed")} ${found.message}`);
        this.#word.classList.add("failed");
        return AGAIN;
      }
    });
  }

  show() {
    const { range } = where();
    replace(this.#ranges, ...RANGES.map((each) =>
      h("a", { href: link({ range: each }), "data-key": each, "aria-current": each === range ? "true" : null }, each)));
    if (range === this.#range) return;
    if (this.#range === "") {
      this.#dark.addEventListener("change", this.#paint);
      this.#themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    }
    this.#range = range;
    this.#chosen.hidden = true;
    this.#poll.start();
  }

  hide() {
    this.#poll.stop();
    this.#range = "";
    this.#dark.removeEventListener("change", this.#paint);
    this.#themes.disconnect();
  }

  /** Stop for good. */
  stop() {
    this.hide();
    for (const chart of this.#charts) chart.stop();
  }

  /** @param {Series} series @param {string} range */
  #draw(series, range) {
    const until = Date.now() / 1000;
    const length = SECONDS[/** @type {keyof typeof SECONDS} */ (range)];
    for (const chart of this.#charts) chart.show(series, [until - length, until]);
    this.#grid.setAttribute("aria-busy", "false");
    this.#word.classList.remove("failed");
    say(this.#word, t("asOf", { time: briefTime(new Date()) }));
  }

  /**
   * A period selected with the mouse is offered as a link. One selected with the keyboard opens at once.
   * @param {number} from @param {number} until @param {boolean} byKey
   */
  #choose(from, until, byKey) {
    const address = only({ since: moment(from), until: moment(Math.max(until, from + 1)), change: null });
    if (byKey) {
      go(address);
      return;
    }
    this.#chosen.hidden = false;
    replace(this.#chosen, t("selected", { from: shortMoment(new Date(from * 1000)), until: shortMoment(new Date(until * 1000)) }), " ",
      h("a", { href: address, "data-key": "chosen" }, t("showInLog")),
      h("button", { type: "button", class: "quiet small", onclick: () => (this.#chosen.hidden = true) }, t("cancel")));
  }
}
