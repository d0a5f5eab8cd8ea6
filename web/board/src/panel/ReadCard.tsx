import type { Opportunity } from "@boardcast/client";
import { useI18n } from "../i18n";
import { EmptyValue } from "./Difference";
import { FIELDS, shown, type Names } from "./fields";

/** A deal for users who can only view it. */
export function ReadCard({ card, names }: { readonly card: Opportunity; readonly names: Names }) {
  const { t, format } = useI18n();
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-2.5">
      {FIELDS.filter((field) => field !== "currency" && (field !== "close_reason" || card.closed_at)).map((field) => (
        <div key={field} className="col-span-2 grid grid-cols-subgrid">
          <dt className="text-soft">{t(`field.${field}`)}</dt>
          <dd className="min-w-0 whitespace-pre-wrap">{shown(field, card, format, names) || <EmptyValue />}</dd>
        </div>
      ))}
    </dl>
  );
}
