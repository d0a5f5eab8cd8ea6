/** Changes of a board itself, not of its cards: events of the table of boards. */

import type { BoardHead, RowEvent } from "./types.js";

/** The board after an event; null if the event does not say how it is then. A board that is newer already stays as it is. */
export function boardAfter(board: BoardHead | null, { type, table, version, collapsed, changes }: RowEvent): BoardHead | null {
  if (type !== "row_updated" || table !== "boards" || !changes || !board) return null;
  if (board.version >= version) return board;
  if (board.version !== version - (collapsed ?? 1)) return null;
  const { name = board.name, phases = board.phases, currency = board.currency } = changes as Partial<BoardHead>;
  const { close_reasons: closeReasons = board.closeReasons, stale_days: staleDays = board.staleDays } = changes as { close_reasons?: readonly string[]; stale_days?: number };
  const archived = "archived_at" in changes ? changes["archived_at"] !== null : board.archived;
  return { ...board, name, phases, currency, archived, closeReasons, staleDays, version };
}
