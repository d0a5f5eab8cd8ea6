import { useEffect, useRef, type PointerEvent } from "react";
import { useI18n } from "../i18n";
import { GripIcon } from "../ui";

interface Props {
  readonly name: string;
  readonly onStep: (by: number) => void;
  readonly onDrag: (y: number) => void;
  readonly onDrop: (kept: boolean) => void;
}

/**
 * What a row is dragged by, or moved with the arrow keys. It listens to the whole window, because a row that moves in the page loses the pointer that it
 * has captured.
 */
export function Handle(props: Props) {
  const { t } = useI18n();
  const { name, onStep } = props;
  const newest = useRef(props);
  const held = useRef<AbortController | null>(null);
  useEffect(() => {
    newest.current = props;
  });
  useEffect(
    () => () => {
      held.current?.abort();
    },
    [],
  );

  function pick({ pointerId, button }: PointerEvent): void {
    if (button !== 0) return;
    held.current?.abort();
    const { signal } = (held.current = new AbortController());
    const own = (work: (event: globalThis.PointerEvent) => void) => (event: globalThis.PointerEvent) => {
      if (event.pointerId === pointerId) work(event);
    };
    const end = (kept: boolean): void => {
      held.current?.abort();
      newest.current.onDrop(kept);
    };
    addEventListener("pointermove", own((event) => newest.current.onDrag(event.clientY)), { signal });
    addEventListener("pointerup", own(() => end(true)), { signal });
    addEventListener("pointercancel", own(() => end(false)), { signal });
  }

  return (
    <button
      type="button"
      aria-label={t("settings.handle", { name })}
      title={t("settings.handle", { name })}
      className="text-soft hover:text-ink flex size-8 shrink-0 cursor-grab touch-none items-center justify-center rounded-lg active:cursor-grabbing max-sm:h-11"
      onKeyDown={(event) => {
        const by = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
        if (!by) return;
        event.preventDefault();
        onStep(by);
      }}
      onPointerDown={pick}
    >
      <GripIcon />
    </button>
  );
}
