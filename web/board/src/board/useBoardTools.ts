import type { BoardState, BoardStore } from "@boardcast/client";
import { useMemo } from "react";
import { useI18n } from "../i18n";
import { useNames } from "../panel/names";
import { useAnnounce } from "./Announcer";
import { kindOf } from "./closing";
import type { BoardTools } from "./context";

type Open = (panel: { readonly id: string; readonly phase?: string }) => void;

export function useBoardTools(store: BoardStore, state: BoardState, me: string, show: Open, askReason: (id: string) => void): BoardTools {
  const { t } = useI18n();
  const announce = useAnnounce();
  const names = useNames(state);
  const { board, role, members } = state;
  return useMemo(
    () => ({
      store,
      me,
      phases: board?.phases ?? [],
      members,
      editable: (role === "editor" || role === "admin") && board?.archived !== true,
      phaseName: names.phase,
      kindOf: (phase) => kindOf(board?.phases, phase),
      staleDays: board?.staleDays ?? 14,
      onMoved: (id, phase, from) => phase !== from && kindOf(board?.phases, phase) === "lost" && askReason(id),
      nameOf: names.user,
      open: (id) => show({ id }),
      create: (phase) => show({ id: "new", phase }),
      moveTo: (id, phase) => {
        const { title = "", phase: from = "" } = store.getState().opportunities.get(id) ?? {};
        store.move(id, phase);
        announce(t("moved", { title, phase: names.phase(phase) }));
        if (phase !== from && kindOf(board?.phases, phase) === "lost") askReason(id);
      },
    }),
    [store, board, role, members, names, me, show, askReason, announce, t],
  );
}
