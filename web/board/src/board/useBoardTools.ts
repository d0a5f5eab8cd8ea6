import type { BoardState, BoardStore } from "@boardcast/client";
import { useMemo } from "react";
import { useI18n } from "../i18n";
import { useAnnounce } from "./Announcer";
import type { BoardTools } from "./context";

type Open = (panel: { readonly id: string; readonly phase?: string }) => void;

export function useBoardTools(store: BoardStore, { board, role, members }: BoardState, me: string, show: Open): BoardTools {
  const { t } = useI18n();
  const announce = useAnnounce();
  return useMemo(() => {
    const phases = board?.phases ?? [];
    const names = new Map(members.map(({ userId, name }) => [userId, name]));
    const phaseNames = new Map(phases.map(({ id, name }) => [id, name]));
    const phaseName = (phase: string): string => phaseNames.get(phase) ?? phase;
    return {
      store,
      me,
      phases,
      members,
      editable: role === "editor" || role === "admin",
      phaseName,
      // An author who is not a member may be a database user: show the id.
      nameOf: (user) => (user === null ? t("somebody") : (names.get(user) ?? user)),
      open: (id) => show({ id }),
      create: (phase) => show({ id: "new", phase }),
      moveTo: (id, phase) => {
        const title = store.getState().opportunities.get(id)?.title ?? "";
        store.move(id, phase);
        announce(t("moved", { title, phase: phaseName(phase) }));
      },
    };
  }, [store, board, role, members, me, show, announce, t]);
}
