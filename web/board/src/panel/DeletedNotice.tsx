import type { BoardStore, Editor } from "@boardcast/client";
import { useState } from "react";
import { useI18n } from "../i18n";
import { Button } from "../ui";
import type { Names } from "./fields";
import { Notice } from "./Notice";

interface Props {
  readonly store: BoardStore;
  readonly editor: Editor;
  readonly id: string;
  readonly names: Names;
  /** There are unsaved changes. */
  readonly drafted: boolean;
  readonly onOpen: (id: string) => void;
  readonly onHistory: () => void;
}

/** Somebody deleted the deal while it was open: the user's changes can become a new deal. */
export function DeletedNotice({ store, editor, id, names, drafted, onOpen, onHistory }: Props) {
  const { t } = useI18n();
  const [by] = useState(() => store.getState().lastRemote.find((each) => each.id === id && each.kind === "deleted")?.userId);
  async function asNew(): Promise<void> {
    await editor.save();
    const rejected = store.getState().rejectedWrites.findLast((each) => each.opportunityId === id && each.reason === "deleted");
    if (rejected) onOpen(store.retry(rejected.id));
  }
  return (
    <Notice
      tone="warn"
      actions={
        <>
          {drafted && (
            <Button look="primary" size="sm" onClick={() => void asNew()}>
              {t("delete.asNew")}
            </Button>
          )}
          <Button size="sm" onClick={onHistory}>
            {t("panel.history")}
          </Button>
        </>
      }
    >
      <strong className="font-semibold">{by ? t("delete.gone", { name: names.user(by) }) : t("delete.goneSomebody")}</strong> {drafted ? t("delete.goneDraft") : t("delete.goneEmpty")}
    </Notice>
  );
}
