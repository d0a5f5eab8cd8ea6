import { createContext, use, useMemo, useState, type ReactNode } from "react";

/** Announce a text to screen readers after their current announcement. */
type Announce = (text: string) => void;

const Context = createContext<Announce>(() => undefined);

export function useAnnounce(): Announce {
  return use(Context);
}

export function Announcer({ children }: { readonly children: ReactNode }) {
  const [announced, setAnnounced] = useState({ text: "", turn: 0 });
  // Alternate between two elements, so that the same text is announced again.
  const announce = useMemo<Announce>(() => (text) => setAnnounced(({ turn }) => ({ text, turn: turn + 1 })), []);
  return (
    <Context value={announce}>
      {children}
      {[0, 1].map((turn) => (
        <p key={turn} role="status" aria-live="polite" className="sr-only" data-announcer="">
          {announced.turn % 2 === turn ? announced.text : ""}
        </p>
      ))}
    </Context>
  );
}
