import { DndContext, DragOverlay, type Announcements } from "@dnd-kit/core";
import type { BoardState, BoardStore, Http } from "@boardcast/client";
import { useEffect, useMemo, useRef, useState } from "react";
import { useI18n } from "../i18n";
import { ConflictDialog, Panel, preloadPanel, RejectedWrites, UndoToast } from "../panel";
import { CloseReason, Flow, Forecast } from "../pipeline";
import { ArchiveIcon, Button, useToasts } from "../ui";
import { useAnnounce } from "./Announcer";
import { CardFace } from "./CardFace";
import { Column } from "./Column";
import { BoardContext } from "./context";
import { withDragged } from "./drag/target";
import { useDrag } from "./drag/useDrag";
import { isFiltered, NO_FILTER, type Filter } from "./filter";
import { PipelineBar } from "./PipelineBar";
import { useBoardTools } from "./useBoardTools";
import { useCardFocus } from "./useCardFocus";
import { useCardAnimation } from "./useCardAnimation";
import { useRemoteAnnouncements } from "./useRemoteAnnouncements";
import { useFilteredColumns } from "./useFilteredColumns";

interface Props {
  readonly store: BoardStore;
  readonly http: Http;
  readonly state: BoardState;
  readonly me: string;
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}

/** Ms after the board and its font are loaded until the code of the panel is: what the board itself needs comes first. */
const PRELOAD = 1500;

/** What has to work without a connection, too. */
function preload(): void {
  preloadPanel();
  CloseReason.preload();
}

// The board makes its own announcements: dnd-kit knows only ids, and people need titles.
const SILENT: Announcements = { onDragStart: () => undefined, onDragOver: () => undefined, onDragEnd: () => undefined, onDragCancel: () => undefined };

