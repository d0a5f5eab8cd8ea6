/** Sending what was typed, and what became of it. What is refused goes back into the form, as it was typed. */
import type { BoardStore, Editor, Field, Orphan, Changes, Trouble } from "@boardcast/client";
import { useState } from "react";
import { useI18n } from "../i18n";
import { fill } from "./editing";
import { faults, NO_FAULTS, type Faults } from "./faults";

export type Outcome = "idle" | "saving" | "saved" | "merged" | "queued";

export type Result = { readonly outcome: Outcome; readonly refusal?: Trouble };

export interface Saving {
  readonly outcome: Outcome;
  readonly faults: Faults;
  /** Send; one at a time. */
  readonly run: (send: () => Promise<Result>) => Promise<Outcome>;
  /** What had to wait, for a decision or the connection, does not any more. */
  readonly settled: (outcome: "saved" | "idle") => void;
  /** Something was typed since. */
  readonly typed: (fields: readonly Field[]) => void;
}

export function useSaving(): Saving {
  const { t } = useI18n();
  const [outcome, setOutcome] = useState<Outcome>("idle");
  const [found, setFound] = useState<Faults>(NO_FAULTS);
  return {
    outcome,
    faults: found,
    run: async (send) => {
      setOutcome("saving");
      setFound(NO_FAULTS);
      const result = await send();
      setOutcome(result.outcome);
      if (result.refusal) setFound(faults(result.refusal, t));
      return result.outcome;
    },
    settled: setOutcome,
    typed: (fields) => {
      setOutcome((now) => (now === "saving" ? now : "idle"));
      setFound((now) => (now === NO_FAULTS ? now : { fields: Object.fromEntries(Object.entries(now.fields).filter(([name]) => !fields.some((each) => each === name))), whole: null }));
    },
  };
}

/** Save an open card. */
export async function saveCard(store: BoardStore, editor: Editor): Promise<Result> {
  const { base, remote } = editor.getState();
  const saved = await editor.save();
  if (saved === "refused") return { outcome: "idle", ...takeBack(store, editor) };
  if (saved === "queued") return { outcome: "queued" };
  if (saved !== "saved") return { outcome: "idle" };
  const version = store.getState().opportunities.get(editor.id)?.version_number ?? 0;
  return { outcome: remote.length > 0 || version > base.version_number + 1 ? "merged" : "saved" };
}

function takeBack(store: BoardStore, editor: Editor): { refusal?: Trouble } {
  const orphan = store.getState().orphans.findLast((each) => each.opportunityId === editor.id && each.reason === "refused");
  const now = store.getState().opportunities.get(editor.id);
  if (!orphan || !now) return {};
  // The editor went on as if it had been saved: what there is, is what was before.
  editor.absorb(Object.fromEntries(Object.keys(orphan.changes).map((field) => [field, now[field]])));
  fill(editor, orphan.changes);
  store.discard(orphan.id);
  return { refusal: orphan.problem };
}

/** Make a card and wait until it is there, refused, or clear that it takes longer: then the store goes on by itself. */
export function createCard(store: BoardStore, fields: Changes & { title: string; phase: string }): Promise<Result & { id: string }> {
  const id = store.create(fields);
  return new Promise((resolve) => {
    const end = (result: Result): void => {
      clearTimeout(timer);
      unsubscribe();
      resolve({ ...result, id });
    };
    const look = (): void => {
      const { opportunities, orphans, pendingChanges } = store.getState();
      const orphan = orphans.find((each) => each.opportunityId === id);
      if (orphan) end(refusedNew(store, orphan));
      else if (opportunities.has(id) && !pendingChanges.has(id)) end({ outcome: "saved" });
    };
    const timer = setTimeout(() => end({ outcome: "queued" }), LONG);
    const unsubscribe = store.subscribe(look);
    if (!navigator.onLine) end({ outcome: "queued" });
    else look();
  });
}

const LONG = 4000;

function refusedNew(store: BoardStore, orphan: Orphan): Result {
  store.discard(orphan.id);
  return { outcome: "idle", refusal: orphan.problem };
}
