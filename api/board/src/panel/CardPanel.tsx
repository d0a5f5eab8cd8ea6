/** A deal that is (or was) on the board, with its two sides: what it is, and how it came to be so. */
import type { BoardStore, Http, Opportunity } from "@boardcast/client";
import { useId, useState, type ReactNode } from "react";
import { useI18n } from "../i18n";
import { Ago } from "./Ago";
import { EditCard } from "./EditCard";
import { Head, sideOf, type Side } from "./Head";
import { History } from "./History";
import { useNames } from "./names";
import { Notice } from "./Notice";
import { ReadCard } from "./ReadCard";
import { Sheet } from "./Sheet";
import { useEditor } from "./useEditor";
import { useStore } from "./useStore";

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
  const state = useStore(store);
  const card = state.opportunities.get(id);
  const writes = state.role !== null && state.role !== "viewer";
  const editor = useEditor(store, id, card !== undefined && writes);
  const [side, setSide] = useState<Side>("details");
  // The last that was seen of it, once it is deleted.
  const [last, setLast] = useState(card);
  if (card && card !== last) setLast(card);

  if (editor) return <EditCard {...props} editor={editor} card={card ?? last} side={side} onSide={setSide} />;
  if (card && writes) return null; // its editor comes before anything is painted
  if (card) return <Reading {...props} card={card} side={side} onSide={setSide} />;
  return <Missing {...props} last={last} writes={writes} />;
}

interface ReadingProps extends Props {
  readonly card: Opportunity;
  readonly side: Side;
  readonly onSide: (side: Side) => void;
}

function Reading({ store, http, id, card, side, onSide, onClose }: ReadingProps) {
  const { t } = useI18n();
  const names = useNames(store.getState());
  return (
    <Frame id={id} title={card.title} above={<Above card={card} phase={names.phase(card.phase)} by={names.user(card.last_modified_by)} />} side={side} onSide={onSide} onClose={onClose}>
      {side === "details" && <Notice tone="plain">{t("panel.viewer")}</Notice>}
      {side === "details" ? <ReadCard card={card} names={names} /> : <History store={store} http={http} id={id} current={card} writes={false} />}
    </Frame>
  );
}

function Missing({ store, http, id, last, writes, onClose }: Props & { readonly last: Opportunity | undefined; readonly writes: boolean }) {
  const { t } = useI18n();
  return (
    <Frame id={id} title={last?.title ?? t("panel.history")} above={t("delete.missing")} onClose={onClose}>
      <History store={store} http={http} id={id} current={undefined} writes={writes} />
    </Frame>
  );
}

interface FrameProps {
  readonly id: string;
  readonly title: string;
  readonly above: ReactNode;
  readonly side?: Side;
  readonly onSide?: (side: Side) => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

function Frame({ id, children, ...head }: FrameProps) {
  const heading = useId();
  return (
    <Sheet labelledBy={heading} first="h2" card={() => id} onClose={head.onClose} onSave={null}>
      <Head id={heading} {...head} />
      <div {...(head.side ? sideOf(heading, head.side) : {})} className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 py-4">
        {children}
      </div>
    </Sheet>
  );
}

/** Where it stands and how new it is. */
export function Above({ card, phase, by }: { readonly card: Opportunity; readonly phase: string; readonly by: string }) {
  const { t } = useI18n();
  return (
    <>
      <span className="text-accent font-medium">{phase}</span> · {t("panel.versionBy", { version: card.version_number, name: by })}
      {card.last_sync_at && (
        <>
          {" "}
          <Ago at={card.last_sync_at} />
        </>
      )}
    </>
  );
}
