// The numbers along the axes of a chart, and which of them is selected.

/** @import { Column } from "../../types" */

const MINUTE = 60;

/** Steps for bytes are powers of two, so that an axis has round numbers. */
export const POWERS_OF_TWO = Array.from({ length: 52 }, (_, power) => 2 ** power);

/** Steps for counts: nothing between one and two. */
export const WHOLE = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat();

/**
 * From zero to a little above the greatest value, or to one if all values are zero.
 * @param {number | null} greatest @returns {[number, number]}
 */
export const fromZero = (greatest) => [0, greatest === null || greatest <= 0 ? 1 : greatest * 1.1];

/** The nearest floating-point number, which 10 ** -4 is not. @param {number} exponent */
const power = (exponent) => Number(`1e${exponent}`);

/**
 * Whole powers of ten around the values. A delay of zero was too short to measure.
 * @param {number | null} least @param {number | null} greatest @returns {[number, number]}
 */
export function powersOfTen(least, greatest) {
  const [low, high] = [power(Math.floor(Math.log10(Math.max(least ?? 0, 1e-4)))), power(Math.ceil(Math.log10(Math.max(greatest ?? 0, 1e-4))))];
  return [low, Math.max(high, low * 10)];
}

/**
 * Grid lines of a logarithmic axis: at each power of ten, and for a single one also at 2 and 5.
 * @param {number[]} splits @param {number} least @param {number} greatest
 */
export function lines(splits, least, greatest) {
  const digits = greatest > least * 10.5 ? ["1"] : ["1", "2", "5"];
  return splits.map((value) => (digits.includes(value.toExponential(0)[0] ?? "") ? value : null));
}

/**
 * The last known value of a column.
 * @param {Column} column
 */
export function last(column) {
  const at = column.findLastIndex((value) => value !== null);
  return at < 0 ? null : at;
}

/**
 * The values of a column without a neighbor: no line leads to them.
 * @param {ArrayLike<number | null | undefined>} column @param {number} from @param {number} to
 */
export function alone(column, from, to) {
  const found = [];
  for (let at = from; at <= to; at++) {
    if (column[at] != null && column[at - 1] == null && column[at + 1] == null) found.push(at);
  }
  return found;
}

/**
 * Seconds between two requests: no more often than there is something new to draw.
 * @param {number} step seconds of an interval
 */
export const pause = (step) => Math.min(Math.max(step, 5), MINUTE);

/** A time in the format of the address. @param {number} seconds since 1970 */
export const moment = (seconds) => new Date(Math.round(seconds) * 1000).toISOString().replace(".000", "");
