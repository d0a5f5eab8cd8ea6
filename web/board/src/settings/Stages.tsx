import type { BoardHead, BoardState, Phase } from "@boardcast/client";
import { useRef, useState } from "react";
import { useI18n } from "../i18n";
import { Button, PlusIcon } from "../ui";
import { indexAt, inOrder, moved } from "./reorder";
import { Stage } from "./Stage";
import type { BoardChange } from "./requests";

interface Props {
  readonly board: BoardHead;
  readonly columns: BoardState["columns"];
  readonly editable: boolean;
  readonly change: (of: (board: BoardHead) => BoardChange) => Promise<boolean>;
}

/** The limit of the API. */
const MAX = 50;

/**
 * The stages in their order. They are dragged by a handle, or moved by its arrow keys. A change is made to the list as it is when the request is sent,
 * so it keeps what another admin has changed before.
 */
export function Stages({ board, columns, editable, change }: Props) {
  const { t } = useI18n();
  const list = useRef<HTMLUListElement>(null);
  const [dragged, setDragged] = useState<{ readonly id: string; readonly to: number } | null>(null);
  /** The order that was asked for, until the answer arrives. */
  const [wanted, setWanted] = useState<readonly string[] | null>(null);
  const [said, say] = useState("");
  const stored = wanted === null ? board.phases : inOrder(board.phases, wanted);
  const from = dragged ? stored.findIndex(({ id }) => id === dragged.id) : -1;
  const shown = dragged && from >= 0 ? moved(stored, from, dragged.to) : stored;

  async function order(phases: readonly Phase[], phase: Phase): Promise<void> {
    const ids = phases.map(({ id }) => id);
    setWanted(ids);
    say(t("settings.movedStage", { name: phase.name, place: ids.indexOf(phase.id) + 1, count: ids.length }));
    await change((now) => ({ phases: inOrder(now.phases, ids) }));
    setWanted((before) => (before === ids ? null : before));
  }

  function step(phase: Phase, by: number): void {
    const at = stored.findIndex(({ id }) => id === phase.id);
    const to = Math.max(0, Math.min(stored.length - 1, at + by));
    if (at >= 0 && to !== at) void order(moved(stored, at, to), phase);
  }

  function drag(phase: Phase, y: number): void {
    const boxes = [...(list.current?.children ?? [])].map((each) => each.getBoundingClientRect());
    const own = shown.findIndex(({ id }) => id === phase.id);
    if (own >= 0) setDragged({ id: phase.id, to: indexAt(boxes, y, own) });
  }

  function drop(phase: Phase, kept: boolean): void {
    setDragged(null);
    const there = stored.some(({ id }) => id === phase.id); // it may have been deleted meanwhile
    if (kept && there && dragged && dragged.to !== from) void order(shown, phase);
  }

  return (
    <>
      <p role="status" className="sr-only">
        {said}
      </p>
      <ul ref={list} className="divide-line border-line divide-y rounded-xl border">
        {shown.map((phase, at) => (
          <Stage
            key={phase.id}
            phase={phase}
            others={board.phases.filter(({ id }) => id !== phase.id)}
            neighbor={(shown[at - 1] ?? shown[at + 1])?.id ?? ""}
            cards={columns.get(phase.id)?.length ?? 0}
            editable={editable}
            lifted={dragged?.id === phase.id}
            onStep={(by) => step(phase, by)}
            onDrag={(y) => drag(phase, y)}
            onDrop={(kept) => drop(phase, kept)}
            onChange={(fields) => change((now) => ({ phases: now.phases.map((each) => (each.id === phase.id ? { ...each, ...fields } : each)) }))}
            onDelete={(target) =>
              change((now) => ({
                phases: now.phases.filter(({ id }) => id !== phase.id),
                ...(target === null ? {} : { moveCards: { [phase.id]: target } }),
              }))
            }
          />
        ))}
      </ul>
      {editable && (
        <Button
          className="self-start max-sm:min-h-11"
          disabled={board.phases.length >= MAX}
          onClick={() => void change((now) => ({ phases: withNew(now.phases, { id: crypto.randomUUID(), name: t("settings.newStage") }) }))}
        >
          <PlusIcon />
          {t("settings.addStage")}
        </Button>
      )}
    </>
  );
}

/** A new stage goes before those that end a deal. */
function withNew(phases: readonly Phase[], stage: Phase): readonly Phase[] {
  const closing = phases.findIndex(({ kind = "open" }) => kind !== "open");
  const at = closing < 0 ? phases.length : closing;
  return [...phases.slice(0, at), stage, ...phases.slice(at)];
}
