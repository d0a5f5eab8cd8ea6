/** The panel beside the board: view, edit, or create a deal. */
import type { BoardStore, Http } from "@boardcast/client";
import { CardPanel } from "./CardPanel";
import { NewPanel } from "./NewPanel";

interface Props {
  readonly store: BoardStore;
  readonly http: Http;
  /** "new": a deal to create. A deal that is not on the board (any more) shows its history. */
  readonly opportunityId: string;
  /** The phase of a new deal. */
  readonly phase?: string | undefined;
  readonly onClose: () => void;
  /** Open another deal: one created from changes that could not be saved. */
  readonly onOpen: (id: string) => void;
  readonly onDeleted: (deleted: { readonly id: string; readonly title: string }) => void;
}

export function Panel({ opportunityId, phase, ...rest }: Props) {
  if (opportunityId === "new") return <NewPanel key={`new ${phase ?? ""}`} phase={phase} {...rest} />;
  return <CardPanel key={opportunityId} id={opportunityId} {...rest} />;
}
