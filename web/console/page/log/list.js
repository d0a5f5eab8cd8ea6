// The list of changes, which is one tab stop: the arrow keys, j, and k move between rows.
//
// Rows that stay are not touched, so they keep the focus, the selection, and the position of a screen reader.

import { go, where } from "../address.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { row } from "./row.js";

/** @import { Change } from "../../types" */

export class List {
  node = h("ul", { class: "rows", "aria-label": t("log"), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#travel(event) });

  /** @type {Map<number, HTMLElement>} */
  #items = new Map();
  /** @type {HTMLAnchorElement | null} */
  #opened = null;
  /** @type {HTMLAnchorElement | null} */
  #stop = null;

  /**
   * @param {Change[]} changes
   * @param {Set<number>} fresh new changes
   */
  show(changes, fresh) {
    const wanted = new Map(changes.map((change) => [change.seq, this.#items.get(change.seq) ?? row(change, fresh.has(change.seq))]));
    for (const [seq, item] of this.#items) if (!wanted.has(seq)) item.remove();
    let there = this.node.firstElementChild;
    for (const item of wanted.values()) {
      if (item === there) there = there.nextElementSibling;
      else this.node.insertBefore(item, there);
    }
    this.#items = wanted;
    this.#stopAt(this.#stop?.isConnected ? this.#stop : anchor(this.node.firstElementChild));
  }

  /** Rows created under other filters have links to those: update them. */
  clear() {
    this.#items = new Map();
    this.node.replaceChildren();
  }

  /** @param {string | null} seq */
  mark(seq) {
    this.#opened?.removeAttribute("aria-current");
    this.#opened = anchor(this.#items.get(Number(seq)));
    this.#opened?.setAttribute("aria-current", "true");
    if (this.#opened) this.#stopAt(this.#opened);
  }

  /** @param {string} seq */
  focus(seq) {
    (anchor(this.#items.get(Number(seq))) ?? this.#stop)?.focus();
  }

  /** @param {HTMLAnchorElement | null} to */
  #stopAt(to) {
    if (this.#stop && this.#stop !== to) this.#stop.tabIndex = -1;
    if (to) to.tabIndex = 0;
    this.#stop = to;
  }

  /** @param {KeyboardEvent} event */
  #travel(event) {
    const item = document.activeElement?.closest("li");
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const [next, previous] = [item.nextElementSibling, item.previousElementSibling];
    const ways = /** @type {Record<string, Element | null>} */ ({
      ArrowDown: next, j: next, ArrowUp: previous, k: previous, Home: this.node.firstElementChild, End: this.node.lastElementChild,
    });
    const to = anchor(ways[event.key] ?? null);
    if (!to) return;
    event.preventDefault();
    this.#stopAt(to);
    to.focus();
    // While a change is open, show the one that the focus moves to.
    if (where().change !== null) go(to.getAttribute("href") ?? "?", true);
  }
}

/** @param {Element | null | undefined} item */
const anchor = (item) => /** @type {HTMLAnchorElement | null} */ (item?.firstElementChild ?? null);
