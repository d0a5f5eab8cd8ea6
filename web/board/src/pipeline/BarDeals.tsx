import type { Http } from "@boardcast/client";
import { useEffect, useRef, useState } from "react";
import { Button, CloseIcon } from "../ui";
import { Deals } from "./Deals";
import { fetchDeals, type Bar, type BarDeals as Found, type Period } from "./flowData";
import { useDuration } from "./useDuration";
import { useWords } from "./useWords";

interface Props {
  readonly http: Http;
  readonly board: string;
  readonly period: Period;
  readonly bar: Bar;
  readonly name: string;
  readonly onOpen: (id: string) => void;
  readonly onClose: () => void;
}

/** The deals behind a bar, slowest first. It gets the focus, because it replaces what was looked at. */
export function BarDeals({ http, board, period, bar, name, onOpen, onClose }: Props) {
  const w = useWords();
  const duration = useDuration();
  const section = useRef<HTMLElement>(null);
  const [found, setFound] = useState<Found | "failed" | null>(null);
  useEffect(() => {
    section.current?.focus();
    section.current?.scrollIntoView({ block: "nearest" });
    const ended = new AbortController();
    fetchDeals(http, board, period, bar, ended.signal).then(setFound, () => !ended.signal.aborted && setFound("failed"));
    return () => ended.abort();
  }, [http, board, period, bar]);
  return (
    <section ref={section} tabIndex={-1} aria-label={w("dealsOf", { name })} className="border-line mt-4 scroll-mt-4 rounded-xl border px-3 pt-2 -outline-offset-2">
      <header className="flex items-center gap-2">
        <h3 className="min-w-0 flex-1 font-semibold">{name}</h3>
        <Button look="quiet" size="icon" aria-label={w("back")} onClick={onClose}>
          <CloseIcon />
        </Button>
      </header>
      {found === null ? (
        <p className="text-soft pb-3">{w("loading")}</p>
      ) : found === "failed" ? (
        <p className="text-danger pb-3">{w("failed")}</p>
      ) : (
        <div className="max-h-72 overflow-y-auto">
          <Deals deals={found.cards.map(({ id, title, seconds }) => ({ id, title, note: duration(seconds) }))} onOpen={onOpen} />
        </div>
      )}
    </section>
  );
}
