import type { BoardStore } from "@boardcast/client";
import { useEffect, useRef } from "react";
import { useI18n } from "../i18n";
import { useToasts } from "../ui";

interface Props {
  readonly store: BoardStore;
  readonly removed: { readonly id: string; readonly title: string } | null;
  readonly onDone: () => void;
}

const STAYS = 10_000;

/** A deal is deleted at once, and can be restored with one click for a while. */
export function UndoToast({ store, removed, onDone }: Props) {
  const { t } = useI18n();
  const { show } = useToasts();
  const done = useRef(onDone);
  useEffect(() => {
    done.current = onDone;
  });
  useEffect(() => {
    if (!removed) return;
    return show({
      text: t("delete.done", { title: removed.title }),
      stays: STAYS,
      action: {
        label: t("delete.undo"),
        run: () => {
          store.undoRemove(removed.id);
          done.current();
        },
      },
    });
  }, [store, removed, show, t]);
  return null;
}
