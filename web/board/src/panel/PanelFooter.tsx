/** The bottom of the panel: unsaved changes, and the result of saving. */
import type { ReactNode } from "react";
import { useI18n } from "../i18n";
import { Button, CheckIcon } from "../ui";
import type { Outcome } from "./useSaving";

interface Props {
  readonly outcome: Outcome;
  readonly count: number;
  readonly label: string;
  readonly blocked: boolean;
  /** Whose changes were merged with the user's. */
  readonly mergedWith: string;
  readonly onSave: () => void;
  readonly onDiscard: (() => void) | null;
  readonly extra?: ReactNode;
}

export function PanelFooter({ outcome, count, label, blocked, mergedWith, onSave, onDiscard, extra }: Props) {
  const { t } = useI18n();
  return (
    <footer className="border-line flex flex-wrap items-center gap-x-2 gap-y-1.5 border-t px-5 py-3">
      <p role="status" className="text-soft min-w-0 flex-1 basis-full text-[13px] empty:hidden md:basis-32 md:empty:block">
        {outcome === "saved" && count === 0 && (
          <span className="text-good inline-flex items-center gap-1">
            <CheckIcon /> {t("save.saved")}
          </span>
        )}
        {outcome === "merged" && count === 0 && (
          <span className="text-good inline-flex items-center gap-1">
            <CheckIcon /> {t("save.merged", { name: mergedWith })}
          </span>
        )}
        {outcome === "queued" && t("save.queued")}
        {blocked ? t("save.unreadable") : count > 0 && outcome !== "queued" && t("save.unsaved", { count })}
      </p>
      {extra}
      <span className="flex-1 md:hidden" />
      {onDiscard && (
        <Button look="quiet" onClick={onDiscard}>
          {t("save.discard")}
        </Button>
      )}
      <Button look="primary" disabled={count === 0 || blocked || outcome === "saving"} onClick={onSave} title={t("save.keys")} aria-keyshortcuts="Control+Enter">
        {outcome === "saving" ? t("save.saving") : label}
      </Button>
    </footer>
  );
}
