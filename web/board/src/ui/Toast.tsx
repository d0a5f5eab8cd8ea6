import { createContext, use, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useI18n } from "../i18n";
import { Button } from "./Button";
import { classes } from "./classes";
import { CloseIcon } from "./icons";

interface ToastOptions {
  readonly text: ReactNode;
  readonly tone?: "plain" | "warn";
  readonly action?: { readonly label: string; readonly run: () => void };
  /** How long it stays, in ms, while the pointer is not on it; null: until it is closed. */
  readonly stays?: number | null;
}

interface Shown extends ToastOptions {
  readonly id: string;
}

interface Toasts {
  /** Show a toast; returns a function that removes it. */
  readonly show: (toast: ToastOptions) => () => void;
}

const STAYS = 7000;
const Context = createContext<Toasts | null>(null);

export function useToasts(): Toasts {
  const value = use(Context);
  if (!value) throw new Error("useToasts outside of ToastProvider");
  return value;
}

export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly Shown[]>([]);
  const close = useCallback((id: string) => setToasts((all) => all.filter((each) => each.id !== id)), []);
  const value = useMemo<Toasts>(
    () => ({
      show: (toast) => {
        const id = crypto.randomUUID();
        setToasts((all) => [...all, { ...toast, id }]);
        return () => close(id);
      },
    }),
    [close],
  );
  return (
    <Context value={value}>
      {children}
      <div role="status" className="pointer-events-none fixed inset-x-3 bottom-3 z-40 flex flex-col items-center gap-2">
        {toasts.map((each) => (
          <Toast key={each.id} toast={each} onClose={() => close(each.id)} />
        ))}
      </div>
    </Context>
  );
}

function Toast({ toast, onClose }: { readonly toast: ToastOptions; readonly onClose: () => void }) {
  const { t } = useI18n();
  const { stays = STAYS } = toast;
  const [held, hold] = useState(false);
  const newest = useRef(onClose);
  useEffect(() => {
    newest.current = onClose;
  });
  useEffect(() => {
    if (held || stays === null) return;
    const timer = setTimeout(() => newest.current(), stays);
    return () => clearTimeout(timer);
  }, [held, stays]);
  return (
    <div
      onPointerEnter={() => hold(true)}
      onPointerLeave={() => hold(false)}
      onFocus={() => hold(true)}
      onBlur={() => hold(false)}
      className={classes(
        "arrive shadow-lift pointer-events-auto flex w-fit max-w-[min(36rem,100%)] items-center gap-3 rounded-xl border py-2 pr-2 pl-4",
        toast.tone === "warn" ? "bg-warn-soft text-warn-ink border-warn" : "bg-raised text-ink border-line",
      )}
    >
      <span className="min-w-0 flex-1">{toast.text}</span>
      {toast.action && (
        <Button
          size="sm"
          onClick={() => {
            toast.action?.run();
            onClose();
          }}
        >
          {toast.action.label}
        </Button>
      )}
      <Button look="quiet" size="icon" aria-label={t("close")} onClick={onClose} className="text-inherit">
        <CloseIcon />
      </Button>
    </div>
  );
}
