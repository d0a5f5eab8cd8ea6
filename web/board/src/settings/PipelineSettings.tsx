import type { BoardHead } from "@boardcast/client";
import { useState } from "react";
import { useI18n } from "../i18n";
import { Field, TextArea } from "../ui";
import type { BoardChange } from "./requests";

interface Props {
  readonly board: BoardHead;
  readonly editable: boolean;
  readonly change: (of: (board: BoardHead) => BoardChange) => Promise<boolean>;
}

/** The limits of the API. */
const MAX_REASONS = 30;
const LONGEST = 300;

/** The usual reasons why deals are lost, and when a deal is stale. Saved when the focus leaves. */
export function PipelineSettings({ board, editable, change }: Props) {
  const { t } = useI18n();
  const [reasons, setReasons] = useState<string | null>(null);
  const [days, setDays] = useState<string | null>(null);
  const wrong = days !== null && !(Number(days) >= 1 && Number(days) <= 3650);

  async function saveReasons(): Promise<void> {
    if (reasons === null) return;
    const closeReasons = [...new Set(reasons.split("\n").map((line) => line.trim().slice(0, LONGEST)))].filter(Boolean).slice(0, MAX_REASONS);
    if (closeReasons.join("\n") === board.closeReasons.join("\n") || (await change(() => ({ closeReasons })))) setReasons(null);
  }

  async function saveDays(): Promise<void> {
    if (days === null || wrong) return;
    const staleDays = Number(days);
    if (staleDays === board.staleDays || (await change(() => ({ staleDays })))) setDays(null);
  }

  return (
    <div className="grid gap-3 sm:grid-cols-[1fr_12rem]">
      <TextArea label={t("settings.closeReasons")} readOnly={!editable} value={reasons ?? board.closeReasons.join("\n")} onChange={(event) => setReasons(event.target.value)} onBlur={() => void saveReasons()} />
      <Field
        label={t("settings.staleDays")}
        inputMode="numeric"
        autoComplete="off"
        readOnly={!editable}
        value={days ?? String(board.staleDays)}
        error={wrong ? t("settings.staleWrong") : null}
        onChange={(event) => setDays(event.target.value.replace(/\D/g, "").slice(0, 4))}
        onBlur={() => void saveDays()}
        onKeyDown={(event) => event.key === "Enter" && void saveDays()}
      />
    </div>
  );
}
