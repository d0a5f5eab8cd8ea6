/** Who is where, as the messages tell it. The map and its lists are immutable: what did not change keeps its identity. */
import type { Everybody, Message, Presence } from "./types.js";

/** The map after a message; the same map where the message is not about presence or changes nothing. */
export function reducePresence(map: Everybody, message: Message): Everybody {
  switch (message.type) {
    case "presence_state":
      if (message.opportunityId === null) return replaced(map, null, beside(map, message.boardId, message.presence));
      if (message.opportunityId !== undefined) return replaced(map, message.opportunityId, message.presence);
      return grouped(map, message.presence, message.boardId);
    case "user_editing": {
      const { opportunityId, boardId, userId, userName, timestamp, baseVersion } = message;
      const base = baseVersion === undefined ? {} : { baseVersion };
      const one: Presence = { opportunityId, boardId, userId, userName, action: "editing", since: timestamp, ...base };
      const others = (map.get(opportunityId) ?? []).filter((other) => other.userId !== userId);
      return replaced(map, opportunityId, [...others, one]);
    }
    case "user_stopped_editing": {
      const before = map.get(message.opportunityId) ?? [];
      return replaced(
        map,
        message.opportunityId,
        before.filter((one) => one.userId !== message.userId || one.action !== "editing"),
      );
    }
    case "board_revoked":
      return grouped(map, [], message.boardId);
    default:
      return map;
  }
}

function replaced(map: Everybody, opportunity: string | null, list: readonly Presence[]): Everybody {
  if (same(map.get(opportunity) ?? [], list)) return map;
  const after = new Map(map);
  if (list.length) after.set(opportunity, list);
  else after.delete(opportunity);
  return after;
}

/** Who looks at boards, those of one board replaced. */
function beside(map: Everybody, board: string | undefined, lookers: readonly Presence[]): readonly Presence[] {
  return [...(map.get(null) ?? []).filter((one) => one.boardId !== board), ...lookers];
}

/** All of a board's, or all there is, replaced. */
function grouped(map: Everybody, presence: readonly Presence[], board: string | undefined): Everybody {
  const lists = new Map<string | null, readonly Presence[]>();
  if (board !== undefined) lists.set(null, beside(map, board, []));
  for (const one of presence) lists.set(one.opportunityId, [...(lists.get(one.opportunityId) ?? []), one]);
  let after = map;
  for (const [opportunity, list] of map) {
    if (!lists.has(opportunity) && (board === undefined || list[0]?.boardId === board)) after = replaced(after, opportunity, []);
  }
  for (const [opportunity, list] of lists) after = replaced(after, opportunity, list);
  return after;
}

function same(one: readonly Presence[], other: readonly Presence[]): boolean {
  return one.length === other.length && JSON.stringify(one) === JSON.stringify(other);
}
