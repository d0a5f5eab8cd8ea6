// The frame around the views: navigation, health, and preferences.

import { link, VIEWS, where } from "./address.js";
import { api, asApiError } from "./api.js";
import { ChartsView } from "./charts/charts.js";
import { h, replace } from "./dom.js";
import { FeedView } from "./feed/feed.js";
import { verdict } from "./feed/health.js";
import { mark } from "./feed/panel.js";
import { t } from "./i18n.js";
import { LogView } from "./log/log.js";
import { Poll } from "./poll.js";
import { preferences } from "./preferencesMenu.js";

/** @import { Me } from "../types" */
/** @import { ApiError } from "./api.js" */

/** Seconds between updates of the feed's state: while it is visible, and while only its verdict is. */
const VISIBLE = 5;
const HIDDEN = 15;

export class Shell {
  /** @type {Record<typeof VIEWS[number], LogView | ChartsView | FeedView>} */
  #views;
  #charts;
  #feed = new FeedView();
  #nav = h("nav", { class: "views", "aria-label": t("views") });
  #health = h("a", { class: "verdict", href: "?view=feed" });
  #main = h("main", {});
  #poll;
  #move = () => this.#show();
  /** @type {typeof VIEWS[number] | null} */
  #shown = null;
  node;

  /** @param {Me} me @param {(error: ApiError) => void} refused @param {() => void} leave */
  constructor(me, refused, leave) {
    this.#charts = new ChartsView(refused);
    this.#views = { log: new LogView(refused), charts: this.#charts, feed: this.#feed };
    this.#poll = new Poll(VISIBLE, () => this.#refresh(refused));
    this.node = h("div", { class: "shell" },
      h("header", { class: "top" },
        h("a", { class: "brand", href: "/", title: t("goToBoard") }, h("img", { src: "/static/icon.svg", alt: "", width: 22, height: 22 }), h("b", {}, "boardcast")),
        h("h1", {}, t("dba")), this.#nav, h("span", { class: "space" }), this.#health, preferences(me, leave)),
      this.#main);
  }

  start() {
    addEventListener("popstate", this.#move);
    this.#show();
    if (this.#shown !== "feed") this.#poll.start();
  }

  stop() {
    removeEventListener("popstate", this.#move);
    this.#poll.stop();
    if (this.#shown) this.#views[this.#shown].hide();
    this.#charts.stop();
  }

  #show() {
    const { view } = where();
    if (view !== this.#shown) {
      if (this.#shown) this.#views[this.#shown].hide();
      this.#shown = view;
      this.#main.replaceChildren(this.#views[view].node);
      document.title = `${t(view)} · boardcast`;
      if (view === "feed") this.#poll.start();
    }
    replace(this.#nav, ...VIEWS.map((each) =>
      h("a", { href: link({ view: each === "log" ? null : each, change: null }), "data-key": each, "aria-current": each === view ? "page" : null }, t(each))));
    this.#health.setAttribute("href", link({ view: "feed", change: null }));
    if (!this.#health.hasChildNodes()) replace(this.#health, t("feed")); // until its state is known
    this.#views[view].show();
  }

  /** @param {(error: ApiError) => void} refused */
  async #refresh(refused) {
    try {
      const overview = await api.overview();
      const { worst, word } = verdict(overview.health);
      replace(this.#health, mark(worst, word));
      this.#feed.update(overview);
    } catch (error) {
      const found = asApiError(error);
      if (found.refused) refused(found);
      replace(this.#health, mark("unknown", t("unknowns")));
      this.#feed.failed(found);
    }
    return where().view === "feed" ? VISIBLE : HIDDEN;
  }
}

