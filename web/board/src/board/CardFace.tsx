import type { Opportunity, Presence } from "@boardcast/client";
import type { ReactNode } from "react";
import { useI18n } from "../i18n";
import { AlertIcon, Avatar, CalendarIcon, classes, ClockIcon, PeopleIcon } from "../ui";
import { Closed, Signals } from "./CardSignals";
import { today } from "./closing";
import { useTools } from "./context";

interface Props {
  readonly card: Opportunity;
  readonly editing?: readonly Presence[];
  readonly pending?: boolean;
  readonly conflict?: boolean;
  readonly ghost?: boolean;
  readonly lifted?: boolean;
  readonly detailsId?: string;
  readonly title?: ReactNode;
  readonly menu?: ReactNode;
}

/** The appearance of a card, on the board and while it is dragged. */
export function CardFace({ card, editing = [], pending = false, conflict = false, ghost = false, lifted = false, detailsId, title, menu }: Props) {
  const { format } = useI18n();
  const kind = useTools().kindOf(card.phase);
  const chance = kind === "open" ? card.probability : null;
  return (
    <article
      data-face=""
      data-kind={kind}
      data-editing={editing.length > 0 ? "" : undefined}
      className={classes(
        "group relative flex flex-col gap-1 rounded-xl border px-3 py-2.5 shadow-card",
        editing.length > 0 || conflict ? "border-warn ring-warn ring-1" : "border-line hover:border-edge",
        kind === "open" ? "bg-surface" : "bg-closed",
        ghost && "opacity-40 border-dashed border-accent!",
        lifted && "shadow-lift border-accent! ring-accent ring-1",
      )}
    >
      <div className="flex items-start gap-1">
        <h3 className={classes("min-w-0 flex-1 font-medium leading-snug", kind !== "open" && "text-soft", kind === "lost" && "line-through decoration-1")} title={card.title}>
          {title ?? <span className="line-clamp-3 wrap-anywhere">{card.title}</span>}
        </h3>
        {conflict && <AlertIcon className="text-warn-ink mt-0.5 size-4" />}
        {pending && !conflict && <ClockIcon className="text-soft mt-0.5 size-4" />}
        {menu}
      </div>
      <div id={detailsId} className="contents">
        {card.company && (
          <p className="text-soft line-clamp-2 text-[13px]" title={card.company}>
            {card.company}
          </p>
        )}
        {(card.value !== null || chance !== null) && (
          <div className="mt-1 flex items-center justify-between gap-2">
            <span className="tabular min-w-0 font-semibold">{card.value !== null && format.money(card.value, card.currency)}</span>
            {chance !== null && <Chance percent={chance} />}
          </div>
        )}
        {kind !== "open" && <Closed card={card} won={kind === "won"} />}
        {kind === "open" && <Signals card={card} />}
        {((kind === "open" && card.expected_close_date) || card.owner_id !== null) && (
          <div className="mt-0.5 flex min-h-6 items-center justify-between gap-2">
            {kind === "open" && card.expected_close_date ? <Due date={card.expected_close_date} /> : <span />}
            {card.owner_id !== null && <Owner id={card.owner_id} />}
          </div>
        )}
        <Notes pending={pending} conflict={conflict} />
      </div>
      {editing.length > 0 && <Editing editing={editing} />}
    </article>
  );
}

function Owner({ id }: { readonly id: string }) {
  const { t } = useI18n();
  const { nameOf } = useTools();
  const name = nameOf(id);
  return (
    <span title={t("ownedBy", { name })} className="flex">
      <span className="sr-only">{t("ownedBy", { name })}</span>
      <Avatar id={id} name={name} size="sm" named={false} />
    </span>
  );
}

function Chance({ percent }: { readonly percent: number }) {
  const { t, format } = useI18n();
  const label = t("chance", { percent: format.percent(percent) });
  return (
    <span title={label} className="bg-column text-soft tabular shrink-0 rounded-full px-1.5 text-xs leading-5 whitespace-nowrap">
      <span className="sr-only">{label}</span>
      <span aria-hidden="true">{format.percent(percent)}</span>
    </span>
  );
}

function Due({ date }: { readonly date: string }) {
  const { t, format } = useI18n();
  const overdue = date < today();
  const label = t(overdue ? "overdue" : "due", { date: format.date(date) });
  return (
    <span title={label} className={classes("tabular inline-flex shrink-0 items-center gap-1 text-xs", overdue ? "bg-danger-soft text-danger rounded-full px-1.5 leading-5 font-medium" : "text-soft")} data-overdue={overdue ? "" : undefined}>
      {overdue ? <AlertIcon className="size-3.5" /> : <CalendarIcon className="size-3.5" />}
      <span className="sr-only">{label}</span>
      <span aria-hidden="true" className="whitespace-nowrap">{format.day(date)}</span>
    </span>
  );
}

function Notes({ pending, conflict }: { readonly pending: boolean; readonly conflict: boolean }) {
  const { t } = useI18n();
  if (!pending && !conflict) return null;
  return <span className="sr-only">{t(conflict ? "conflict" : "waiting")}</span>;
}

/** The number of people editing; their names on hover and on focus. */
function Editing({ editing }: { readonly editing: readonly Presence[] }) {
  const { t, format } = useI18n();
  const names = t("editingNames", { names: format.list(editing.map(({ userName }) => userName)) });
  return (
    <div className="bg-warn-soft text-warn-ink relative -mx-3 mt-1.5 -mb-2.5 flex items-center gap-1.5 rounded-b-[0.65rem] px-3 py-1 text-xs font-medium" title={names}>
      <PeopleIcon className="size-4" />
      <span className="min-w-0 flex-1 group-focus-within:hidden group-hover:hidden">{t("editing", { count: editing.length })}</span>
      <span className="hidden min-w-0 flex-1 group-focus-within:block group-hover:block">{names}</span>
    </div>
  );
}
