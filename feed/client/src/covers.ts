/** Whether who holds the one cursor has seen all that the other has: of one feed, by the snapshots that they are. */
export function covers(one: string, other: string): boolean {
  const [feed, max, open] = parsed(one);
  const [its, most, pending] = parsed(other);
  return feed === its && max >= most && [...open].every((xid) => xid >= most || pending.has(xid));
}

/** Whether a cursor has seen a transaction: an event's `xid`. */
export function coversXid(cursor: string, xid: string): boolean {
  const [, max, open] = parsed(cursor);
  return Number(xid) < max && !open.has(Number(xid));
}

function parsed(cursor: string): [string | undefined, number, Set<number>] {
  const [feed, min, max, deltas] = cursor.split(".");
  let xid = Number(min);
  return [feed, Number(max), new Set(deltas ? deltas.split("-").map((delta) => (xid += Number(delta))) : [])];
}
