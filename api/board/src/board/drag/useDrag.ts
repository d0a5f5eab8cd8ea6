import {
  KeyboardSensor,
  MouseSensor,
  TouchSensor,
  useSensor,
  useSensors,
  type DragStartEvent,
  type KeyboardCoordinateGetter,
} from "@dnd-kit/core";
import type { BoardState, BoardStore, Opportunity } from "@boardcast/client";
import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import { pointed } from "./pointer";
import { scrollTowards } from "./scroll";
import { neighbours, placeOf, standing, step, type Columns, type Target } from "./target";

export interface Drag {
  /** As it was when it was picked up. */
  readonly card: Opportunity;
  readonly from: Target;
  readonly target: Target;
  readonly by: "pointer" | "keyboard";
  readonly width: number;
}

interface Told {
  readonly onPick: (drag: Drag, place: Place) => void;
  readonly onOver: (drag: Drag, place: Place) => void;
  readonly onDrop: (drag: Drag, place: Place) => void;
  readonly onCancel: (drag: Drag) => void;
  /** It was deleted while it was dragged. */
  readonly onVanished: (drag: Drag) => void;
}

export interface Place {
  readonly phase: string;
  /** From one. */
  readonly place: number;
  readonly count: number;
}

interface Options extends Told {
  readonly store: BoardStore;
  readonly state: BoardState;
  /** What is shown: without the cards that a filter hides. */
  readonly columns: Columns;
  /** The phases that a card may be dropped in. */
  readonly open: readonly string[];
  readonly root: RefObject<HTMLElement | null>;
}

/** There is nothing for dnd-kit to move: the card itself shows where it would go. */
const NOWHERE: KeyboardCoordinateGetter = () => undefined;
const ARROWS = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"]);

/**
 * A card in the hand. dnd-kit's sensors say when; where is our own: a target that the pointer or the arrows set, and that
 * holds while others change the board, since it is said by the card below and not by a number.
 */
export function useDrag(options: Options) {
  const [drag, setDrag] = useState<Drag | null>(null);
  const now = useRef<Drag | null>(null);
  const newest = useRef(options);
  useEffect(() => {
    newest.current = options;
  });

  const show = useCallback((next: Drag | null) => {
    now.current = next;
    setDrag(next);
  }, []);

  const aim = useCallback(
    (target: Target | null) => {
      const { current } = now;
      if (!current || !target || (target.phase === current.target.phase && target.before === current.target.before)) return;
      const next = { ...current, target };
      show(next);
      newest.current.onOver(next, placeIn(newest.current.columns, next));
    },
    [show],
  );

  const sensors = useSensors(
    useSensor(MouseSensor, { activationConstraint: { distance: 6 } }),
    useSensor(TouchSensor, { activationConstraint: { delay: 220, tolerance: 8 } }),
    useSensor(KeyboardSensor, { coordinateGetter: NOWHERE, keyboardCodes: { start: ["Space"], cancel: ["Escape"], end: ["Space", "Enter"] } }),
  );

  const onDragStart = useCallback(
    ({ active, activatorEvent }: DragStartEvent) => {
      const { store, columns, root, onPick } = newest.current;
      const card = store.getState().opportunities.get(String(active.id));
      const from = standing(columns, String(active.id));
      if (!card || !from) return;
      const shown = root.current?.querySelector(`[data-card="${CSS.escape(card.id)}"]`);
      const by = activatorEvent instanceof KeyboardEvent ? "keyboard" : "pointer";
      const next: Drag = { card, from, target: from, by, width: shown?.clientWidth ?? 280 };
      show(next);
      onPick(next, placeIn(columns, next));
    },
    [show],
  );

  const onDragEnd = useCallback(() => {
    const { current } = now;
    show(null);
    if (!current) return;
    const { store, state, columns, onDrop, onCancel, onVanished } = newest.current;
    const { card, from, target } = current;
    if (!store.getState().opportunities.has(card.id)) return onVanished(current);
    if (from.phase === target.phase && from.before === target.before) return onCancel(current);
    const { above, below } = neighbours(state.columns.get(target.phase) ?? [], card.id, target);
    store.move(card.id, target.phase, above, below);
    onDrop(current, placeIn(columns, current));
  }, [show]);

  const onDragCancel = useCallback(() => {
    const { current } = now;
    show(null);
    if (current) newest.current.onCancel(current);
  }, [show]);

  // dnd-kit listens a moment after it has begun: the first arrow may be faster, and the focus on its way to another column.
  const steering = drag?.by === "keyboard";
  useLayoutEffect(() => {
    if (!steering) return;
    const steer = (event: KeyboardEvent): void => {
      const { current } = now;
      if (!current || !ARROWS.has(event.code)) return;
      event.preventDefault();
      aim(step(newest.current.columns, allowed(newest.current.open, current), current.card.id, current.target, event.code));
    };
    document.addEventListener("keydown", steer);
    return () => document.removeEventListener("keydown", steer);
  }, [steering, aim]);

  // Where the pointer is. The columns scroll under it, so it is also asked when they do.
  const pointing = drag?.by === "pointer";
  useEffect(() => {
    if (!pointing) return;
    let at: { x: number; y: number } | null = null;
    const look = (): void => {
      const { current } = now;
      if (current && at && newest.current.root.current) aim(pointed(newest.current.root.current, at, current.card.id, allowed(newest.current.open, current)));
    };
    const follow = (event: MouseEvent | TouchEvent): void => {
      const point = "touches" in event ? event.touches[0] : event;
      if (!point) return;
      at = { x: point.clientX, y: point.clientY };
      look();
    };
    let last = performance.now();
    const pull = (time: number): void => {
      const { current } = now;
      if (current && at && newest.current.root.current) scrollTowards(newest.current.root.current, current.target.phase, at, time - last);
      last = time;
      frame = requestAnimationFrame(pull);
    };
    let frame = requestAnimationFrame(pull);
    const quiet = { capture: true, passive: true } as const;
    document.addEventListener("mousemove", follow, quiet);
    document.addEventListener("touchmove", follow, quiet);
    document.addEventListener("scroll", look, quiet);
    return () => {
      cancelAnimationFrame(frame);
      document.removeEventListener("mousemove", follow, quiet);
      document.removeEventListener("touchmove", follow, quiet);
      document.removeEventListener("scroll", look, quiet);
    };
  }, [pointing, aim]);

  return { drag, sensors, onDragStart, onDragEnd, onDragCancel };
}

/** A card may stay in a phase that the board does not know, but none may go there. */
function allowed(open: readonly string[], { from }: Drag): readonly string[] {
  return open.includes(from.phase) ? open : [...open, from.phase];
}

function placeIn(columns: Columns, { card, target }: Drag): Place {
  const rest = (columns.get(target.phase) ?? []).filter(({ id }) => id !== card.id);
  return { phase: target.phase, place: placeOf(rest, target) + 1, count: rest.length + 1 };
}
