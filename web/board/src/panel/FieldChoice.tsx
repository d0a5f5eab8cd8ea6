/** One field of a conflict: the value before, theirs, mine, and an input for another one. */
import type { BoardState, Changes, Conflict } from "@boardcast/client";
import { useId, type ReactNode } from "react";
import { useI18n } from "../i18n";
import { Avatar, classes } from "../ui";
import { EmptyValue, LineDiff } from "./Difference";
import { FieldInput } from "./FieldInput";
import { shown, type FormField, type Names, type Row } from "./fields";
import { mergeLines } from "./lineDiff";

export type Pick = "theirs" | "mine" | "other";

interface Props {
  readonly field: FormField;
  readonly conflict: Conflict;
  readonly names: Names;
  readonly me: string;
  readonly state: BoardState;
  readonly pick: Pick | undefined;
  readonly typed: Changes;
  readonly onPick: (pick: Pick) => void;
  readonly onTyped: (changes: Changes) => void;
  readonly onUnreadable: (text: string | null) => void;
}

export function FieldChoice(props: Props) {
  const { field, conflict, names, pick, onPick } = props;
  const { t, format } = useI18n();
  const group = useId();
  const { base, theirs } = conflict;
  const mine: Row = { ...theirs, ...conflict.mine };
  const wide = field === "notes";
  const before = base ? shown(field, base, format, names) || t("panel.empty") : t("conflict.noBase");

  function option(which: Pick, who: ReactNode, content: ReactNode, className?: string) {
    return (
      <Option name={group} which={which} chosen={pick === which} who={who} onPick={() => onPick(which)} className={className}>
        {content}
      </Option>
    );
  }

  function content(row: Row): ReactNode {
    if (wide) return <LineDiff before={base?.notes ?? ""} after={row.notes ?? ""} />;
    return <span className="font-medium">{shown(field, row, format, names) || <EmptyValue />}</span>;
  }

  return (
    <fieldset data-choice={field} className="border-line min-w-0 border-t pt-3">
      <legend className="float-left mb-2 w-full">
        <span className="font-semibold">{t(`field.${field}`)}</span>
        {!wide && (
          <span className="text-soft ml-2 text-[13px]">
            {t("conflict.before")}: {before}
          </span>
        )}
      </legend>
      <div className={classes("clear-both grid gap-2", wide ? "grid-cols-1" : "sm:grid-cols-2")}>
        {option("theirs", <Who id={conflict.by ?? ""} name={names.user(conflict.by)} />, content(theirs))}
        {option("mine", <Who id={props.me} name={names.user(props.me)} shown={t("conflict.you")} />, content(mine))}
        {option("other", t("conflict.other"), pick === "other" && <Other {...props} />, wide ? "" : "sm:col-span-2")}
      </div>
    </fieldset>
  );
}

function Who({ id, name, shown = name }: { readonly id: string; readonly name: string; readonly shown?: string }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      {id && <Avatar id={id} name={name} size="sm" named={false} />}
      {shown}
    </span>
  );
}

/** The initial value of the input for another value: mine; for notes, the lines of both. */
export function beginning(field: FormField, { theirs, mine }: Conflict): Row {
  if (field === "notes") return { notes: mergeLines(theirs.notes ?? "", mine.notes ?? "") };
  return { ...theirs, ...mine };
}

function Other({ field, conflict, state, typed, onTyped, onUnreadable }: Props) {
  const { t } = useI18n();
  return (
    <FieldInput
      field={field}
      row={{ ...beginning(field, conflict), ...typed }}
      state={state}
      label={<span className="sr-only">{t("conflict.otherValue", { field: t(`field.${field}`) })}</span>}
      onChange={onTyped}
      onUnreadable={onUnreadable}
    />
  );
}

interface OptionProps {
  readonly name: string;
  readonly which: Pick;
  readonly chosen: boolean;
  readonly who: ReactNode;
  readonly onPick: () => void;
  readonly className?: string | undefined;
  readonly children: ReactNode;
}

function Option({ name, which, chosen, who, onPick, className, children }: OptionProps) {
  const id = useId();
  return (
    <div
      onClick={onPick}
      className={classes(
        "cursor-pointer rounded-xl border px-3 py-3 transition-colors has-[input[type=radio]:focus-visible]:outline-2 outline-accent",
        chosen ? "border-accent bg-accent-soft" : "border-line hover:border-edge",
        className,
      )}
    >
      <label htmlFor={id} className="flex cursor-pointer items-center gap-2 text-[13px] leading-6">
        <input id={id} type="radio" name={name} value={which} checked={chosen} onChange={onPick} aria-describedby={`${id}-what`} className="accent-accent size-4 outline-none" />
        <span className="text-soft">{who}</span>
      </label>
      <div id={`${id}-what`} className="mt-1 empty:hidden">
        {children}
      </div>
    </div>
  );
}
