import type { Opportunity } from "@boardcast/client";
import { useI18n } from "../i18n";
import { TimeAgo } from "./TimeAgo";

/** The stage of a deal, its version, and when it last changed. */
export function CardSubtitle({ card, phase, by }: { readonly card: Opportunity; readonly phase: string; readonly by: string }) {
  const { t } = useI18n();
  return (
    <>
      <span className="text-accent font-medium">{phase}</span> · {t("panel.versionBy", { version: card.version_number, name: by })}
      {card.last_sync_at && (
        <>
          {" "}
          <TimeAgo at={card.last_sync_at} />
        </>
      )}
    </>
  );
}
