/** Presence, as computed from the messages. The map and its lists are immutable: what did not change keeps its identity. */
import type { PresenceMap, Message, Presence } from "./types.js";

/** The map after a message; the same map if the message is not about presence or changes nothing. */
export function reducePresence(map: PresenceMap, message: Message): PresenceMap {
  switch (message.type) {
    case "presence_state":
      if (message.opportunityId === null) return replaced(map, null, viewers(map, message.boardId, message.presence));
      if (message.opportunityId !== undefined) return replaced(map, message.opportunityId, message.presence);
      return replacedAll(map, message.presence, message.boardId);
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
      return replacedAll(map, [], message.boardId);
    default:
      return map;
  }
}

function replaced(map: PresenceMap, opportunity: string | null, list: readonly Presence[]): PresenceMap {
  if (same(map.get(opportunity) ?? [], list)) return map;
  const after = new Map(map);
  if (list.length) after.set(opportunity, list);
  else after.delete(opportunity);
  return after;
}

/** Users who view a board without a card, with those of one board replaced. */
function viewers(map: PresenceMap, board: string | undefined, users: readonly Presence[]): readonly Presence[] {
  return [...(map.get(null) ?? []).filter((one) => one.boardId !== board), ...users];
}

/** Replaces the presence of a board, or of all boards. */
function replacedAll(map: PresenceMap, presence: readonly Presence[], board: string | undefined): PresenceMap {
  const lists = new Map<string | null, readonly Presence[]>();
  if (board !== undefined) lists.set(null, viewers(map, board, []));
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
