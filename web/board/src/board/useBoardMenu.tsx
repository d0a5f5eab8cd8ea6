import type { BoardHead, BoardState, Http } from "@boardcast/client";
import type { BoardStore } from "@boardcast/client/store";
import { useMemo, useState, type ReactNode } from "react";
import { useI18n } from "../i18n";
import { BoardSettings, NewBoard } from "../settings";
import { CopyIcon, GearIcon, PlusIcon, type MenuItem } from "../ui";

interface Options {
  readonly store: BoardStore;
  readonly http: Http;
  readonly state: BoardState;
  readonly me: string;
  readonly onCreated: (board: BoardHead) => void;
}

/** What can be done with boards, as menu items, and the dialog that one of them has opened. */
export function useBoardMenu({ store, http, state, me, onCreated }: Options): { readonly items: readonly MenuItem[]; readonly dialog: ReactNode } {
  const { t } = useI18n();
  const [open, setOpen] = useState<"settings" | "new" | "duplicate" | null>(null);
  const close = (): void => setOpen(null);
  const ready = state.status === "ready";
  // The header does not render again with each change of a card.
  const items = useMemo<MenuItem[]>(() => {
    const group = t("settings.actions");
    return [
      { key: "new", group, label: t("settings.newBoard"), icon: <PlusIcon className="text-soft" />, onSelect: () => setOpen("new") },
      ...(ready
        ? [
            { key: "duplicate", group, label: t("settings.duplicate"), icon: <CopyIcon className="text-soft" />, onSelect: () => setOpen("duplicate") },
            { key: "settings", group, label: t("settings.menu"), icon: <GearIcon className="text-soft" />, onSelect: () => setOpen("settings") },
          ]
        : []),
    ];
  }, [t, ready]);
  const created = (board: BoardHead): void => {
    close();
    onCreated(board);
  };
  const dialog =
    open === "settings" ? <BoardSettings store={store} http={http} state={state} me={me} onClose={close} />
    : open === "new" ? <NewBoard http={http} onCreated={created} onClose={close} />
    : open === "duplicate" ? <NewBoard http={http} copyOf={state.board ?? undefined} onCreated={created} onClose={close} />
    : null;
  return { items, dialog };
}
