import { useEffect, useId, useRef, useState, type MouseEvent, type ReactNode } from "react";
import { flushSync } from "react-dom";
import { Button, type ButtonProps } from "./Button";
import { place } from "./Menu";

interface Props extends Pick<ButtonProps, "look" | "size" | "className"> {
  readonly label: string;
  readonly button: ReactNode;
  readonly children: ReactNode;
}

/** A button with a small panel in the browser's top layer. Escape or a press elsewhere closes it. */
export function Popover({ label, button, children, ...rest }: Props) {
  const id = useId();
  const anchor = useRef<HTMLButtonElement>(null);
  const popover = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);

  // Its content may load after it opened.
  useEffect(() => {
    const element = popover.current;
    if (!open || !element) return;
    const sized = new ResizeObserver(() => anchor.current && place(anchor.current, element));
    sized.observe(element);
    return () => sized.disconnect();
  }, [open]);

  function toggle(event: MouseEvent): void {
    event.preventDefault();
    if (!anchor.current || !popover.current) return;
    if (!popover.current.matches(":popover-open")) flushSync(() => setOpen(true));
    if (!popover.current.togglePopover()) return anchor.current.focus();
    place(anchor.current, popover.current);
    popover.current.focus();
  }

  return (
    <>
      <Button ref={anchor} aria-haspopup="dialog" aria-expanded={open} aria-label={label} popoverTarget={id} onClick={toggle} {...rest}>
        {button}
      </Button>
      <div
        ref={popover}
        id={id}
        popover="auto"
        role="dialog"
        aria-label={label}
        tabIndex={-1}
        onToggle={(event) => setOpen(event.newState === "open")}
        className="bg-raised text-ink border-line shadow-lift fixed inset-auto m-0 max-h-[min(30rem,calc(100dvh-1rem))] w-max max-w-[calc(100vw-1rem)] overflow-auto rounded-xl border p-3"
      >
        {open && children}
      </div>
    </>
  );
}
