/** Compares cursors, which are snapshots of PostgreSQL: whether the first contains every transaction that the second contains. */
export function covers(one: string, other: string): boolean {
  const [feed, max, open] = parsed(one);
  const [otherFeed, otherMax, otherOpen] = parsed(other);
  return feed === otherFeed && max >= otherMax && [...open].every((xid) => xid >= otherMax || otherOpen.has(xid));
}

/** Whether a cursor contains a transaction: the `xid` of an event. */
export function coversXid(cursor: string, xid: string): boolean {
  const [, max, open] = parsed(cursor);
  return Number(xid) < max && !open.has(Number(xid));
}

function parsed(cursor: string): [string | undefined, number, Set<number>] {
  const [feed, min, max, deltas] = cursor.split(".");
  let xid = Number(min);
  return [feed, Number(max), new Set(deltas ? deltas.split("-").map((delta) => (xid += Number(delta))) : [])];
}
