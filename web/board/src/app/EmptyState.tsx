import { ProblemError } from "@boardcast/client";
import type { ReactNode } from "react";
import { useI18n, type Translate } from "../i18n";
import { AlertIcon, Button } from "../ui";
import { Brand } from "./Brand";

/** The text for an error: that there was no response, or the service's own message. */
export function errorMessage(error: unknown, t: Translate): string {
  if (error instanceof ProblemError && error.status === 0) return t("failedNetwork");
  return error instanceof Error ? error.message : String(error);
}

interface Props {
  readonly icon?: ReactNode;
  readonly title: string;
  readonly text?: string;
  readonly children?: ReactNode;
}

/** A page that shows only a message. */
export function EmptyState({ icon, title, text, children }: Props) {
  return (
    <div className="m-auto flex max-w-sm flex-col items-center gap-3 px-6 py-12 text-center">
      {icon && <div className="bg-column text-soft rounded-2xl p-4">{icon}</div>}
      <h1 className="text-lg font-semibold">{title}</h1>
      {text && <p className="text-soft">{text}</p>}
      {children && <div className="mt-2 flex flex-wrap justify-center gap-2">{children}</div>}
    </div>
  );
}

/** Fills the page, or what the header leaves of it. */
export function Failed({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  const { t } = useI18n();
  return (
    <main role="alert" className="flex min-h-0 flex-1 overflow-y-auto">
      <EmptyState icon={<AlertIcon className="size-7" />} title={t("failed")} text={errorMessage(error, t)}>
        <Button look="primary" onClick={onRetry}>
          {t("retry")}
        </Button>
      </EmptyState>
    </main>
  );
}

const COLUMNS = [3, 2, 4, 2, 1] as const;

/** A placeholder in the shape of the page that is loading. */
export function Loading() {
  const { t } = useI18n();
  return (
    <main aria-busy="true" className="flex h-dvh flex-col overflow-hidden">
      <p role="status" className="sr-only">
        {t("loading")}
      </p>
      <div aria-hidden="true" className="contents">
        <div className="bg-surface border-line flex h-14 items-center gap-3 border-b px-4">
          <Brand />
          <p className="text-base font-semibold tracking-tight">boardcast</p>
        </div>
        <Skeleton />
      </div>
    </main>
  );
}

export function Skeleton() {
  return (
    <div aria-hidden="true" className="flex min-h-0 flex-1 gap-3 overflow-hidden p-4">
      {COLUMNS.map((cards, column) => (
        <div key={column} className="bg-column flex h-fit w-[min(18rem,84vw)] shrink-0 flex-col gap-2 rounded-2xl p-3">
          <div className="bg-surface shimmer h-4 w-24 rounded" />
          {Array.from({ length: cards }, (_, card) => (
            <div key={card} className="bg-surface shimmer h-24 rounded-xl" />
          ))}
        </div>
      ))}
    </div>
  );
}
