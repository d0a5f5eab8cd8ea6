/** A deal that is or was on the board, with two tabs: its fields and its history. */
import type { BoardStore, Http, Opportunity } from "@boardcast/client";
import { useBoard } from "@boardcast/client/react";
import { useId, useState, type ReactNode } from "react";
import { useI18n } from "../i18n";
import { CardSubtitle } from "./CardSubtitle";
import { EditCard } from "./EditCard";
import { PanelHeader, tabPanelProps, type PanelTab } from "./PanelHeader";
import { History } from "./History";
import { useNames } from "./names";
import { Notice } from "./Notice";
import { ReadCard } from "./ReadCard";
import { Sheet } from "./Sheet";
import { useEditor } from "./useEditor";

interface Props {
  readonly store: BoardStore;
  readonly http: Http;
  readonly id: string;
  readonly onClose: () => void;
  readonly onOpen: (id: string) => void;
  readonly onDeleted: (deleted: { readonly id: string; readonly title: string }) => void;
}

export function CardPanel(props: Props) {
  const { store, id } = props;
  const state = useBoard(store);
  const card = state.opportunities.get(id);
  const writes = state.role !== null && state.role !== "viewer";
  const editor = useEditor(store, id, card !== undefined && writes);
  const [tab, setTab] = useState<PanelTab>("details");
  // The deal as it was last shown, once it is deleted.
  const [last, setLast] = useState(card);
  if (card && card !== last) setLast(card);

  if (editor) return <EditCard {...props} editor={editor} card={card ?? last} tab={tab} onTab={setTab} />;
  if (card && writes) return null; // its editor opens before anything is painted
  if (card) return <Reading {...props} card={card} tab={tab} onTab={setTab} />;
  return <Missing {...props} last={last} writes={writes} />;
}

interface ReadingProps extends Props {
  readonly card: Opportunity;
  readonly tab: PanelTab;
  readonly onTab: (tab: PanelTab) => void;
}

function Reading({ store, http, id, card, tab, onTab, onClose }: ReadingProps) {
  const { t } = useI18n();
  const names = useNames(store.getState());
  return (
    <Frame id={id} title={card.title} subtitle={<CardSubtitle card={card} phase={names.phase(card.phase)} by={names.user(card.last_modified_by)} />} tab={tab} onTab={onTab} onClose={onClose}>
      {tab === "details" && <Notice tone="plain">{t("panel.viewer")}</Notice>}
      {tab === "details" ? <ReadCard card={card} names={names} /> : <History store={store} http={http} id={id} current={card} writes={false} />}
    </Frame>
  );
}

function Missing({ store, http, id, last, writes, onClose }: Props & { readonly last: Opportunity | undefined; readonly writes: boolean }) {
  const { t } = useI18n();
  return (
    <Frame id={id} title={last?.title ?? t("panel.history")} subtitle={t("delete.missing")} onClose={onClose}>
      <History store={store} http={http} id={id} current={undefined} writes={writes} />
    </Frame>
  );
}

interface FrameProps {
  readonly id: string;
  readonly title: string;
  readonly subtitle: ReactNode;
  readonly tab?: PanelTab;
  readonly onTab?: (tab: PanelTab) => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

function Frame({ id, children, ...head }: FrameProps) {
  const heading = useId();
  return (
    <Sheet labelledBy={heading} first="h2" card={() => id} onClose={head.onClose} onSave={null}>
      <PanelHeader id={heading} {...head} />
      <div {...(head.tab ? tabPanelProps(heading, head.tab) : {})} className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 py-4">
        {children}
      </div>
    </Sheet>
  );
}
