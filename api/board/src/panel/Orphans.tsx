/** Writes that could not be made: each says why, shows what was typed, and offers what can be done with it. */
import type { BoardStore, Orphan } from "@boardcast/client";
import { useI18n, type Key } from "../i18n";
import { Button } from "../ui";
import { fill } from "./editing";
import { FIELDS, shown, type Names } from "./fields";
import { reason } from "./faults";
import { useNames } from "./names";
import { leaveNewDraft } from "./typed";
import { useStore } from "./useStore";

interface Props {
  readonly store: BoardStore;
  readonly onOpen: (id: string) => void;
}

export function Orphans({ store, onOpen }: Props) {
  const { t } = useI18n();
  const state = useStore(store);
  const names = useNames(state);
  return (
    <section
      role="log"
      aria-live="polite"
      aria-label={t("orphan.region")}
      className="fixed bottom-3 left-3 max-lg:bottom-20 z-20 flex max-h-[calc(100dvh-1.5rem)] w-[min(24rem,calc(100vw-1.5rem))] flex-col gap-2 overflow-y-auto empty:hidden"
    >
      {state.orphans.map((orphan) => (
        <Offer key={orphan.id} orphan={orphan} store={store} names={names} onOpen={onOpen} />
      ))}
    </section>
  );
}

const REFUSED = {
  create: "orphan.refusedCreate",
  change: "orphan.refusedChange",
  remove: "orphan.refusedRemove",
  restore: "orphan.refusedRestore",
} as const satisfies Record<Orphan["kind"], Key>;

function Offer({ orphan, store, names, onOpen }: Props & { readonly orphan: Orphan; readonly names: Names }) {
  const { t } = useI18n();
  const title = orphan.card.title || t("panel.untitled");
  const deleted = orphan.reason === "deleted";
  const said =
    !deleted ? t(REFUSED[orphan.kind], { title })
    : orphan.by ? t("orphan.deletedBy", { name: names.user(orphan.by), title })
    : t("orphan.deleted", { title });
  return (
    <article className="bg-raised border-warn shadow-lift arrive flex flex-col gap-2 rounded-xl border p-3">
      <h3 className="font-semibold">{said}</h3>
      {!deleted && <p className="text-soft">{reason(orphan.problem, t)}</p>}
      <Written orphan={orphan} names={names} />
      <div className="flex flex-wrap gap-2">
        {deleted && (
          <Button look="primary" size="sm" onClick={() => onOpen(store.retry(orphan.id))}>
            {t("delete.asNew")}
          </Button>
        )}
        {!deleted && (orphan.kind === "create" || orphan.kind === "change") && (
          <Button look="primary" size="sm" onClick={() => onOpen(correct(store, orphan))}>
            {t("orphan.edit")}
          </Button>
        )}
        {!deleted && (
          <Button size="sm" onClick={() => store.retry(orphan.id)}>
            {t("orphan.retry")}
          </Button>
        )}
        <Button look="quiet" size="sm" onClick={() => store.discard(orphan.id)}>
          {t("orphan.discard")}
        </Button>
      </div>
    </article>
  );
}

function Written({ orphan, names }: { readonly orphan: Orphan; readonly names: Names }) {
  const { t, format } = useI18n();
  const fields = FIELDS.filter((field) => orphan.changes[field] !== undefined && orphan.changes[field] !== null);
  if (fields.length === 0) return null;
  return (
    <details open={fields.length < 4}>
      <summary className="text-soft cursor-pointer text-[13px]">{t("orphan.yours")}</summary>
      <dl className="mt-1 grid max-h-40 grid-cols-[auto_1fr] gap-x-3 gap-y-1 overflow-y-auto text-[13px]">
        {fields.map((field) => (
          <div key={field} className="col-span-2 grid grid-cols-subgrid">
            <dt className="text-soft">{t(`field.${field}`)}</dt>
            <dd className="line-clamp-6 min-w-0 font-medium whitespace-pre-wrap">{shown(field, { ...orphan.card, ...orphan.changes }, format, names)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** Put what was refused back where it can be corrected; returns what to open. */
function correct(store: BoardStore, orphan: Orphan): string {
  if (orphan.kind === "create") {
    leaveNewDraft(store, orphan.changes);
    store.discard(orphan.id);
    return "new";
  }
  const editor = store.openEditor(orphan.opportunityId);
  if (editor) {
    fill(editor, orphan.changes);
    editor.close();
    store.discard(orphan.id);
  }
  return orphan.opportunityId;
}
