// One chart, drawn by uPlot, with a legend and keyboard control.

import { h, say } from "../dom.js";
import { briefTime, hourAndMinute, t } from "../i18n.js";
import uPlot from "../vendor/uPlot.js";
import { alone, fromZero, last, lines, POWERS_OF_TWO, powersOfTen, WHOLE } from "./scale.js";

/** @import { Column, Series } from "../../types" */
/** @import { Definition } from "./definitions.js" */

const HEIGHT = 150;
const NOWHERE = { left: -10, top: -10 };

export class Chart {
  #is;
  #swatches;
  #values;
  #empty = h("p", { class: "nothing", hidden: true }, t("noData"));
  #plot;
  #chosen;
  /** @type {uPlot | null} */
  #drawing = null;
  /** @type {number[]} */
  #at = [];
  /** @type {Column[]} */
  #columns = [];
  /** @type {[number, number]} */
  #span = [0, 1];
  #sizes = new ResizeObserver(() => this.#fit());
  node;

  /**
   * @param {Definition} definition
   * @param {(from: number, until: number, byKey: boolean) => void} chosen called with a period, in seconds since 1970: selected with the mouse or the keyboard
   */
  constructor(definition, chosen) {
    this.#is = definition;
    this.#chosen = chosen;
    this.#swatches = definition.lines.map((_, nr) => h("i", { class: `swatch series-${nr + 1}` }));
    this.#values = definition.lines.map(() => h("b", {}));
    const title = `chart-${definition.name}`;
    // A slider along the times, so that the keyboard can do what the mouse does.
    this.#plot = h("div", { class: "plot", role: "slider", tabindex: 0, "aria-labelledby": title, "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0,
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event), onblur: () => this.#drawing?.setCursor(NOWHERE) }, this.#empty);
    this.node = h("figure", { class: "chart", "data-chart": definition.name },
      h("figcaption", {}, h("h2", { id: title, title: definition.note }, definition.title),
        h("ul", { class: "legend" }, ...definition.lines.map((line, nr) =>
          h("li", {}, this.#swatches[nr], line.label, " ", this.#values[nr])))),
      this.#plot);
    this.#sizes.observe(this.#plot);
  }

  /** @param {Series} series @param {[number, number]} span the period, in seconds since 1970 */
  show(series, span) {
    const part = series[this.#is.part];
    this.#span = span;
    this.#at = part.at;
    this.#columns = this.#is.lines.map((line) => part[line.column] ?? []);
    this.#empty.hidden = this.#columns.some((column) => last(column) !== null);
    this.#drawing ??= new uPlot(this.#options(), [[]], this.#plot);
    this.#drawing.setData(/** @type {uPlot.AlignedData} */ ([this.#at, ...this.#columns]));
    this.#fit();
    this.#legend();
  }

  /** The colors have changed. */
  paint() {
    this.#drawing?.redraw(false, true);
  }

  stop() {
    this.#sizes.disconnect();
    this.#drawing?.destroy();
  }

  #fit() {
    const width = this.#plot.clientWidth;
    if (this.#drawing && width && width !== this.#drawing.width) this.#drawing.setSize({ width, height: HEIGHT });
  }

  /** The values at the cursor, or else the latest ones. */
  #legend() {
    const at = this.#drawing?.cursor.idx ?? null;
    this.#columns.forEach((column, nr) => {
      const known = at ?? last(column);
      const value = known === null ? null : column[known] ?? null;
      const node = this.#values[nr];
      if (node) say(node, value === null ? "–" : this.#is.format(value));
    });
    const newest = Math.max(this.#at.length - 1, 0);
    const moment = this.#at[at ?? newest];
    const values = this.#is.lines.map((line, nr) => `${line.label} ${this.#values[nr]?.textContent ?? ""}`);
    this.#plot.setAttribute("aria-valuemin", String(this.#oldest()));
    this.#plot.setAttribute("aria-valuemax", String(newest));
    this.#plot.setAttribute("aria-valuenow", String(at ?? newest));
    this.#plot.setAttribute("aria-valuetext", [moment === undefined ? "" : briefTime(new Date(moment * 1000)), ...values].join(", "));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const drawing = this.#drawing;
    const newest = this.#at.length - 1;
    if (!drawing || newest < 0) return;
    const now = drawing.cursor.idx ?? newest;
    if (event.key === "Enter") {
      const [from, next] = [this.#at[now], this.#at[now + 1]];
      if (from !== undefined) this.#chosen(from, next ?? this.#span[1], true);
      return;
    }
    const to = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageUp: now + 10, PageDown: now - 10, Home: this.#oldest(), End: newest }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const left = drawing.valToPos(this.#at[Math.min(Math.max(to, this.#oldest()), newest)] ?? 0, "x");
    drawing.setCursor({ left, top: 0 });
  }

  /** The first interval may have begun before the period that is shown. */
  #oldest() {
    return Math.max(this.#at.findIndex((at) => at >= this.#span[0]), 0);
  }

  /** @returns {uPlot.Options} */
  #options() {
    const color = (/** @type {Element} */ node) => getComputedStyle(node).color;
    const soft = () => color(this.#plot);
    const grid = { stroke: () => getComputedStyle(this.#plot).borderTopColor, width: 1 };
    const font = "11px 'Inter Variable', system-ui, sans-serif";
    const { scale, format } = this.#is;
    return {
      width: this.#plot.clientWidth || 300,
      height: HEIGHT,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { y: false, sync: { key: "dba", scales: ["x", null] }, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      scales: {
        x: { range: () => this.#span },
        y: scale === "near" ? {}
          : scale === "log" ? { distr: 3, range: (_, least, greatest) => powersOfTen(least, greatest) }
          : { range: (_, __, greatest) => fromZero(greatest) },
      },
      axes: [
        { stroke: soft, font, grid, ticks: { show: false }, size: 24, gap: 4, space: 70,
          values: (_, splits) => splits.map((at) => hourAndMinute(new Date(at * 1000))) },
        { stroke: soft, font, grid: scale === "log" ? { ...grid, filter: ({ scales }, splits) => lines(splits, scales["y"]?.min ?? 0, scales["y"]?.max ?? 0) } : grid,
          ticks: { show: false }, size: 62, gap: 6, space: 28,
          ...(scale === "near" ? { incrs: POWERS_OF_TWO } : scale === "count" ? { incrs: WHOLE } : {}),
          values: (_, splits) => splits.map((value) => (value === null ? "" : format(value))) },
      ],
      series: [{}, ...this.#swatches.map((swatch, nr) => ({
        stroke: () => color(swatch),
        width: 1.5,
        points: { size: 4, fill: () => color(swatch), show: true, filter: (/** @type {uPlot} */ drawing) => {
          const [from, to] = drawing.series[0]?.idxs ?? [0, -1];
          return alone(this.#columns[nr] ?? [], from, to);
        } },
      }))],
      hooks: {
        setCursor: [() => this.#legend()],
        setSelect: [(drawing) => {
          const { left, width } = drawing.select;
          if (width < 4) return;
          this.#chosen(drawing.posToVal(left, "x"), drawing.posToVal(left + width, "x"), false);
          drawing.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
      },
    };
  }
}
