import { createContext, use, useMemo, useState, type ReactNode } from "react";

/** Say something to screen readers, when they have finished what they say. */
type Announce = (text: string) => void;

const Context = createContext<Announce>(() => undefined);

export function useAnnounce(): Announce {
  return use(Context);
}

export function Announcer({ children }: { readonly children: ReactNode }) {
  const [said, setSaid] = useState({ text: "", turn: 0 });
  // The same text twice is news twice: it is said by another element.
  const announce = useMemo<Announce>(() => (text) => setSaid(({ turn }) => ({ text, turn: turn + 1 })), []);
  return (
    <Context value={announce}>
      {children}
      {[0, 1].map((turn) => (
        <p key={turn} role="status" aria-live="polite" className="sr-only" data-announcer="">
          {said.turn % 2 === turn ? said.text : ""}
        </p>
      ))}
    </Context>
  );
}
