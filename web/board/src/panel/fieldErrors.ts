/** Why the server rejected a write, by field where possible. The server's own words are the last resort. */
import type { Problem } from "@boardcast/client";
import type { Translate } from "../i18n";
import { FIELDS, LONGEST, type FormField } from "./fields";

export interface FieldErrors {
  readonly fields: Partial<Record<FormField, string>>;
  /** What is wrong with the deal as a whole; null if the fields say it all. */
  readonly whole: string | null;
}

export const NO_ERRORS: FieldErrors = { fields: {}, whole: null };

export function fieldErrors(problem: Problem, t: Translate): FieldErrors {
  if (problem.code === "unknown-phase") return { fields: { phase: t("error.unknownPhase") }, whole: null };
  if (problem.code === "unknown-user") return { fields: { owner_id: t("error.unknownUser") }, whole: null };
  const found = Object.fromEntries(entries(problem, t)) as FieldErrors["fields"];
  return Object.keys(found).length > 0 ? { fields: found, whole: null } : { fields: {}, whole: describeProblem(problem, t) };
}

/** Why a write was rejected, in one sentence. */
export function describeProblem(problem: Problem, t: Translate): string {
  switch (problem.code) {
    case "read-only":
      return t("error.readOnly");
    case "unknown-board":
      return t("error.unknownBoard");
    case "unknown-opportunity":
      return t("error.unknownCard");
    case "unknown-phase":
      return t("error.unknownPhase");
    case "unknown-user":
      return t("error.unknownUser");
    case "invalid-input":
      return t("error.invalid");
    case "body-too-large":
      return t("error.tooLarge");
    case "unauthenticated":
    case "invalid-token":
    case "expired-token":
      return t("error.signedOut");
    case "network":
      return t("error.network");
    case "busy":
    case "timeout":
    case "database-unavailable":
    case "internal-error":
      return t("error.later");
    default:
      return t("error.other", { detail: problem.message });
  }
}

function entries({ errors = [] }: Problem, t: Translate): [FormField, string][] {
  return errors.flatMap(({ pointer, code, detail }): [FormField, string][] => {
    const field = FIELDS.find((name) => pointer === `/${name}`);
    return field ? [[field, one(field, code, detail, t)]] : [];
  });
}

function one(field: FormField, code: string, detail: string, t: Translate): string {
  if (code === "string_too_long") return t("error.long", { max: LONGEST[field] ?? 0 });
  if (code === "string_too_short" || code === "missing") return t("error.empty");
  if (field === "value") return t("error.amount");
  if (field === "probability") return t("error.percent");
  if (field === "expected_close_date") return t("error.date");
  return t("error.other", { detail });
}
