import type { BoardStore, Conflict } from "@boardcast/client";
import { useState } from "react";
import { useI18n } from "../i18n";
import { Button } from "../ui";
import { ConflictDecision } from "./ConflictDecision";
import type { Names } from "./fields";
import { Notice } from "./Notice";

/** In the panel of a deal: its conflict was postponed. */
export function ConflictNotice({ store, conflict, names }: { readonly store: BoardStore; readonly conflict: Conflict; readonly names: Names }) {
  const { t } = useI18n();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Notice
        tone="warn"
        actions={
          <Button size="sm" look="primary" onClick={() => setOpen(true)}>
            {t("conflict.decide")}
          </Button>
        }
      >
        {t("conflict.open", { name: names.user(conflict.by) })}
      </Notice>
      {open && <ConflictDecision store={store} conflict={conflict} more={0} onLater={() => setOpen(false)} />}
    </>
  );
}
