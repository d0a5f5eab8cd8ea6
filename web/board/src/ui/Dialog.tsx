import { useEffect, useId, useRef, type ReactNode } from "react";
import { Button } from "./Button";
import { CloseIcon } from "./icons";

interface Props {
  readonly title: ReactNode;
  /** The label of the × button. */
  readonly closeLabel: string;
  readonly onClose: () => void;
  /** Below the scrolling content, always visible. */
  readonly footer?: ReactNode;
  /** For charts and tables. */
  readonly wide?: boolean;
  readonly children: ReactNode;
}

/**
 * A modal with the browser's own <dialog>: it keeps the focus inside, returns it when it closes, and makes the rest inert. It is open for as long as
 * it is rendered; Escape, ×, and a press outside call `onClose`.
 */
export function Dialog({ title, closeLabel, onClose, footer, wide = false, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const pressed = useRef(false);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    if (element && !element.open) element.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      className={`bg-surface text-ink shadow-lift arrive m-auto overflow-hidden rounded-2xl p-0 ${wide ? "max-h-[calc(100dvh-1.5rem)] w-[min(72rem,calc(100vw-1.5rem))]" : "max-h-[min(52rem,calc(100dvh-1.5rem))] w-[min(44rem,calc(100vw-1.5rem))]"}`}
      onCancel={(event) => {
        if (event.target !== event.currentTarget) return; // from a file chooser or a popover
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => (pressed.current = event.target === event.currentTarget)}
      onClick={(event) => {
        // A selection that starts inside and ends on the backdrop must not close it.
        if (pressed.current && event.target === event.currentTarget) onClose();
      }}
    >
      <div className="flex max-h-[inherit] flex-col">
        <header className="flex items-start gap-2 border-b border-line py-3 pr-3 pl-5">
          <h2 id={heading} className="min-w-0 flex-1 self-center text-base font-semibold">
            {title}
          </h2>
          <Button look="quiet" size="icon" aria-label={closeLabel} onClick={onClose}>
            <CloseIcon className="size-5" />
          </Button>
        </header>
        <div className="relative min-h-0 flex-1 overflow-y-auto px-5 py-4">{children}</div>
        {footer && <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">{footer}</footer>}
      </div>
    </dialog>
  );
}
