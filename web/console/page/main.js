// The DBA page: the live log of changes, charts, and the state of the feed.

import { followLinks } from "./address.js";
import { api, ApiError, asApiError } from "./api.js";
import { h } from "./dom.js";
import { away, noRole, signIn } from "./signIn.js";
import { language, t } from "./i18n.js";
import { showTheme } from "./storage.js";
import { Shell } from "./shell.js";

/** Shows the page to users with the role, and to others a screen that says why not. */
class Page {
  #root;
  /** @type {Shell | null} */
  #shell = null;

  /** @param {Element} root */
  constructor(root) {
    this.#root = root;
  }

  async begin(ended = false) {
    this.#stop();
    this.#root.replaceChildren(h("p", { class: "begin", role: "status" }, t("loading")));
    this.#root.replaceChildren(await this.#first(ended));
    this.#shell?.start();
  }

  /** @param {boolean} ended */
  async #first(ended) {
    try {
      const me = await api.me();
      if (!me.roles.includes("dba")) return await noRole(me, () => void this.begin());
      this.#shell = new Shell(me, (found) => this.#refused(found), () => void this.#leave());
      return this.#shell.node;
    } catch (error) {
      return await this.#without(asApiError(error), ended);
    }
  }

  /** @param {ApiError} found @param {boolean} ended */
  async #without(found, ended) {
    try {
      if (found.refused) return await signIn(ended || found.slug === "expired-token", () => void this.begin());
      return away(found, () => void this.begin());
    } catch (error) {
      return away(asApiError(error), () => void this.begin());
    }
  }

  /** @param {ApiError} found */
  #refused(found) {
    if (this.#shell) void this.begin(found.slug !== "dba-only");
  }

  async #leave() {
    try {
      await api.leave();
    } finally {
      void this.begin();
    }
  }

  #stop() {
    this.#shell?.stop();
    this.#shell = null;
  }
}

showTheme();
document.documentElement.lang = language;
followLinks();
const root = document.querySelector("#app");
if (root) void new Page(root).begin();
