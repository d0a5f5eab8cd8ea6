/** The difference between two values: line by line for notes, before and after for other fields. */
import type { Field } from "@boardcast/client";
import { useI18n } from "../i18n";
import { classes, MoveIcon } from "../ui";
import { shown, type Names, type Row } from "./fields";
import { lineDiff } from "./lineDiff";

interface Props {
  readonly field: Field;
  readonly before: Row;
  readonly after: Row;
  readonly names: Names;
}

export function Difference({ field, before, after, names }: Props) {
  const { t, format } = useI18n();
  if (field === "notes") return <LineDiff before={before.notes ?? ""} after={after.notes ?? ""} />;
  const was = shown(field, before, format, names);
  return (
    <span className="inline-flex flex-wrap items-center gap-x-1.5">
      {was ? <del className="text-soft decoration-soft/60">{was}</del> : <EmptyValue />}
      <MoveIcon className="text-soft size-3.5" />
      <ins className="font-medium no-underline">{shown(field, after, format, names) || <EmptyValue />}</ins>
      <span className="sr-only">({t(`field.${field}`)})</span>
    </span>
  );
}

export function EmptyValue() {
  const { t } = useI18n();
  return <em className="text-soft font-normal">{t("panel.empty")}</em>;
}

const MARKS = { same: " ", added: "+", removed: "−" } as const;
const LOOKS = {
  same: "",
  added: "bg-good/15",
  removed: "bg-danger-soft text-danger",
} as const;

export function LineDiff({ before, after }: { readonly before: string; readonly after: string }) {
  const { t } = useI18n();
  return (
    <div className="border-line bg-surface text-ink mt-1 overflow-hidden rounded-lg border text-[13px]">
      {lineDiff(before, after).map((line, index) =>
        line.kind === "folded" ? (
          <div key={index} className="text-soft bg-column px-2 py-0.5 text-xs">
            ⋯ {t("history.folded", { count: line.count })}
          </div>
        ) : (
          <div key={index} className={classes("flex gap-2 px-2 py-0.5", LOOKS[line.kind])}>
            <span aria-hidden="true" className="w-2 shrink-0 select-none">
              {MARKS[line.kind]}
            </span>
            {line.kind !== "same" && <span className="sr-only">{t(`history.${line.kind}`)}: </span>}
            <span className="min-w-0 flex-1 whitespace-pre-wrap">{line.text || "\u00a0"}</span>
          </div>
        ),
      )}
    </div>
  );
}
