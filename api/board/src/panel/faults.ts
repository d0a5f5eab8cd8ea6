/** What the server refused, said by field where it names one. The server's own words are the last resort. */
import type { Trouble } from "@boardcast/client";
import type { Translate } from "../i18n";
import { FIELDS, LONGEST, type FormField } from "./fields";

export interface Faults {
  readonly fields: Partial<Record<FormField, string>>;
  /** What is wrong with the whole; null if the fields say it all. */
  readonly whole: string | null;
}

export const NO_FAULTS: Faults = { fields: {}, whole: null };

export function faults(trouble: Trouble, t: Translate): Faults {
  if (trouble.code === "unknown-phase") return { fields: { phase: t("fault.unknownPhase") }, whole: null };
  if (trouble.code === "unknown-user") return { fields: { owner_id: t("fault.unknownUser") }, whole: null };
  const found = Object.fromEntries(entries(trouble, t)) as Faults["fields"];
  return Object.keys(found).length > 0 ? { fields: found, whole: null } : { fields: {}, whole: reason(trouble, t) };
}

/** Why a write was refused, in one sentence. */
export function reason(trouble: Trouble, t: Translate): string {
  switch (trouble.code) {
    case "read-only":
      return t("fault.readOnly");
    case "unknown-board":
      return t("fault.unknownBoard");
    case "unknown-opportunity":
      return t("fault.unknownCard");
    case "unknown-phase":
      return t("fault.unknownPhase");
    case "unknown-user":
      return t("fault.unknownUser");
    case "invalid-input":
      return t("fault.invalid");
    case "body-too-large":
      return t("fault.tooLarge");
    case "unauthenticated":
    case "invalid-token":
    case "expired-token":
      return t("fault.signedOut");
    case "network":
      return t("fault.network");
    case "busy":
    case "timeout":
    case "database-unavailable":
    case "internal-error":
      return t("fault.later");
    default:
      return t("fault.other", { detail: trouble.message });
  }
}

function entries({ errors = [] }: Trouble, t: Translate): [FormField, string][] {
  return errors.flatMap(({ pointer, code, detail }): [FormField, string][] => {
    const field = FIELDS.find((name) => pointer === `/${name}`);
    return field ? [[field, one(field, code, detail, t)]] : [];
  });
}

function one(field: FormField, code: string, detail: string, t: Translate): string {
  if (code === "string_too_long") return t("fault.long", { max: LONGEST[field] ?? 0 });
  if (code === "string_too_short" || code === "missing") return t("fault.empty");
  if (field === "value") return t("fault.amount");
  if (field === "probability") return t("fault.percent");
  if (field === "expected_close_date") return t("fault.date");
  return t("fault.other", { detail });
}
