/** The top of the panel: the deal, who else edits it, and the tabs. */
import type { Presence } from "@boardcast/client";
import type { KeyboardEvent, ReactNode } from "react";
import { useI18n } from "../i18n";
import { Avatar, Button, classes, CloseIcon } from "../ui";

export type PanelTab = "details" | "history";

/** The ARIA properties of a tab's content; `id`: that of the heading. */
export function tabPanelProps(id: string, tab: PanelTab) {
  return { role: "tabpanel", "aria-labelledby": `${id}-${tab}` } as const;
}

interface Props {
  readonly id: string;
  readonly title: string;
  readonly subtitle: ReactNode;
  readonly others?: readonly Presence[] | undefined;
  readonly tab?: PanelTab;
  readonly onTab?: (tab: PanelTab) => void;
  readonly onClose: () => void;
}

export function PanelHeader({ id, title, subtitle, others = [], tab, onTab, onClose }: Props) {
  const { t } = useI18n();
  return (
    <header className="border-line border-b px-5 pt-3">
      <div className="flex items-start gap-2">
        <div className="min-w-0 flex-1 pt-1">
          <div className="text-soft text-xs">{subtitle}</div>
          <h2 id={id} tabIndex={-1} className="mt-0.5 line-clamp-3 text-lg leading-snug font-semibold outline-none">
            {title}
          </h2>
        </div>
        <Button look="quiet" size="icon" aria-label={t("close")} onClick={onClose} className="-mr-2">
          <CloseIcon className="size-5" />
        </Button>
      </div>
      <Others others={others} />
      {tab && onTab ? <Tabs panel={id} tab={tab} onTab={onTab} /> : <div className="h-3" />}
    </header>
  );
}

function Others({ others }: { readonly others: readonly Presence[] }) {
  const { t, format } = useI18n();
  const names = others.map((each) => each.userName);
  return (
    <p role="status" className="empty:hidden">
      {names.length > 0 && (
        <span className="bg-warn-soft text-warn-ink mt-2 flex w-fit items-center gap-2 rounded-2xl py-1 pr-3 pl-1 text-[13px]">
          <span className="flex -space-x-1.5">
            {others.map((each) => (
              <Avatar key={each.userId} id={each.userId} name={each.userName} size="sm" named={false} />
            ))}
          </span>
          {t("panel.alsoEditing", { count: names.length, names: format.list(names) })}
        </span>
      )}
    </p>
  );
}

const TABS = ["details", "history"] as const;

function Tabs({ panel, tab, onTab }: { readonly panel: string; readonly tab: PanelTab; readonly onTab: (tab: PanelTab) => void }) {
  const { t } = useI18n();
  function step(event: KeyboardEvent<HTMLElement>): void {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    const next = tab === "details" ? "history" : "details";
    onTab(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
  }
  return (
    <div role="tablist" className="mt-2 flex gap-5" onKeyDown={step}>
      {TABS.map((each) => (
        <button
          key={each}
          type="button"
          role="tab"
          id={`${panel}-${each}`}
          data-tab={each}
          aria-selected={tab === each}
          tabIndex={tab === each ? 0 : -1}
          onClick={() => onTab(each)}
          className={classes(
            "-mb-px border-b-2 pt-1.5 pb-2 font-medium transition-colors",
            tab === each ? "border-accent text-accent" : "text-soft hover:text-ink border-transparent",
          )}
        >
          {t(`panel.${each}`)}
        </button>
      ))}
    </div>
  );
}
