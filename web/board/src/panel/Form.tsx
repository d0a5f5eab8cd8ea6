/** The fields of a card, with what others changed in each while the user types. */
import type { BoardState, Changes, Field, RemoteEdit } from "@boardcast/client";
import { useEffect, useRef } from "react";
import { isClosed } from "../board/closing";
import { RemoteEditNotice } from "./RemoteEditNotice";
import type { FieldErrors } from "./fieldErrors";
import { FieldInput } from "./FieldInput";
import { type FormField, type Names, type Row } from "./fields";

const ROWS: readonly (readonly FormField[])[] = [
  ["title"],
  ["company", "contact"],
  ["value", "currency"],
  ["phase", "probability"],
  ["owner_id", "expected_close_date"],
  ["close_reason"],
  ["next_activity", "next_activity_date"],
  ["notes"],
];

const FLASH = 1800;

export type Unreadable = Partial<Record<FormField, string>>;

interface Props {
  readonly state: BoardState;
  readonly names: Names;
  /** The card with what was typed applied to it. */
  readonly row: Row;
  /** The card as it was when editing began. */
  readonly base: Row;
  readonly remote: readonly RemoteEdit[];
  readonly clashes: readonly Field[];
  readonly errors: FieldErrors;
  readonly unreadable: Unreadable;
  readonly onChange: (changes: Changes) => void;
  readonly onUnreadable: (field: FormField, text: string | null) => void;
  readonly onTheirs: (field: Field) => void;
  readonly onMine: (field: Field) => void;
}

export function Form(props: Props) {
  return (
    <form noValidate onSubmit={(event) => event.preventDefault()} className="flex flex-col gap-3.5">
      {ROWS.map((fields) => {
        if (fields[0] === "close_reason" && !isClosed(props.state.board?.phases, props.row.phase)) return null;
        const edits = fields.flatMap((field) => props.remote.filter((edit) => edit.field === field).map((edit) => ({ ...edit, field })));
        return (
          <div key={fields[0]}>
            <div className="flex gap-3">
              {fields.map((field) => (
                <OneField key={field} {...props} field={field} since={edits.find((edit) => edit.field === field)?.at} />
              ))}
            </div>
            {edits.map((edit) => (
              <RemoteEditNotice
                key={edit.field}
                edit={edit}
                base={props.base}
                names={props.names}
                clash={props.clashes.includes(edit.field)}
                onTheirs={() => props.onTheirs(edit.field)}
                onMine={() => props.onMine(edit.field)}
              />
            ))}
          </div>
        );
      })}
    </form>
  );
}

/** `since`: when somebody else changed it, which highlights it. */
function OneField({ field, since, row, state, errors, unreadable, onChange, onUnreadable }: Props & { readonly field: FormField; readonly since: number | undefined }) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (since === undefined || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const lit = { backgroundColor: "var(--warn-soft)", boxShadow: "0 0 0 0.4rem var(--warn-soft)" };
    const flash = frame.current?.animate([lit, {}], { duration: FLASH, easing: "ease-out" });
    return () => flash?.cancel();
  }, [since]);
  return (
    <div ref={frame} data-field={field} className="min-w-0 flex-1 rounded-lg">
      <FieldInput
        field={field}
        row={row}
        state={state}
        error={errors.fields[field]}
        unreadable={unreadable[field]}
        onChange={onChange}
        onUnreadable={(text) => onUnreadable(field, text)}
      />
    </div>
  );
}
