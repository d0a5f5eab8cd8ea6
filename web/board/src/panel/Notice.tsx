import type { ReactNode } from "react";
import { AlertIcon, classes } from "../ui";

const TONES = {
  plain: "bg-accent-soft text-ink",
  warn: "bg-warn-soft text-warn-ink",
  danger: "bg-danger-soft text-danger",
} as const;

/** A message with actions. */
export function Notice({ tone, children, actions }: { readonly tone: keyof typeof TONES; readonly children: ReactNode; readonly actions?: ReactNode }) {
  return (
    <div className={classes("flex flex-col gap-2 rounded-xl px-3 py-2.5", TONES[tone])}>
      <div className="flex gap-2">
        {tone !== "plain" && <AlertIcon className="mt-0.5 size-4" />}
        <div className="min-w-0 flex-1">{children}</div>
      </div>
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </div>
  );
}
