/** An input for one field of a card. */
import type { BoardState, Changes } from "@boardcast/client";
import type { ReactNode } from "react";
import { useI18n } from "../i18n";
import { Field, Select, TextArea } from "../ui";
import { readAmount, writeAmount } from "./amount";
import { CURRENCIES, LONGEST, length, type FormField, type Row } from "./fields";
import { DayInput, NumberInput } from "./inputs";


export interface FieldInputProps {
  readonly field: FormField;
  readonly row: Row;
  readonly state: BoardState;
  readonly onChange: (changes: Changes) => void;
  /** Called with a text that is not a value of the field, and with null when it is one again. */
  readonly onUnreadable: (text: string | null) => void;
  /** Such a text from before. */
  readonly unreadable?: string | undefined;
  readonly label?: ReactNode;
  readonly error?: string | undefined;
  readonly aside?: ReactNode;
}

export function FieldInput(props: FieldInputProps) {
  const { field, row, state, onChange, onUnreadable, unreadable } = props;
  const { t, language } = useI18n();
  const frame = { name: field, label: props.label ?? (field === "probability" ? `${t(`field.${field}`)} (%)` : t(`field.${field}`)), error: props.error, aside: props.aside ?? <Counter field={field} row={row} /> };
  switch (field) {
    case "value":
      return (
        <NumberInput
          {...frame}
          key={language}
          inputMode="decimal"
          value={row.value ?? null}
          initialText={unreadable}
          read={(text) => readAmount(text, language)}
          write={(value) => writeAmount(value, language)}
          wrong={t("error.amountUnreadable")}
          onValue={(value) => onChange({ value })}
          onUnreadable={onUnreadable}
        />
      );
    case "probability":
      return (
        <NumberInput
          {...frame}
          inputMode="numeric"
          value={row.probability ?? null}
          initialText={unreadable}
          read={readWhole}
          write={(value) => (value === null ? "" : String(value))}
          wrong={t("error.percent")}
          onValue={(probability) => onChange({ probability })}
          onUnreadable={onUnreadable}
        />
      );
    case "expected_close_date":
    case "next_activity_date":
      return <DayInput {...frame} value={row[field] ?? null} wrong={t("error.date")} onValue={(day) => onChange({ [field]: day })} onUnreadable={onUnreadable} />;
    case "close_reason":
      return (
        <>
          <Field {...frame} list="close-reasons" autoComplete="off" placeholder={t("panel.noReason")} value={row.close_reason ?? ""} onChange={(event) => onChange({ close_reason: event.target.value || null })} />
          <datalist id="close-reasons">
            {state.board?.closeReasons.map((reason) => (
              <option key={reason} value={reason} />
            ))}
          </datalist>
        </>
      );
    case "notes":
      return <TextArea {...frame} value={row.notes ?? ""} onChange={(event) => onChange({ notes: event.target.value || null })} />;
    case "phase":
    case "owner_id":
    case "currency":
      return (
        <Select {...frame} value={row[field] ?? ""} onChange={(event) => onChange(chosen(field, event.target.value))}>
          {options(field, row, state, t("unassigned")).map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
      );
    case "title":
      return <Field {...frame} autoComplete="off" required value={row.title ?? ""} onChange={(event) => onChange({ title: event.target.value })} />;
    default:
      return <Field {...frame} autoComplete="off" value={row[field] ?? ""} onChange={(event) => onChange({ [field]: event.target.value || null })} />;
  }
}

/** Shown when a text gets close to its limit. The text is not cut off, so nothing that was pasted is lost. */
function Counter({ field, row }: { readonly field: FormField; readonly row: Row }) {
  const { t, format } = useI18n();
  const max = LONGEST[field];
  const count = length(String(row[field] ?? ""));
  if (max === undefined || count <= max * 0.8) return null;
  const over = count - max;
  return (
    <span className={over > 0 ? "text-danger text-xs font-medium" : "text-soft tabular text-xs"}>
      {over > 0 ? t("panel.tooMuch", { count: over }) : t("panel.count", { count: format.number(count), max: format.number(max) })}
    </span>
  );
}

function readWhole(text: string): number | null | undefined {
  const written = text.replace(/[\s%]/g, "");
  if (written === "") return null;
  return /^\d{1,9}$/.test(written) ? Number(written) : undefined;
}

function chosen(field: "phase" | "owner_id" | "currency", value: string): Changes {
  return field === "owner_id" ? { owner_id: value || null } : { [field]: value };
}

/** The options of a field. The current value is an option even if the board does not have it. */
function options(field: "phase" | "owner_id" | "currency", row: Row, { board, members }: BoardState, unassigned: string): [string, string][] {
  const known: [string, string][] =
    field === "phase" ? (board?.phases ?? []).map((phase) => [phase.id, phase.name])
    : field === "owner_id" ? [["", unassigned], ...members.map((member): [string, string] => [member.userId, member.name])]
    : CURRENCIES.map((code) => [code, code]);
  const now = row[field] ?? "";
  return known.some(([id]) => id === now) ? known : [...known, [now, now]];
}
