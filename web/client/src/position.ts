/**
 * Positions of cards in a column: fractional index keys, base 62, sorted as text. They are the keys of db/fractional_index.py and of the
 * `fractional-indexing` package: an integer whose first letter encodes its length, then a fraction that does not end in zero.
 *
 * Invariant: a key from `place` sorts strictly between its neighbors, is valid for db/fractional_index.py, and moves as few other cards as
 * possible.
 */

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ZERO = "0";
const LAST = "z";
const SMALLEST = "A" + ZERO.repeat(26);
/** Keys grow when cards are put between the same two again and again. From this length on, the neighbors get new keys instead. */
const LONG = 60;

export interface Placed {
  readonly id: string;
  readonly position: string;
}

/** New positions that put a card at `index` of a column (without it): first its own, then those of cards that had to move. */
export function place(column: readonly Placed[], index: number, id: string): Placed[] {
  // Equal, foreign, and long keys leave no room: widen the range until there is room, up to the whole column.
  for (let width = 0; ; width = width * 2 || 1) {
    const from = Math.max(0, index - width);
    const to = Math.min(column.length, index + width);
    const low = column[from - 1]?.position ?? null;
    const high = column[to]?.position ?? null;
    if ((low !== null && !valid(low)) || (high !== null && !valid(high)) || (low !== null && high !== null && low >= high)) continue;
    const keys = spread(low, high, to - from + 1);
    if (width < column.length && keys.some((key) => key.length > LONG)) continue;
    const ids = [...column.slice(from, index).map((card) => card.id), id, ...column.slice(index, to).map((card) => card.id)];
    const placed = ids.map((one, at) => ({ id: one, position: keys[at] ?? "" }));
    return [...placed.filter((one) => one.id === id), ...placed.filter((one) => one.id !== id)];
  }
}

/** The index in a column between two of its cards; without both: the end. `above` null and no `below`: the start. */
export function indexBetween(column: readonly Placed[], above?: string | null, below?: string | null): number {
  const at = (id: string | null | undefined): number => (id ? column.findIndex((card) => card.id === id) : -1);
  const upper = at(above);
  const lower = at(below);
  if (upper >= 0) return upper + 1;
  if (lower >= 0) return lower;
  return above === null && !below ? 0 : column.length;
}

export function valid(key: string): boolean {
  if (!/^[A-Za-z][0-9A-Za-z]{1,199}$/.test(key) || key === SMALLEST) return false;
  const size = sizeOf(key);
  return key.length === size || (key.length > size && !key.endsWith(ZERO));
}

/** A number of keys between two valid ones (null: the end of the column), in order. */
export function spread(low: string | null, high: string | null, count: number): string[] {
  if (count < 1) return [];
  const half = high === null ? 0 : low === null ? count - 1 : count >> 1;
  const key = between(low, high);
  return [...spread(low, key, half), key, ...spread(key, high, count - 1 - half)];
}

export function between(low: string | null, high: string | null): string {
  if (low === null) return high === null ? "a0" : before(high);
  const whole = wholeOf(low);
  const next = step(whole, 1);
  if (next !== null && (high === null || next < high)) return next;
  const fraction = low.slice(whole.length);
  return whole + middle(fraction, high !== null && wholeOf(high) === whole ? high.slice(whole.length) : null);
}

function before(high: string): string {
  const whole = wholeOf(high);
  if (whole < high && whole !== SMALLEST) return whole;
  const previous = step(whole, -1);
  if (previous !== null && previous !== SMALLEST) return previous;
  return SMALLEST + middle("", whole === SMALLEST ? high.slice(whole.length) : null);
}

/** A fraction between two; null stands for 1. */
function middle(low: string, high: string | null): string {
  if (high !== null) {
    let same = 0;
    while ((low[same] ?? ZERO) === high[same]) same++;
    if (same > 0) return high.slice(0, same) + middle(low.slice(same), high.slice(same));
  }
  const first = low ? DIGITS.indexOf(low.charAt(0)) : 0;
  const second = high === null ? DIGITS.length : DIGITS.indexOf(high.charAt(0));
  if (second - first > 1) return DIGITS.charAt(Math.round((first + second) / 2));
  if (high !== null && high.length > 1) return high.charAt(0);
  return DIGITS.charAt(first) + middle(low.slice(1), null);
}

/** The next integer up or down; null beyond the last. */
function step(whole: string, by: 1 | -1): string | null {
  const [from, to] = by === 1 ? [LAST, ZERO] : [ZERO, LAST];
  let at = whole.length - 1;
  while (at > 0 && whole.charAt(at) === from) at--;
  if (at > 0) {
    const digit = DIGITS.charAt(DIGITS.indexOf(whole.charAt(at)) + by);
    return whole.slice(0, at) + digit + to.repeat(whole.length - 1 - at);
  }
  const head = whole.charAt(0);
  if (head === (by === 1 ? "z" : "A")) return null;
  const heads = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const next = heads.charAt(heads.indexOf(head) + by);
  return next + to.repeat(sizeOf(next) - 1);
}

function wholeOf(key: string): string {
  return key.slice(0, sizeOf(key));
}

function sizeOf(key: string): number {
  const head = key.charCodeAt(0);
  return head >= 97 ? head - 95 : 92 - head;
}
