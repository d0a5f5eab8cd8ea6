/** A deal being edited, while others may edit it too. */
import type { BoardStore, Changes, Editor, Field, Http, Opportunity } from "@boardcast/client";
import { useBoard } from "@boardcast/client/react";
import { useId, useState, type ComponentProps } from "react";
import { useI18n } from "../i18n";
import { Button, TrashIcon } from "../ui";
import { changed } from "./RemoteEditNotice";
import { CardSubtitle } from "./CardSubtitle";
import { ConflictNotice } from "./ConflictNotice";
import { PanelFooter } from "./PanelFooter";
import { Form } from "./Form";
import { DeletedNotice } from "./DeletedNotice";
import { PanelHeader, tabPanelProps, type PanelTab } from "./PanelHeader";
import { History } from "./History";
import { useNames } from "./names";
import { Notice } from "./Notice";
import { Sheet } from "./Sheet";
import { useUnreadable } from "./localDrafts";
import { keepMine, takeTheirs, typeInto } from "./editing";
import { useEditorState } from "./useEditor";
import { saveCard, useSaving } from "./useSaving";

interface Props {
  readonly store: BoardStore;
  readonly http: Http;
  readonly id: string;
  readonly editor: Editor;
  /** The card as it is now, or as it was last. */
  readonly card: Opportunity | undefined;
  readonly tab: PanelTab;
  readonly onTab: (tab: PanelTab) => void;
  readonly onClose: () => void;
  readonly onOpen: (id: string) => void;
  readonly onDeleted: (deleted: { readonly id: string; readonly title: string }) => void;
}

export function EditCard({ store, http, id, editor, card, tab, onTab, onClose, onOpen, onDeleted }: Props) {
  const { t, format } = useI18n();
  const state = useBoard(store);
  const names = useNames(state);
  const editing = useEditorState(editor) ?? editor.getState();
  const { base, draft, remote, clashes, gone } = editing;
  const [unreadable, setUnreadable] = useUnreadable(store, id);
  const [left, setLeft] = useState(Object.keys(draft).length > 0);
  const [mergedWith, setMergedWith] = useState("");
  const [asked, setAsked] = useState(false);
  const saving = useSaving();
  const heading = useId();

  const now = card ?? base;
  const row = { ...now, ...draft };
  const count = Object.keys(draft).length;
  const blocked = Object.keys(unreadable).length > 0;
  const conflict = state.conflicts.get(id);
  const waiting = conflict !== undefined || state.pendingChanges.has(id);
  if (conflict && !asked) setAsked(true);
  if ((asked || saving.outcome === "queued") && !waiting) {
    setAsked(false);
    saving.settled(state.rejectedWrites.some((rejected) => rejected.opportunityId === id) ? "idle" : "saved");
  }
  const newest = remote.toSorted((a, b) => b.at - a.at)[0];

  function change(changes: Changes): void {
    typeInto(editor, now, changes);
    saving.typed(Object.keys(changes) as Field[]);
  }

  async function save(): Promise<void> {
    setMergedWith(format.list([...new Set(remote.map((edit) => names.user(edit.userId)))]) || t("somebody"));
    setLeft(false);
    await saving.run(() => saveCard(store, editor));
  }

  function remove(): void {
    onDeleted({ id, title: now.title });
    store.remove(id);
    onClose();
  }

  const close = gone && count > 0 ? () => void editor.save().then(onClose) : onClose;
  const send = count > 0 && !blocked && !gone && saving.outcome !== "saving" ? () => void save() : null;
  return (
    <Sheet labelledBy={heading} first="h2" card={() => id} onClose={close} onSave={send}>
      <PanelHeader
        id={heading}
        title={now.title || t("panel.untitled")}
        subtitle={<CardSubtitle card={now} phase={names.phase(now.phase)} by={names.user(now.last_modified_by)} />}
        others={state.editingUsers.get(id)}
        tab={tab}
        onTab={onTab}
        onClose={close}
      />
      <p role="status" className="sr-only">
        {newest && `${changed(newest, base, names, t, format)}.`}
      </p>
      <Body {...tabPanelProps(heading, "details")} hidden={tab !== "details"}>
        {gone && <DeletedNotice store={store} editor={editor} id={id} names={names} drafted={count > 0} onOpen={onOpen} onHistory={() => onTab("history")} />}
        {conflict && <ConflictNotice store={store} conflict={conflict} names={names} />}
        {left && count > 0 && !conflict && <Notice tone="plain">{t("save.draftBack")}</Notice>}
        {saving.errors.whole && <Notice tone="danger">{saving.errors.whole}</Notice>}
        <Form
          state={state}
          names={names}
          row={row}
          base={base}
          remote={remote}
          clashes={clashes}
          errors={saving.errors}
          unreadable={unreadable}
          onChange={change}
          onUnreadable={setUnreadable}
          onTheirs={(field) => takeTheirs(editor, now, field)}
          onMine={(field) => keepMine(editor, now, field)}
        />
      </Body>
      {tab === "history" && (
        <Body {...tabPanelProps(heading, "history")}>
          <History store={store} http={http} id={id} current={gone ? undefined : now} writes />
        </Body>
      )}
      {!gone && tab === "details" && (
        <PanelFooter
          outcome={saving.outcome}
          count={count}
          label={t("save.save")}
          blocked={blocked}
          mergedWith={mergedWith}
          onSave={() => send?.()}
          onDiscard={count > 0 ? () => editor.discard() : null}
          extra={
            <Button look="quiet" size="icon" aria-label={t("delete.delete")} title={t("delete.delete")} onClick={remove}>
              <TrashIcon />
            </Button>
          }
        />
      )}
    </Sheet>
  );
}

function Body(props: ComponentProps<"div">) {
  return <div {...props} className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 py-4 [&[hidden]]:hidden" />;
}
