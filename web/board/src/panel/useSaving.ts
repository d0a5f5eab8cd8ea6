/** Saves what was typed and reports the result. Rejected values go back into the form. */
import type { BoardStore, Editor, Field, RejectedWrite, Changes, Problem } from "@boardcast/client";
import { useState } from "react";
import { useI18n } from "../i18n";
import { fill } from "./editing";
import { fieldErrors, NO_ERRORS, type FieldErrors } from "./fieldErrors";

export type Outcome = "idle" | "saving" | "saved" | "merged" | "queued";

export type Result = { readonly outcome: Outcome; readonly problem?: Problem };

export interface Saving {
  readonly outcome: Outcome;
  readonly errors: FieldErrors;
  /** Save; one call at a time. */
  readonly run: (send: () => Promise<Result>) => Promise<Outcome>;
  /** Called when a save that waited for a decision or for the connection is done. */
  readonly settled: (outcome: "saved" | "idle") => void;
  /** The user typed something else. */
  readonly typed: (fields: readonly Field[]) => void;
}

export function useSaving(): Saving {
  const { t } = useI18n();
  const [outcome, setOutcome] = useState<Outcome>("idle");
  const [found, setFound] = useState<FieldErrors>(NO_ERRORS);
  return {
    outcome,
    errors: found,
    run: async (send) => {
      setOutcome("saving");
      setFound(NO_ERRORS);
      const result = await send();
      setOutcome(result.outcome);
      if (result.problem) setFound(fieldErrors(result.problem, t));
      return result.outcome;
    },
    settled: setOutcome,
    typed: (fields) => {
      setOutcome((now) => (now === "saving" ? now : "idle"));
      setFound((now) => (now === NO_ERRORS ? now : { fields: Object.fromEntries(Object.entries(now.fields).filter(([name]) => !fields.some((each) => each === name))), whole: null }));
    },
  };
}

/** Save an open card. */
export async function saveCard(store: BoardStore, editor: Editor): Promise<Result> {
  const { base, remote } = editor.getState();
  const saved = await editor.save();
  if (saved === "rejected") return { outcome: "idle", ...takeBack(store, editor) };
  if (saved === "queued") return { outcome: "queued" };
  if (saved !== "saved") return { outcome: "idle" };
  const version = store.getState().opportunities.get(editor.id)?.version_number ?? 0;
  return { outcome: remote.length > 0 || version > base.version_number + 1 ? "merged" : "saved" };
}

function takeBack(store: BoardStore, editor: Editor): { problem?: Problem } {
  const rejected = store.getState().rejectedWrites.findLast((each) => each.opportunityId === editor.id && each.reason === "rejected");
  const now = store.getState().opportunities.get(editor.id);
  if (!rejected || !now) return {};
  // The editor continued as if it had been saved; reset it to the actual values.
  editor.markSeen(Object.fromEntries(Object.keys(rejected.changes).map((field) => [field, now[field]])));
  fill(editor, rejected.changes);
  store.discard(rejected.id);
  return { problem: rejected.problem };
}

/** Create a card and wait until it is saved or rejected. After a while, stop waiting: the store continues by itself. */
export function createCard(store: BoardStore, fields: Changes & { title: string; phase: string }): Promise<Result & { id: string }> {
  const id = store.create(fields);
  return new Promise((resolve) => {
    const end = (result: Result): void => {
      clearTimeout(timer);
      unsubscribe();
      resolve({ ...result, id });
    };
    const look = (): void => {
      const { opportunities, rejectedWrites, pendingChanges } = store.getState();
      const rejected = rejectedWrites.find((each) => each.opportunityId === id);
      if (rejected) end(rejectedNew(store, rejected));
      else if (opportunities.has(id) && !pendingChanges.has(id)) end({ outcome: "saved" });
    };
    const timer = setTimeout(() => end({ outcome: "queued" }), LONG);
    const unsubscribe = store.subscribe(look);
    if (!navigator.onLine) end({ outcome: "queued" });
    else look();
  });
}

const LONG = 4000;

function rejectedNew(store: BoardStore, rejected: RejectedWrite): Result {
  store.discard(rejected.id);
  return { outcome: "idle", problem: rejected.problem };
}