export function Board({ store, http, state, me, filter, onFilter }: Props) {
  const { t } = useI18n();
  const toasts = useToasts();
  const announce = useAnnounce();
  const root = useRef<HTMLElement>(null);
  const [panel, setPanel] = useState<{ readonly id: string; readonly phase?: string } | null>(null);
  const [removed, setRemoved] = useState<{ readonly id: string; readonly title: string } | null>(null);
  const [looking, look] = useState<"forecast" | "flow" | null>(null);
  const [lost, askReason] = useState<string | null>(null);
  const tools = useBoardTools(store, state, me, setPanel, askReason);
  const openFromChart = (id: string): void => {
    look(null); // it would cover the panel
    tools.open(id);
  };
  const shown = useFilteredColumns(state.columns, filter);
  const open = useMemo(() => tools.phases.map(({ id }) => id), [tools]);

  const { drag, ...dragging } = useDrag({
    store,
    state,
    columns: shown,
    open,
    root,
    onPick: ({ card }, place) => announce(t("picked", { title: card.title, ...place, phase: tools.phaseName(place.phase) })),
    onOver: (_, place) => announce(t("over", { ...place, phase: tools.phaseName(place.phase) })),
    onDrop: ({ card, by, from }, place) => {
      announce(t("dropped", { title: card.title, ...place, phase: tools.phaseName(place.phase) }));
      if (by === "keyboard") focus.to(card.id);
      tools.onMoved(card.id, place.phase, from.phase);
    },
    onCancel: ({ card, by }) => {
      announce(t("notDropped", { title: card.title }));
      if (by === "keyboard") focus.to(card.id);
    },
    onPhaseGone: ({ card }) => toasts.show({ text: t("settings.stageGone", { title: card.title }), tone: "warn" }),
    onVanished: ({ card, target }) => {
      const { title, company, contact, value, currency, owner_id, probability, expected_close_date, notes } = card;
      const again = { title, company, contact, value, currency, owner_id, probability, expected_close_date, notes, phase: target.phase };
      toasts.show({ text: t("vanished", { title }), tone: "warn", stays: null, action: { label: t("vanishedAgain"), run: () => store.create(again) } });
    },
  });
  const leaveReason = (id: string): void => {
    askReason(null);
    focus.to(id);
  };
  const focus = useCardFocus(root, shown, drag?.by === "keyboard" ? drag.card.id : null);
  useCardAnimation(root, store);
  useRemoteAnnouncements(store, tools);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    void document.fonts.ready.then(() => {
      if (!ended) timer = setTimeout(preload, PRELOAD);
    });
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, []);

  const found = useMemo(() => [...shown.values()].reduce((count, cards) => count + cards.length, 0), [shown]);
  const filtered = isFiltered(filter);
  useEffect(() => {
    for (const each of root.current?.querySelectorAll("[data-scroller]") ?? []) each.scrollTop = 0;
  }, [filter]);
  return (
    <BoardContext value={tools}>
      <PipelineBar phases={tools.phases} columns={shown} onLook={look} />
      {filtered && (
        <div className="text-soft flex flex-wrap items-center gap-x-3 gap-y-1 px-4 pt-3 text-[13px]">
          <p role="status">{found === 0 ? `${t("nothingFound")}. ${t("nothingFoundText")}` : t("found", { count: found })}</p>
          <Button size="sm" onClick={() => onFilter(NO_FILTER)}>
            {t("clearFilters")}
          </Button>
        </div>
      )}
      {state.board?.archived && (
        <p role="status" className="bg-warn-soft text-warn-ink flex items-center gap-2 px-4 py-2 text-[13px]">
          <ArchiveIcon />
          {t("settings.archivedText")}
        </p>
      )}
      {state.opportunities.size === 0 && tools.editable && (
        <div className="border-edge mx-4 mt-4 flex flex-wrap items-center gap-3 rounded-2xl border border-dashed px-5 py-4">
          <p className="min-w-0 flex-1 basis-60">
            <strong className="font-semibold">{t("emptyBoard")}.</strong> <span className="text-soft">{t("emptyBoardText")}</span>
          </p>
          <Button look="primary" onClick={() => tools.create(open[0] ?? "")}>
            {t("newFirst")}
          </Button>
        </div>
      )}
      <DndContext
        {...dragging}
        accessibility={{ announcements: SILENT, screenReaderInstructions: { draggable: t("dragHelp") } }}
        autoScroll={false}
      >
        <main
          ref={root}
          aria-label={state.board?.name}
          onKeyDown={drag ? undefined : focus.onKeyDown}
          onFocus={focus.onFocus}
          onBlur={focus.onBlur}
          className={`flex min-h-0 flex-1 scroll-px-3 items-stretch gap-3 overflow-x-auto p-3 sm:scroll-px-4 sm:p-4 ${drag ? "" : "snap-x snap-proximity"}`}
        >
          {[...shown].map(([phase, cards]) => (
            <Column
              key={phase}
              phase={phase}
              known={open.includes(phase)}
              cards={drag ? withDragged(cards, phase, drag.card, drag.target) : cards}
              total={state.columns.get(phase)?.length ?? 0}
              filtered={filtered}
              dragged={drag && (drag.target.phase === phase || drag.from.phase === phase) ? drag.card.id : null}
              lifted={drag?.by === "keyboard" && drag.target.phase === phase}
              aimed={drag?.target.phase === phase}
              current={focus.current !== null && focus.phase === phase ? focus.current : null}
            />
          ))}
        </main>
        <DragOverlay dropAnimation={null} zIndex={50}>
          {drag?.by === "pointer" && (
            <div className="rotate-2 cursor-grabbing" style={{ width: drag.width }}>
              <CardFace card={store.getState().opportunities.get(drag.card.id) ?? drag.card} lifted />
            </div>
          )}
        </DragOverlay>
      </DndContext>
      {panel && (
        <Panel store={store} http={http} opportunityId={panel.id} phase={panel.phase} onClose={() => setPanel(null)} onOpen={tools.open} onDeleted={setRemoved} />
      )}
      {lost !== null && <CloseReason key={lost} store={store} opportunityId={lost} onClose={() => leaveReason(lost)} />}
      {looking === "forecast" && <Forecast phases={tools.phases} columns={shown} onOpen={openFromChart} onClose={() => look(null)} />}
      {looking === "flow" && <Flow http={http} board={store.board} phases={tools.phases} onOpen={openFromChart} onClose={() => look(null)} />}
      <ConflictDialog store={store} />
      <RejectedWrites store={store} onOpen={tools.open} />
      <UndoToast store={store} removed={removed} onDone={() => setRemoved(null)} />
    </BoardContext>
  );
}
