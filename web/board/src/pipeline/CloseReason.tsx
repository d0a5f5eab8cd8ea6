import type { BoardStore } from "@boardcast/client/store";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { useI18n } from "../i18n";
import { Button, Dialog, Field } from "../ui";
import { useWords } from "./useWords";

interface Props {
  readonly store: BoardStore;
  readonly opportunityId: string;
  readonly onClose: () => void;
}

/** Asks why a deal was lost, after it was moved: closing the dialog leaves it without a reason. */
export function CloseReason({ store, opportunityId, onClose }: Props) {
  const { t } = useI18n();
  const w = useWords();
  const [text, setText] = useState("");
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []); // after the dialog has opened
  const { board, opportunities } = store.getState();
  const card = opportunities.get(opportunityId);
  const usual = board && board.closeReasons.length > 0 ? board.closeReasons : t("settings.usualReasons").split("\n");

  function choose(reason: string): void {
    if (reason && store.getState().opportunities.has(opportunityId)) store.update(opportunityId, { close_reason: reason });
    onClose();
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    choose(text.trim());
  }

  return (
    <Dialog
      title={w("lostTitle", { title: card?.title ?? "" })}
      closeLabel={t("close")}
      onClose={onClose}
      footer={
        <>
          <Button className="max-sm:min-h-11" onClick={onClose}>
            {w("skip")}
          </Button>
          <Button look="primary" type="submit" form="close-reason" className="max-sm:min-h-11" disabled={!text.trim()}>
            {w("save")}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <div role="group" aria-label={w("reasons")} className="flex flex-wrap gap-2">
          {usual.map((reason, index) => (
            <Button key={reason} ref={index === 0 ? first : undefined} className="max-sm:min-h-11" onClick={() => choose(reason)}>
              {reason}
            </Button>
          ))}
        </div>
        <form id="close-reason" onSubmit={submit}>
          <Field label={w("otherReason")} value={text} maxLength={300} autoComplete="off" onChange={(event) => setText(event.target.value)} />
        </form>
      </div>
    </Dialog>
  );
}
