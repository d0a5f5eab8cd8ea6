/** A deal to create. What was typed is kept until the deal is created or the draft is discarded. */
import type { BoardStore, Changes } from "@boardcast/client";
import { useBoard } from "@boardcast/client/react";
import { useId, useRef, useState } from "react";
import { useI18n } from "../i18n";
import { PanelFooter } from "./PanelFooter";
import { Form } from "./Form";
import { PanelHeader } from "./PanelHeader";
import { useNames } from "./names";
import { Notice } from "./Notice";
import { Sheet } from "./Sheet";
import { useNewDraft, useUnreadable } from "./localDrafts";
import { createCard, useSaving } from "./useSaving";

interface Props {
  readonly store: BoardStore;
  readonly phase?: string | undefined;
  readonly onClose: () => void;
}

export function NewPanel({ store, phase, onClose }: Props) {
  const { t } = useI18n();
  const state = useBoard(store);
  const names = useNames(state);
  const [draft, setDraft] = useNewDraft(store);
  const [unreadable, setUnreadable] = useUnreadable(store, "new");
  const saving = useSaving();
  const heading = useId();
  const made = useRef("");
  const [left, setLeft] = useState(Object.keys(draft).length > 0);
  // The column that the user chose overrides the one of an earlier draft.
  const [asked, setAsked] = useState(phase);
  const first = { title: "", phase: phase ?? state.board?.phases[0]?.id ?? "", currency: state.board?.currency ?? "BRL", owner_id: store.userId };
  const stage = asked ?? draft.phase ?? first.phase;
  const base = { ...first, probability: state.board?.phases.find(({ id }) => id === stage)?.probability ?? null };
  const row = { ...base, ...draft, ...(asked ? { phase: asked } : {}) };
  const count = Object.keys(draft).length;
  const blocked = Object.keys(unreadable).length > 0;

  function change(changes: Changes): void {
    if (changes.phase) setAsked(undefined);
    setDraft({ ...draft, ...changes });
    saving.typed(Object.keys(changes) as (keyof Changes)[]);
  }

  function clear(): void {
    setLeft(false);
    setDraft({});
  }

  async function save(): Promise<void> {
    const outcome = await saving.run(async () => {
      const result = await createCard(store, row);
      made.current = result.id;
      return result;
    });
    if (outcome === "idle") return;
    clear();
    onClose();
  }

  const send = count > 0 && !blocked && saving.outcome !== "saving" ? () => void save() : null;
  return (
    <Sheet labelledBy={heading} first="[name=title]" card={() => made.current} onClose={onClose} onSave={send}>
      <PanelHeader id={heading} title={t("panel.new")} subtitle={names.phase(row.phase)} onClose={onClose} />
      <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 py-4">
        {left && <Notice tone="plain">{t("save.draftBack")}</Notice>}
        {saving.errors.whole && <Notice tone="danger">{saving.errors.whole}</Notice>}
        <Form
          state={state}
          names={names}
          row={row}
          base={base}
          remote={[]}
          clashes={[]}
          errors={saving.errors}
          unreadable={unreadable}
          onChange={change}
          onUnreadable={setUnreadable}
          onTheirs={() => undefined}
          onMine={() => undefined}
        />
      </div>
      <PanelFooter
        outcome={saving.outcome}
        count={count}
        label={t("save.create")}
        blocked={blocked}
        mergedWith=""
        onSave={() => send?.()}
        onDiscard={count > 0 ? clear : null}
      />
    </Sheet>
  );
}
