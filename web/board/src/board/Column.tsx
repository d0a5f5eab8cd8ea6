import type { Opportunity } from "@boardcast/client";
import { defaultRangeExtractor, useVirtualizer, type Range } from "@tanstack/react-virtual";
import { memo, useCallback, useId, useLayoutEffect, useRef } from "react";
import { useI18n } from "../i18n";
import { stageColor } from "../settings/colors";
import { AlertIcon, Button, classes, PlusIcon } from "../ui";
import { Card } from "./Card";
import { useTools } from "./context";
import { sums } from "./sums";

interface Props {
  readonly phase: string;
  /** Whether it is one of the board's phases. */
  readonly known: boolean;
  readonly cards: readonly Opportunity[];
  /** The number of cards without a filter. */
  readonly total: number;
  readonly filtered: boolean;
  /** The dragged card, if it comes from here or would be dropped here. */
  readonly dragged: string | null;
  /** The dragged card is moved with the keyboard: keep it in view. */
  readonly lifted: boolean;
  readonly aimed: boolean;
  /** The card that has the focus, or had it last. */
  readonly current: string | null;
}

const GUESS = 112;
const GAP = 8;

/** A stage of the board. Only cards in view are in the page, plus the dragged card, the focused card, and the tab stop. */
export const Column = memo(function Column({ phase, known, cards, total, filtered, dragged, lifted, aimed, current }: Props) {
  const { t, format } = useI18n();
  const { editable, phases, phaseName, create } = useTools();
  const stage = phases.find(({ id }) => id === phase);
  const heading = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const indexOf = (id: string | null): number => (id === null ? -1 : cards.findIndex((card) => card.id === id));
  const focusable = Math.max(0, indexOf(current));
  const held = indexOf(dragged);
  const rangeExtractor = useCallback(
    (range: Range) => [...new Set([...defaultRangeExtractor(range), focusable, held])].filter((index) => index >= 0 && index < range.count).sort((a, b) => a - b),
    [focusable, held],
  );
  const virtual = useVirtualizer({
    count: cards.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => GUESS,
    getItemKey: (index) => cards[index]?.id ?? index,
    gap: GAP,
    overscan: 5,
    paddingEnd: 10,
    rangeExtractor,
    useFlushSync: false,
  });

  useLayoutEffect(() => {
    if (lifted && held >= 0) virtual.scrollToIndex(held, { align: "auto" });
  }, [virtual, lifted, held]);

  // The browser scrolls to a card that gets the focus, but where it was guessed to be: the cards around it are measured only then.
  const focused = indexOf(current);
  const shown = useRef<string | null>(null);
  useLayoutEffect(() => {
    if (shown.current === current) return;
    shown.current = current;
    if (focused >= 0) virtual.scrollToIndex(focused, { align: "auto" });
  }, [virtual, focused, current]);

  const name = phaseName(phase);
  const count = filtered ? `${format.number(cards.length)}/${format.number(total)}` : format.number(cards.length);
  return (
    <section
      aria-labelledby={heading}
      data-phase={phase}
      className={classes(
        "bg-column flex max-h-full min-h-0 w-[min(19rem,86vw)] shrink-0 snap-start flex-col self-start rounded-2xl transition-shadow sm:w-auto sm:max-w-[22rem] sm:min-w-[13.5rem] sm:flex-1 sm:snap-align-none",
        aimed && "ring-accent ring-2",
      )}
    >
      <header className="flex items-start gap-2 px-3 pt-3 pb-2">
        <div className="min-w-0 flex-1">
          <h2 id={heading} className="flex items-baseline gap-2 font-semibold">
            {stage && <span aria-hidden="true" className="size-2.5 shrink-0 self-center rounded-full" style={{ background: stageColor(stage) }} />}
            <span className={classes("line-clamp-2 min-w-0", !known && "italic")} title={name}>
              {name}
            </span>
            <span className="text-soft tabular shrink-0 text-[13px] font-medium" aria-label={t("cards", { count: cards.length })}>
              {count}
            </span>
          </h2>
          <p className="text-soft tabular min-h-5 text-[13px]">{sums(cards).map(([currency, value]) => format.money(value, currency)).join(" + ")}</p>
          {!known && (
            <p className="text-warn-ink mt-1 flex items-center gap-1.5 text-xs">
              <AlertIcon className="size-3.5" />
              {t("unknownPhase")}
            </p>
          )}
        </div>
        {editable && known && (
          <Button look="quiet" size="icon" aria-label={t("newInPhase", { phase: name })} title={t("newDeal")} onClick={() => create(phase)} className="-mr-1.5 -mt-1">
            <PlusIcon className="size-5" />
          </Button>
        )}
      </header>
      <div ref={scroller} data-scroller="" className="min-h-16 flex-1 overflow-x-hidden overflow-y-auto overscroll-y-contain rounded-b-2xl px-2 pt-1">
        {cards.length === 0 && <p className="border-line text-soft rounded-xl border border-dashed px-3 py-5 text-center text-[13px]">{t(filtered ? "emptyFiltered" : "emptyColumn")}</p>}
        <ul aria-label={name} className="relative" style={{ height: cards.length ? virtual.getTotalSize() : 0 }}>
          {virtual.getVirtualItems().map(({ index, key, start }) => {
            const card = cards[index];
            if (!card) return null;
            return (
              <li
                key={key}
                ref={virtual.measureElement}
                data-index={index}
                data-card={card.id}
                data-next={cards[index + 1]?.id}
                aria-setsize={cards.length}
                aria-posinset={index + 1}
                className={classes("absolute inset-x-0 top-0 hover:z-10 focus-within:z-10", dragged !== null && "transition-transform duration-150 motion-reduce:transition-none")}
                style={{ transform: `translateY(${String(start)}px)` }}
              >
                <Card card={card} tabbable={index === focusable} ghost={card.id === dragged && !lifted} lifted={card.id === dragged && lifted} />
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
});
