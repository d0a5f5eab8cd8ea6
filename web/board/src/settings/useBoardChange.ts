import { ProblemError, type BoardHead, type Http } from "@boardcast/client";
import type { BoardStore } from "@boardcast/client/store";
import { useCallback, useRef, useState } from "react";
import { errorMessage } from "../app/EmptyState";
import { useI18n, type Translate } from "../i18n";
import { changeBoard, type BoardChange } from "./requests";

export interface Changing {
  readonly busy: boolean;
  /** What went wrong with the last change. */
  readonly error: string | null;
  /** Change the board as it is when earlier changes are done. Resolves to whether it was changed. */
  readonly change: (of: (board: BoardHead) => BoardChange) => Promise<boolean>;
  readonly run: (work: () => Promise<void>) => Promise<boolean>;
}

/** Changes of a board, one after the other: each starts from the result of the one before. */
export function useBoardChange(store: BoardStore, http: Http): Changing {
  const { t } = useI18n();
  const [waiting, setWaiting] = useState(0);
  const [error, setError] = useState<string | null>(null);
  const last = useRef<Promise<unknown>>(Promise.resolve());
  const run = useCallback(
    (work: () => Promise<void>): Promise<boolean> => {
      const attempt = async (): Promise<boolean> => {
        try {
          await work();
          setError(null);
          return true;
        } catch (problem) {
          setError(explain(problem, t));
          const current = problem instanceof ProblemError && problem.type === "stale-board" ? (problem.body["current"] as BoardHead) : null;
          if (current) store.applyBoard(current);
          if (problem instanceof ProblemError && ["stale-member", "unknown-member", "admin-only", "conflict"].includes(problem.type)) store.reload();
          return false;
        } finally {
          setWaiting((count) => count - 1);
        }
      };
      setWaiting((count) => count + 1);
      const done = last.current.then(attempt);
      last.current = done;
      return done;
    },
    [store, t],
  );
  const change = useCallback(
    (of: (board: BoardHead) => BoardChange) =>
      run(async () => {
        const { board } = store.getState();
        if (board) store.applyBoard(await changeBoard(http, board, of(board)));
      }),
    [run, store, http],
  );
  return { busy: waiting > 0, error, change, run };
}

const TEXTS = {
  "stale-board": "settings.stale",
  "stale-member": "settings.staleMember",
  "admin-only": "settings.adminOnly",
  "unknown-board": "gone",
  "board-archived": "settings.archivedError",
  "phase-in-use": "settings.inUse",
  "unknown-phase": "settings.targetGone",
  "last-admin": "settings.lastAdmin",
  "unknown-member": "settings.notMember",
  "unknown-user": "settings.unknownUser",
  "application-board": "settings.application",
  "limit-reached": "settings.limit",
} as const;

/** An error in the user's language, where it is one that people can cause. */
export function explain(error: unknown, t: Translate): string {
  return error instanceof ProblemError && Object.hasOwn(TEXTS, error.type) ? t(TEXTS[error.type as keyof typeof TEXTS]) : errorMessage(error, t);
}
