import { useDraggable } from "@dnd-kit/core";
import type { Opportunity } from "@boardcast/client";
import { useOpportunity } from "@boardcast/client/react";
import { memo, useId } from "react";
import { useI18n } from "../i18n";
import { classes, DotsIcon, Menu } from "../ui";
import { CardFace } from "./CardFace";
import { useTools } from "./context";

interface Props {
  readonly card: Opportunity;
  /** Whether this card is the column's tab stop. */
  readonly tabbable: boolean;
  /** A placeholder for the card while it is dragged. */
  readonly ghost: boolean;
  /** The card is being moved with the keyboard. */
  readonly lifted: boolean;
}

/** A card that can be opened, dragged, and moved to another stage. The button covers all of it, so that a press anywhere opens it. */
export const Card = memo(function Card({ card, tabbable, ghost, lifted }: Props) {
  const { t } = useI18n();
  const { store, editable, phases, open, moveTo } = useTools();
  const { pending, editing, conflict } = useOpportunity(store, card.id);
  const details = useId();
  const { setNodeRef, setActivatorNodeRef, attributes, listeners } = useDraggable({ id: card.id, disabled: !editable });
  const tabIndex = tabbable ? 0 : -1;
  return (
    <div ref={setNodeRef} {...listeners} className={classes("touch-manipulation", editable && "cursor-grab")}>
      <CardFace
        card={card}
        editing={editing}
        pending={pending !== undefined}
        conflict={conflict !== undefined}
        ghost={ghost}
        lifted={lifted}
        detailsId={details}
        title={
          <button
            ref={setActivatorNodeRef}
            type="button"
            data-open=""
            tabIndex={tabIndex}
            aria-describedby={editable ? `${details} ${attributes["aria-describedby"]}` : details}
            {...(editable ? { "aria-roledescription": t("dragRole"), "aria-keyshortcuts": "Space Enter M" } : {})}
            onClick={() => open(card.id)}
            onKeyUp={(event) => event.key === " " && editable && event.preventDefault()} // Space picks up and drops; it must not click
            className="line-clamp-3 w-full wrap-anywhere text-left before:absolute before:inset-0 before:rounded-xl focus-visible:outline-none focus-visible:before:outline-2 focus-visible:before:outline-offset-1 focus-visible:before:outline-accent"
          >
            {card.title}
          </button>
        }
        menu={
          editable && (
            <span className="flex" onMouseDown={(event) => event.stopPropagation()} onTouchStart={(event) => event.stopPropagation()} onKeyDown={(event) => event.stopPropagation()}>
              <Menu
                label={t("cardMenu", { title: card.title })}
                tabIndex={tabIndex}
                className="relative -my-1.5 -mr-1.5 size-7! rounded-md opacity-70 group-hover:opacity-100 focus:opacity-100"
                button={<DotsIcon />}
                heading={t("moveTo")}
                items={phases.map(({ id, name }) => ({ key: id, label: name, checked: id === card.phase, onSelect: () => id !== card.phase && moveTo(card.id, id) }))}
              />
            </span>
          )
        }
      />
    </div>
  );
});
