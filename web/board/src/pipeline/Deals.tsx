import { useState } from "react";
import { useI18n } from "../i18n";
import { Button } from "../ui";
import { useWords } from "./useWords";

export interface Deal {
  readonly id: string;
  /** Null: it is gone. */
  readonly title: string | null;
  readonly note: string | null;
}

interface Props {
  readonly deals: readonly Deal[];
  /** Whether the notes are dates. */
  readonly date?: boolean;
  readonly onOpen: (id: string) => void;
}

const STEP = 50;

/** The deals behind a bar. A press on one opens it. */
export function Deals({ deals, date = false, onOpen }: Props) {
  const { format } = useI18n();
  const w = useWords();
  const [limit, setLimit] = useState(STEP);
  return (
    <>
      <ul className="pb-2">
        {deals.slice(0, limit).map(({ id, title, note }) => (
          <li key={id}>
            <button type="button" disabled={title === null} className="hover:bg-hover flex min-h-8 w-full items-baseline gap-3 rounded-lg px-2 py-1 text-left disabled:italic max-sm:min-h-11" onClick={() => onOpen(id)}>
              <span className="min-w-0 flex-1 truncate">{title ?? w("deleted")}</span>
              {note !== null && <span className="text-soft tabular shrink-0 text-[13px]">{date ? format.day(note) : note}</span>}
            </button>
          </li>
        ))}
      </ul>
      {deals.length > limit && (
        <Button size="sm" className="mb-2" onClick={() => setLimit((before) => before + STEP)}>
          {w("more", { count: deals.length - limit })}
        </Button>
      )}
    </>
  );
}
