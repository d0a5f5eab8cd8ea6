import type { Opportunity } from "@boardcast/client";
import { useI18n } from "../i18n";
import { AlertIcon, CheckIcon, classes, ClockIcon, CloseIcon, FlagIcon } from "../ui";
import { dayOf, idleDays, today } from "./closing";
import { useTools } from "./context";

const PILL = "inline-flex max-w-full items-center gap-1 rounded-full px-1.5 text-xs leading-5 font-medium";

/** How a deal has ended: by an icon and a word, not by a color alone. */
export function Closed({ card, won }: { readonly card: Opportunity; readonly won: boolean }) {
  const { t, format } = useI18n();
  const at = card.closed_at ? dayOf(new Date(card.closed_at)) : null;
  const when = at ? t(won ? "wonOn" : "lostOn", { date: format.day(at) }) : t(won ? "won" : "lost");
  const reason = card.close_reason ?? (won ? null : t("noReason"));
  return (
    <p className="mt-0.5 flex flex-wrap items-center gap-x-1.5 gap-y-0.5 text-xs" title={at ? t(won ? "wonOn" : "lostOn", { date: format.date(at) }) : undefined}>
      <span className={classes(PILL, "bg-column", won ? "text-good" : "text-danger")}>
        {won ? <CheckIcon className="size-3.5" /> : <CloseIcon className="size-3.5" />}
        {when}
      </span>
      {reason !== null && <span className={classes("text-soft min-w-0 truncate", !card.close_reason && "italic")}>{reason}</span>}
    </p>
  );
}

/** What an open deal waits for: an activity that is due, or any change at all. */
export function Signals({ card }: { readonly card: Opportunity }) {
  const { t, format } = useI18n();
  const { staleDays } = useTools();
  const due = card.next_activity_date ?? null;
  const now = today();
  const isDue = due !== null && due <= now;
  const idle = idleDays(card);
  const stale = idle !== null && idle > staleDays;
  if (!isDue && !stale) return null;
  const label = due === null ? "" : t(due < now ? "activityLate" : "activity", { date: format.date(due), text: card.next_activity ?? "" });
  return (
    <div className="mt-0.5 flex flex-wrap gap-1">
      {isDue && (
        <span title={label} data-activity="" className={classes(PILL, due < now ? "bg-danger-soft text-danger" : "bg-accent-soft text-ink")}>
          {due < now ? <AlertIcon className="size-3.5" /> : <FlagIcon className="size-3.5" />}
          <span className="sr-only">{label}</span>
          <span aria-hidden="true" className="truncate">
            {card.next_activity || format.day(due)}
          </span>
        </span>
      )}
      {stale && (
        <span title={t("idleSince", { date: format.date(dayOf(new Date(card.last_sync_at ?? card.created_at))) })} data-stale="" className={classes(PILL, "bg-warn-soft text-warn-ink")}>
          <ClockIcon className="size-3.5" />
          {t("idle", { count: idle })}
        </span>
      )}
    </div>
  );
}
