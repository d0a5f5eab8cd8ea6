/**
 * The frame of the panel: beside the board where there is room for both, over the board otherwise.
 *
 * Invariant: the focus moves into it when it opens, and to the card when it closes. Escape closes it, unless something inside is open.
 */
import { useEffect, useRef, useSyncExternalStore, type KeyboardEvent, type ReactNode } from "react";

const NARROW = "(width < 48rem)";

interface Props {
  readonly labelledBy: string;
  /** A selector for the element that gets the focus first. */
  readonly first: string;
  /** The card that gets the focus when the panel closes. If it is not visible, the element that had the focus before gets it. */
  readonly card: () => string;
  readonly onClose: () => void;
  readonly onSave: (() => void) | null;
  readonly children: ReactNode;
}

export function Sheet({ labelledBy, first, card, onClose, onSave, children }: Props) {
  const narrow = useNarrow();
  const dialog = useRef<HTMLDialogElement>(null);
  const newest = useRef(card);
  useEffect(() => {
    newest.current = card;
  });
  useEffect(() => {
    const before = document.activeElement;
    document.documentElement.dataset["panel"] = "open";
    return () => {
      delete document.documentElement.dataset["panel"];
      const opener = document.querySelector<HTMLElement>(`[data-card="${CSS.escape(newest.current())}"] [data-open]`);
      const target = opener ?? (before instanceof HTMLElement && before.isConnected ? before : null);
      target?.focus();
    };
  }, []);
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (narrow) element.showModal();
    else element.show();
    element.querySelector<HTMLElement>(first)?.focus();
    return () => element.close();
  }, [narrow, first]);

  function key(event: KeyboardEvent): void {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && onSave) {
      event.preventDefault();
      onSave();
    }
    const inner = document.querySelector(":popover-open");
    if (event.key !== "Escape" || event.defaultPrevented || inner || narrow) return;
    event.preventDefault();
    onClose();
  }

  return (
    <dialog
      ref={dialog}
      aria-labelledby={labelledBy}
      onKeyDown={key}
      onCancel={(event) => {
        if (event.target !== event.currentTarget) return;
        event.preventDefault();
        onClose();
      }}
      className="bg-surface text-ink border-line md:shadow-lift fixed inset-y-0 right-0 left-auto z-30 m-0 h-dvh max-h-none w-full max-w-none p-0 [&_textarea]:field-sizing-content [&_textarea]:max-h-[50dvh] [&_textarea]:min-h-24 md:w-[28rem] md:border-l max-md:[&_:is(input,select,button)]:min-h-11 max-md:[&_:is(input,select,textarea)]:text-base max-md:[&_button]:min-w-11"
    >
      <div className="arrive flex h-full flex-col">{children}</div>
    </dialog>
  );
}

function useNarrow(): boolean {
  return useSyncExternalStore(
    (changed) => {
      const query = matchMedia(NARROW);
      query.addEventListener("change", changed);
      return () => query.removeEventListener("change", changed);
    },
    () => matchMedia(NARROW).matches,
  );
}
