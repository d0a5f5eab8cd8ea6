/**
 * Two people changed the same fields of a deal. For each field the user picks theirs, mine, or another value.
 *
 * Invariant: nothing is preselected. What the user typed stays while the other side changes further.
 */
import type { BoardStore, Changes, Conflict } from "@boardcast/client";
import { useBoard } from "@boardcast/client/react";
import { useEffect, useRef, useState } from "react";
import { useI18n } from "../i18n";
import { Button, Dialog } from "../ui";
import { beginning, FieldChoice, type Pick } from "./FieldChoice";
import { FIELDS, type FormField, type Row } from "./fields";
import { useNames } from "./names";

interface Props {
  readonly store: BoardStore;
  readonly conflict: Conflict;
  /** The number of conflicts after this one. */
  readonly more: number;
  readonly onLater: () => void;
}

type Picks = Partial<Record<FormField, Pick>>;

export function ConflictDecision({ store, conflict, more, onLater }: Props) {
  const { t } = useI18n();
  const state = useBoard(store);
  const names = useNames(state);
  const [picks, setPicks] = useState<Picks>({});
  const [typed, setTyped] = useState<Changes>({});
  const [unreadable, setUnreadable] = useState<Partial<Record<FormField, true>>>({});
  const fields = FIELDS.filter((field) => conflict.fields.includes(field));
  const left = fields.filter((field) => !picks[field]).length;
  const blocked = fields.some((field) => picks[field] === "other" && unreadable[field]);
  const name = names.user(conflict.by);

  // A dialog focuses the × first, but pressing Enter there would decide nothing.
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => body.current?.querySelector<HTMLElement>("input[type=radio]")?.focus(), []);

  function all(pick: Pick): void {
    setPicks(Object.fromEntries(fields.map((field) => [field, pick])));
  }

  function save(): void {
    if (left > 0 || blocked) return;
    const chosen = fields.map((field) => picks[field]);
    if (chosen.every((pick) => pick === "mine")) store.resolve(conflict.id, { resolution: "client" });
    else store.resolve(conflict.id, { resolution: "merge", data: decided(conflict, fields, picks, typed) });
  }

  return (
    <Dialog
      title={t("conflict.title", { name })}
      closeLabel={t("conflict.later")}
      onClose={onLater}
      footer={
        <>
          <p role="status" className="text-soft flex-1 basis-full self-center text-[13px] empty:hidden sm:basis-0">
            {left > 0 ? t("conflict.left", { count: left }) : more > 0 && t("conflict.more", { count: more })}
          </p>
          <Button look="quiet" onClick={onLater}>
            {t("conflict.later")}
          </Button>
          <Button look="primary" disabled={left > 0 || blocked} onClick={save} aria-keyshortcuts="Control+Enter">
            {t("conflict.save")}
          </Button>
        </>
      }
    >
      <div
        ref={body}
        className="flex flex-col gap-4 [&_textarea]:field-sizing-content max-md:[&_button]:min-h-11"
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
        }}
      >
        <div className="flex flex-wrap items-center gap-2">
          <p className="text-soft min-w-0 flex-1 basis-60">{t("conflict.text", { title: conflict.theirs.title })}</p>
          <Button size="sm" onClick={() => all("theirs")}>
            {t("conflict.allTheirs", { name })}
          </Button>
          <Button size="sm" onClick={() => all("mine")}>
            {t("conflict.allMine")}
          </Button>
        </div>
        {fields.map((field) => (
          <FieldChoice
            key={field}
            field={field}
            conflict={conflict}
            names={names}
            me={store.userId}
            state={state}
            pick={picks[field]}
            typed={typed}
            onPick={(pick) => setPicks((now) => ({ ...now, [field]: pick }))}
            onTyped={(changes) => setTyped((now) => ({ ...now, ...changes }))}
            onUnreadable={(text) => setUnreadable(({ [field]: _, ...rest }) => (text === null ? rest : { ...rest, [field]: true }))}
          />
        ))}
      </div>
    </Dialog>
  );
}

/** A value for each field of the conflict. */
function decided(conflict: Conflict, fields: readonly FormField[], picks: Picks, typed: Changes): Changes {
  const from = (field: FormField): Row => {
    if (picks[field] === "theirs") return conflict.theirs;
    return picks[field] === "mine" ? conflict.mine : { ...beginning(field, conflict), ...typed };
  };
  return Object.fromEntries(fields.map((field) => [field, from(field)[field]]));
}
