import {
  KeyboardSensor,
  MouseSensor,
  TouchSensor,
  useSensor,
  useSensors,
  type DragStartEvent,
  type KeyboardCoordinateGetter,
  type KeyboardSensorOptions,
  type MouseSensorOptions,
  type TouchSensorOptions,
} from "@dnd-kit/core";
import type { BoardState, BoardStore, Opportunity } from "@boardcast/client";
import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import { targetAt } from "./pointer";
import { scrollTowards } from "./scroll";
import { neighbors, indexIn, targetOf, step, type Columns, type Target } from "./target";

export interface Drag {
  /** The card as it was when it was picked up. */
  readonly card: Opportunity;
  readonly from: Target;
  readonly target: Target;
  readonly by: "pointer" | "keyboard";
  readonly width: number;
}

interface DragListeners {
  readonly onPick: (drag: Drag, place: Place) => void;
  readonly onOver: (drag: Drag, place: Place) => void;
  readonly onDrop: (drag: Drag, place: Place) => void;
  readonly onCancel: (drag: Drag) => void;
  /** The card was deleted while it was dragged. */
  readonly onVanished: (drag: Drag) => void;
  /** The phase that the card was dragged to was deleted. The card is back where it is. */
  readonly onPhaseGone: (drag: Drag) => void;
}

export interface Place {
  readonly phase: string;
  /** Counts from one. */
  readonly place: number;
  readonly count: number;
}

interface Options extends DragListeners {
  readonly store: BoardStore;
  readonly state: BoardState;
  /** The visible cards: without those that a filter hides. */
  readonly columns: Columns;
  /** The phases that a card can be dropped in. */
  readonly open: readonly string[];
  readonly root: RefObject<HTMLElement | null>;
}

/** dnd-kit moves nothing: the card itself shows where it would be dropped. */
const NOWHERE: KeyboardCoordinateGetter = () => undefined;
// The same objects in each render: with new ones, every card would render again.
const BY_MOUSE: MouseSensorOptions = { activationConstraint: { distance: 6 } };
const BY_TOUCH: TouchSensorOptions = { activationConstraint: { delay: 220, tolerance: 8 } };
const BY_KEYS: KeyboardSensorOptions = { coordinateGetter: NOWHERE, keyboardCodes: { start: ["Space"], cancel: ["Escape"], end: ["Space", "Enter"] } };
const ARROWS = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"]);

/**
 * Drags a card. dnd-kit's sensors start and end a drag. The target, set by the pointer or the arrow keys, is our own: it names the card below instead
 * of an index, so it stays valid while others change the board.
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

  const sensors = useSensors(useSensor(MouseSensor, BY_MOUSE), useSensor(TouchSensor, BY_TOUCH), useSensor(KeyboardSensor, BY_KEYS));

  const onDragStart = useCallback(
    ({ active, activatorEvent }: DragStartEvent) => {
      const { store, columns, root, onPick } = newest.current;
      const card = store.getState().opportunities.get(String(active.id));
      const from = targetOf(columns, String(active.id));
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
    const { above, below } = neighbors(state.columns.get(target.phase) ?? [], card.id, target);
    store.move(card.id, target.phase, above, below);
    onDrop(current, placeIn(columns, current));
  }, [show]);

  const onDragCancel = useCallback(() => {
    const { current } = now;
    show(null);
    if (current) newest.current.onCancel(current);
  }, [show]);

  const { open, columns } = options;
  useEffect(() => {
    const { current } = now;
    if (!current || allowed(open, current).includes(current.target.phase)) return;
    const from = targetOf(columns, current.card.id);
    if (from) show({ ...current, from, target: from });
    newest.current.onPhaseGone(current);
  }, [open, columns, show]);

  // dnd-kit starts to listen a moment later. The first arrow key may come before that, and the focus may be on its way to another column.
  const byKeys = drag?.by === "keyboard";
  useLayoutEffect(() => {
    if (!byKeys) return;
    const onKeyDown = (event: KeyboardEvent): void => {
      const { current } = now;
      if (!current || !ARROWS.has(event.code)) return;
      event.preventDefault();
      aim(step(newest.current.columns, allowed(newest.current.open, current), current.card.id, current.target, event.code));
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [byKeys, aim]);

  // Follow the pointer. Columns scroll under it, so update when they do, too.
  const byPointer = drag?.by === "pointer";
  useEffect(() => {
    if (!byPointer) return;
    let at: { x: number; y: number } | null = null;
    const look = (): void => {
      const { current } = now;
      if (current && at && newest.current.root.current) aim(targetAt(newest.current.root.current, at, current.card.id, allowed(newest.current.open, current)));
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
  }, [byPointer, aim]);

  return { drag, sensors, onDragStart, onDragEnd, onDragCancel };
}

/** A card can stay in a phase that the board does not have, but none can be moved there. */
function allowed(open: readonly string[], { from }: Drag): readonly string[] {
  return open.includes(from.phase) ? open : [...open, from.phase];
}

function placeIn(columns: Columns, { card, target }: Drag): Place {
  const rest = (columns.get(target.phase) ?? []).filter(({ id }) => id !== card.id);
  return { phase: target.phase, place: indexIn(rest, target) + 1, count: rest.length + 1 };
}
