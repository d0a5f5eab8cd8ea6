/** Names for the ids in a board's rows: users and phases. */
import type { BoardState } from "@boardcast/client";
import { useMemo } from "react";
import { useI18n } from "../i18n";
import type { Names } from "./fields";

export function useNames({ board, members }: BoardState): Names {
  const { t } = useI18n();
  return useMemo(() => {
    const people = new Map(members.map((member) => [member.userId, member.name]));
    const phases = new Map(board?.phases.map((phase) => [phase.id, phase.name]));
    return {
      // An author who is not a member may be a database user: show the id.
      user: (id) => (id === null ? t("somebody") : (people.get(id) ?? id)),
      phase: (id) => phases.get(id) ?? id,
    };
  }, [board, members, t]);
}
