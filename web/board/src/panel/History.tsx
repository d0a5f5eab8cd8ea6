/** The history of a deal: who changed what and when. Any version can be restored. */
import type { BoardStore, Http, Opportunity } from "@boardcast/client";
import { useBoard } from "@boardcast/client/react";
import { useI18n } from "../i18n";
import { Avatar, Button, useToasts } from "../ui";
import { TimeAgo } from "./TimeAgo";
import { Difference } from "./Difference";
import { differing, type Names } from "./fields";
import { useNames } from "./names";
import { useVersions, type Version } from "./versions";

interface Props {
  readonly store: BoardStore;
  readonly http: Http;
  readonly id: string;
  /** The current card; undefined if it is deleted. */
  readonly current: Opportunity | undefined;
  readonly writes: boolean;
}

export function History({ store, http, id, current, writes }: Props) {
  const { t } = useI18n();
  const state = useBoard(store);
  const names = useNames(state);
  const { show } = useToasts();
  const pending = state.pendingChanges.has(id);
  const query = useVersions(http, id, current && !pending ? current.version_number : null);
  if (query.isPending) return <p className="text-soft shimmer">{t("history.loading")}</p>;
  if (query.isError) {
    return (
      <p className="text-soft flex flex-wrap items-center gap-2">
        {t("history.failed")}
        <Button size="sm" onClick={() => void query.refetch()}>
          {t("retry")}
        </Button>
      </p>
    );
  }
  const versions = query.data.pages.flatMap((page) => page.versions);

  function restore(version: number): void {
    store.restore(id, version);
    show({ text: t("history.restoring", { version }) });
  }

  return (
    <>
      <ol className="relative flex flex-col">
        {versions.map((version, index) => (
          <Entry
            key={version.version_number}
            version={version}
            before={versions[index + 1]}
            last={!query.hasNextPage && index === versions.length - 1}
            now={current?.version_number === version.version_number}
            names={names}
            onRestore={writes && current?.version_number !== version.version_number ? () => restore(version.version_number) : null}
          />
        ))}
      </ol>
      {query.hasNextPage && (
        <Button onClick={() => void query.fetchNextPage()} disabled={query.isFetchingNextPage}>
          {t("history.more")}
        </Button>
      )}
    </>
  );
}

interface EntryProps {
  readonly version: Version;
  /** The version before it; undefined if it is not known (yet). */
  readonly before: Version | undefined;
  readonly last: boolean;
  readonly now: boolean;
  readonly names: Names;
  readonly onRestore: (() => void) | null;
}

function Entry({ version, before, last, now, names, onRestore }: EntryProps) {
  const { t } = useI18n();
  const number = version.version_number;
  const name = names.user(version.created_by);
  return (
    <li data-version={number} className="border-line relative ml-4 border-l pb-5 pl-6 last:border-transparent">
      <span className="absolute top-0 -left-4">
        <Avatar id={version.created_by ?? ""} name={name} named={false} className="ring-surface ring-4" />
      </span>
      <div className="flex items-start gap-2">
        <div className="flex min-h-8 min-w-0 flex-1 flex-wrap items-center gap-x-2 gap-y-1">
        <span className="font-medium">{name}</span>
        <span className="text-soft text-[13px]">
          <TimeAgo at={version.created_at} />
        </span>
        <span className="text-soft border-line tabular rounded-full border px-1.5 text-xs">{t("history.version", { version: number })}</span>
        {now && <span className="bg-accent-soft text-accent rounded-full px-1.5 text-xs font-medium">{t("history.now")}</span>}
        <Parents parents={version.parents} />
        </div>
        {onRestore && (
          <Button look="quiet" size="sm" onClick={onRestore} className="-mr-2 shrink-0">
            {t("history.restore", { version: number })}
          </Button>
        )}
      </div>
      {before ? <Changed version={version} before={before} names={names} /> : last && <p className="text-soft mt-1 text-[13px]">{t(number === 1 ? "history.created" : "history.oldest")}</p>}
    </li>
  );
}

function Parents({ parents }: { readonly parents: readonly number[] | null }) {
  const { t } = useI18n();
  const [one, other] = parents ?? [];
  if (one === undefined) return null;
  return (
    <span className="bg-warn-soft text-warn-ink rounded-full px-1.5 text-xs">
      {other === undefined ? t("history.restored", { version: one }) : t("history.merge", { one, other })}
    </span>
  );
}

function Changed({ version, before, names }: { readonly version: Version; readonly before: Version; readonly names: Names }) {
  const { t } = useI18n();
  const fields = differing(before.data, version.data);
  const visible = fields.filter((field) => field !== "position");
  if (visible.length === 0) return <p className="text-soft mt-1 text-[13px]">{fields.length > 0 && t("history.moved")}</p>;
  return (
    <dl className="mt-1 flex flex-col gap-1.5 text-[13px]">
      {visible.map((field) => (
        <div key={field}>
          <dt className="text-soft text-xs">{t(`field.${field}`)}</dt>
          <dd>
            <Difference field={field} before={before.data} after={version.data} names={names} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
