/** The fields of a card, with what others did to each while one types. */
import type { BoardState, Changes, Field, RemoteEdit } from "@boardcast/client";
import { Awareness } from "./Awareness";
import type { Faults } from "./faults";
import { FieldInput } from "./FieldInput";
import { FIELDS, type FormField, type Names, type Row } from "./fields";

/** Two halves of a line, or all of it. */
const WIDE: ReadonlySet<FormField> = new Set(["title", "notes", "expected_close_date"]);

export type Unreadable = Partial<Record<FormField, string>>;

interface Props {
  readonly state: BoardState;
  readonly names: Names;
  /** The card with what was typed laid over it. */
  readonly row: Row;
  /** The card as it was when editing began. */
  readonly base: Row;
  readonly remote: readonly RemoteEdit[];
  readonly draft: Changes;
  readonly clashes: readonly Field[];
  readonly faults: Faults;
  readonly unreadable: Unreadable;
  readonly onChange: (changes: Changes) => void;
  readonly onUnreadable: (field: FormField, text: string | null) => void;
  readonly onTheirs: (field: Field) => void;
  readonly onMine: (field: Field) => void;
}

export function Form(props: Props) {
  const { state, row, remote, faults, unreadable, onChange, onUnreadable } = props;
  return (
    <form noValidate onSubmit={(event) => event.preventDefault()} className="grid grid-cols-2 gap-x-3 gap-y-3.5">
      {FIELDS.map((field) => {
        const edit = remote.find((each) => each.field === field);
        return (
          <div key={field} data-field={field} className={WIDE.has(field) ? "col-span-2 min-w-0" : "min-w-0"}>
            <div key={edit?.at} className={edit ? "flash rounded-lg" : undefined}>
              <FieldInput
                field={field}
                row={row}
                state={state}
                error={faults.fields[field]}
                unreadable={unreadable[field]}
                onChange={onChange}
                onUnreadable={(text) => onUnreadable(field, text)}
              />
            </div>
            {edit && (
              <Awareness
                edit={{ ...edit, field }}
                base={props.base}
                names={props.names}
                mine={mine(field, props)}
                onTheirs={() => props.onTheirs(field)}
                onMine={() => props.onMine(field)}
              />
            )}
          </div>
        );
      })}
    </form>
  );
}

function mine(field: FormField, { draft, clashes }: Props): "none" | "clash" | "kept" {
  if (clashes.includes(field)) return "clash";
  return field in draft ? "kept" : "none";
}
