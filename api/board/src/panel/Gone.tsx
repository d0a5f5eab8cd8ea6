import type { BoardStore, Editor } from "@boardcast/client";
import { useI18n } from "../i18n";
import { Button } from "../ui";
import { Notice } from "./Notice";

interface Props {
  readonly store: BoardStore;
  readonly editor: Editor;
  readonly id: string;
  /** Something was typed that is not saved. */
  readonly drafted: boolean;
  readonly onOpen: (id: string) => void;
  readonly onHistory: () => void;
}

/** Somebody deleted the deal while it was open: what was typed can be a new one. */
export function Gone({ store, editor, id, drafted, onOpen, onHistory }: Props) {
  const { t } = useI18n();
  async function asNew(): Promise<void> {
    await editor.save();
    const orphan = store.getState().orphans.findLast((each) => each.opportunityId === id && each.reason === "deleted");
    if (orphan) onOpen(store.retry(orphan.id));
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
      <strong className="font-semibold">{t("delete.goneSomebody")}</strong> {drafted ? t("delete.goneDraft") : t("delete.goneEmpty")}
    </Notice>
  );
}
