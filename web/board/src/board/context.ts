import type { BoardStore, Member, Phase } from "@boardcast/client";
import type { Kind } from "./closing";
import { createContext, use } from "react";

/** What the columns and cards of a board need. Changes only with the board itself, never with its cards. */
export interface BoardTools {
  readonly store: BoardStore;
  /** The id of this user. */
  readonly me: string;
  readonly editable: boolean;
  /** The phases that a card can be moved to. */
  readonly phases: readonly Phase[];
  readonly members: readonly Member[];
  readonly nameOf: (user: string | null) => string;
  readonly phaseName: (phase: string) => string;
  readonly kindOf: (phase: string) => Kind;
  /** An open card without a change for more days than this is stale. */
  readonly staleDays: number;
  readonly open: (id: string) => void;
  readonly create: (phase: string) => void;
  /** The user has moved the card to a phase: ask for the reason, if it is lost now. */
  readonly onMoved: (id: string, phase: string, from: string) => void;
  /** Move a card to the end of a phase. */
  readonly moveTo: (id: string, phase: string) => void;
}

export const BoardContext = createContext<BoardTools | null>(null);

export function useTools(): BoardTools {
  const tools = use(BoardContext);
  if (!tools) throw new Error("outside of a board");
  return tools;
}
