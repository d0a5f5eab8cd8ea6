import { flushSync } from "react-dom";
import { useId, useRef, useState, type KeyboardEvent, type MouseEvent, type ReactNode } from "react";
import { Button, type ButtonProps } from "./Button";
import { CheckIcon } from "./icons";

export interface MenuItem {
  readonly key: string;
  readonly label: ReactNode;
  readonly onSelect: () => void;
  /** If set, the item is one of several options; true for the selected one. */
  readonly checked?: boolean;
  readonly icon?: ReactNode;
  /** Items with the same group are shown together under its name. */
  readonly group?: string;
}

interface Props extends Pick<ButtonProps, "look" | "size" | "className" | "tabIndex"> {
  /** The accessible name of the button and of the menu. */
  readonly label: string;
  readonly button: ReactNode;
  readonly heading?: ReactNode;
  readonly items: readonly MenuItem[];
}

const GAP = 4;

/**
 * A button with a menu in the browser's top layer, so that nothing clips it. Arrow keys, Home, End, first letters, and Escape work as in any menu.
 */
export function Menu({ label, button, heading, items, look = "quiet", size = "icon", ...rest }: Props) {
  const id = useId();
  const anchor = useRef<HTMLButtonElement>(null);
  const popover = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);

  const entries = (): HTMLElement[] => [...(popover.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];

  // Toggled by hand, so that the focus is in the menu before the next key press: the browser's own toggle event comes later.
  // The items are in the page only while the menu is open: a board has a menu for each card.
  function toggle(event: MouseEvent): void {
    event.preventDefault();
    if (!anchor.current || !popover.current) return;
    if (!popover.current.matches(":popover-open")) flushSync(() => setOpen(true));
    if (!popover.current.togglePopover()) return;
    place(anchor.current, popover.current);
    const all = entries();
    (all.find((each) => each.ariaChecked === "true") ?? all[0])?.focus();
  }

  function choose(item: MenuItem): void {
    popover.current?.hidePopover();
    anchor.current?.focus();
    item.onSelect();
  }

  function step(event: KeyboardEvent): void {
    const all = entries();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to =
      event.key === "ArrowDown" ? all[(at + 1) % all.length]
      : event.key === "ArrowUp" ? all.at(at - 1)
      : event.key === "Home" ? all[0]
      : event.key === "End" ? all.at(-1)
      : /^\S$/u.test(event.key) ? [...all.slice(at + 1), ...all].find((each) => each.textContent.trim().toLocaleLowerCase().startsWith(event.key.toLocaleLowerCase()))
      : undefined;
    if (event.key === "Tab") popover.current?.hidePopover();
    event.stopPropagation();
    if (!to) return;
    event.preventDefault();
    to.focus();
  }

  return (
    <>
      <Button ref={anchor} look={look} size={size} aria-label={label} aria-haspopup="menu" aria-expanded={open} popoverTarget={id} onClick={toggle} {...rest}>
        {button}
      </Button>
      <div
        ref={popover}
        id={id}
        popover="auto"
        role="menu"
        aria-label={label}
        onToggle={(event) => setOpen(event.newState === "open")}
        onKeyDown={step}
        onPointerDown={(event) => event.stopPropagation()}
        className="bg-raised text-ink border-line shadow-lift fixed inset-auto m-0 max-h-[min(24rem,calc(100dvh-1rem))] w-max max-w-[min(20rem,calc(100vw-1rem))] min-w-44 overflow-y-auto rounded-xl border p-1"
      >
        {open && heading && <Heading>{heading}</Heading>}
        {open && [...Map.groupBy(items, ({ group }) => group)].map(([group, members]) => (
          <div key={group ?? ""} {...(group === undefined ? { role: "presentation" } : { role: "group", "aria-label": group })} className="border-line not-first:mt-1 not-first:border-t not-first:pt-1">
            {group !== undefined && <Heading>{group}</Heading>}
            {members.map((item) => (
              <Entry key={item.key} item={item} onChoose={() => choose(item)} />
            ))}
          </div>
        ))}
      </div>
    </>
  );
}

function Heading({ children }: { readonly children: ReactNode }) {
  return (
    <div role="presentation" className="text-soft px-2.5 pt-1.5 pb-1 text-xs font-medium">
      {children}
    </div>
  );
}

function Entry({ item, onChoose }: { readonly item: MenuItem; readonly onChoose: () => void }) {
  return (
    <div
      role={item.checked === undefined ? "menuitem" : "menuitemradio"}
      aria-checked={item.checked}
      tabIndex={-1}
      onClick={onChoose}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        onChoose();
      }}
      className="focus:bg-hover hover:bg-hover flex min-h-8 items-center gap-2 rounded-lg px-2.5 py-1 -outline-offset-2"
    >
      {item.icon}
      <span className="min-w-0 flex-1">{item.label}</span>
      {item.checked && <CheckIcon className="text-accent" />}
    </div>
  );
}

/** Place an element of the top layer: below the button, above it if there is no room, and always inside the window. */
export function place(anchor: HTMLElement, popover: HTMLElement): void {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const below = at.bottom + GAP + height <= innerHeight;
  const left = at.right - width >= GAP ? at.right - width : at.left;
  popover.style.left = `${Math.max(GAP, Math.min(left, innerWidth - width - GAP))}px`;
  popover.style.top = `${Math.max(GAP, below ? at.bottom + GAP : at.top - GAP - height)}px`;
}
