/** The panel beside the board: a deal to look at, to change, or to make. */
import type { BoardStore, Http } from "@boardcast/client";
import { CardPanel } from "./CardPanel";
import { NewPanel } from "./NewPanel";

export interface PanelProps {
  readonly store: BoardStore;
  readonly http: Http;
  /** "new": a deal that is to be made. One that is not on the board (any more) shows its history. */
  readonly opportunityId: string;
  /** Of a new deal. */
  readonly phase?: string | undefined;
  readonly onClose: () => void;
  /** Another deal is to be shown: one made of what could not be saved. */
  readonly onOpen: (id: string) => void;
  readonly onDeleted: (deleted: { readonly id: string; readonly title: string }) => void;
}

export function Panel({ opportunityId, phase, ...rest }: PanelProps) {
  if (opportunityId === "new") return <NewPanel key={`new ${phase ?? ""}`} phase={phase} {...rest} />;
  return <CardPanel key={opportunityId} id={opportunityId} {...rest} />;
}
