/** Writes that could not be saved. Each shows the reason and what the user typed, and offers what to do next. */
import type { BoardStore, RejectedWrite } from "@boardcast/client";
import { useBoard } from "@boardcast/client/react";
import { useI18n, type Key } from "../i18n";
import { Button } from "../ui";
import { fill } from "./editing";
import { FIELDS, shown, type Names } from "./fields";
import { describeProblem } from "./fieldErrors";
import { useNames } from "./names";
import { leaveNewDraft } from "./localDrafts";

interface Props {
  readonly store: BoardStore;
  readonly onOpen: (id: string) => void;
}

export function RejectedWrites({ store, onOpen }: Props) {
  const { t } = useI18n();
  const state = useBoard(store);
  const names = useNames(state);
  return (
    <section
      role="log"
      aria-live="polite"
      aria-label={t("rejected.region")}
      className="fixed bottom-3 left-3 max-lg:bottom-20 z-20 flex max-h-[calc(100dvh-1.5rem)] w-[min(24rem,calc(100vw-1.5rem))] flex-col gap-2 overflow-y-auto empty:hidden"
    >
      {state.rejectedWrites.map((rejected) => (
        <Notice key={rejected.id} rejected={rejected} store={store} names={names} onOpen={onOpen} />
      ))}
    </section>
  );
}

const MESSAGES = {
  create: "rejected.notCreated",
  change: "rejected.notChanged",
  remove: "rejected.notRemoved",
  restore: "rejected.notRestored",
} as const satisfies Record<RejectedWrite["kind"], Key>;

function Notice({ rejected, store, names, onOpen }: Props & { readonly rejected: RejectedWrite; readonly names: Names }) {
  const { t } = useI18n();
  const title = rejected.card.title || t("panel.untitled");
  const deleted = rejected.reason === "deleted";
  const heading =
    !deleted ? t(MESSAGES[rejected.kind], { title })
    : rejected.by ? t("rejected.deletedBy", { name: names.user(rejected.by), title })
    : t("rejected.deleted", { title });
  return (
    <article className="bg-raised border-warn shadow-lift arrive flex flex-col gap-2 rounded-xl border p-3">
      <h3 className="font-semibold">{heading}</h3>
      {!deleted && <p className="text-soft">{describeProblem(rejected.problem, t)}</p>}
      <WrittenFields rejected={rejected} names={names} />
      <div className="flex flex-wrap gap-2">
        {deleted && (
          <Button look="primary" size="sm" onClick={() => onOpen(store.retry(rejected.id))}>
            {t("delete.asNew")}
          </Button>
        )}
        {!deleted && (rejected.kind === "create" || rejected.kind === "change") && (
          <Button look="primary" size="sm" onClick={() => onOpen(reopen(store, rejected))}>
            {t("rejected.edit")}
          </Button>
        )}
        {!deleted && (
          <Button size="sm" onClick={() => store.retry(rejected.id)}>
            {t("rejected.retry")}
          </Button>
        )}
        <Button look="quiet" size="sm" onClick={() => store.discard(rejected.id)}>
          {t("rejected.discard")}
        </Button>
      </div>
    </article>
  );
}

function WrittenFields({ rejected, names }: { readonly rejected: RejectedWrite; readonly names: Names }) {
  const { t, format } = useI18n();
  const fields = FIELDS.filter((field) => rejected.changes[field] !== undefined && rejected.changes[field] !== null);
  if (fields.length === 0) return null;
  return (
    <details open={fields.length < 4}>
      <summary className="text-soft cursor-pointer text-[13px]">{t("rejected.yours")}</summary>
      <dl className="mt-1 grid max-h-40 grid-cols-[auto_1fr] gap-x-3 gap-y-1 overflow-y-auto text-[13px]">
        {fields.map((field) => (
          <div key={field} className="col-span-2 grid grid-cols-subgrid">
            <dt className="text-soft">{t(`field.${field}`)}</dt>
            <dd className="line-clamp-6 min-w-0 font-medium whitespace-pre-wrap">{shown(field, { ...rejected.card, ...rejected.changes }, format, names)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** Put rejected values back into an editor, where the user can correct them. Returns the id of the deal to open. */
function reopen(store: BoardStore, rejected: RejectedWrite): string {
  if (rejected.kind === "create") {
    leaveNewDraft(store, rejected.changes);
    store.discard(rejected.id);
    return "new";
  }
  const editor = store.openEditor(rejected.opportunityId);
  if (editor) {
    fill(editor, rejected.changes);
    editor.close();
    store.discard(rejected.id);
  }
  return rejected.opportunityId;
}
