/** The hash of a checkpoint, as docs/protocol.md defines it: over ids and versions, in any order. */

import type { BoardDigest, Opportunity } from "./types.js";

const utf8 = new TextEncoder();

export function rowHash(id: string, version: number): number {
  let crc = -1;
  for (const byte of utf8.encode(id)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (-(crc & 1) & 0xedb88320);
  }
  let h = (~crc + Math.imul(version, 2654435761)) | 0;
  h = Math.imul(h ^ (h >>> 16), 2246822507);
  h = Math.imul(h ^ (h >>> 13), 3266489909);
  return (h ^ (h >>> 16)) >>> 0;
}

export function digestOf(rows: Iterable<Opportunity>): BoardDigest {
  let count = 0;
  let sum = 0;
  for (const { id, version_number } of rows) {
    count++;
    sum = (sum + rowHash(id, version_number)) >>> 0;
  }
  return { count, hash: sum.toString(16).padStart(8, "0") };
}
