/** "Ana changed the value 20 s ago", below the field, while the user types. */
import type { RemoteEdit } from "@boardcast/client";
import { useI18n, type Translate } from "../i18n";
import type { Formats } from "../i18n/formats";
import { Button } from "../ui";
import { TimeAgo, LocalTimeAgo } from "./TimeAgo";
import { LineDiff } from "./Difference";
import { shown, type FormField, type Names, type Row } from "./fields";

interface Props {
  readonly edit: RemoteEdit & { readonly field: FormField };
  readonly base: Row;
  readonly names: Names;
  /** This user changed the same field and has to choose a value. */
  readonly clash: boolean;
  readonly onTheirs: () => void;
  readonly onMine: () => void;
}

export function RemoteEditNotice({ edit, base, names, clash, onTheirs, onMine }: Props) {
  const { t, format } = useI18n();
  const ago = (
    <span aria-hidden="true">
      {" "}
      {edit.timestamp ? <TimeAgo at={edit.timestamp} /> : <LocalTimeAgo at={edit.at} />}
    </span>
  );
  if (!clash) {
    const before = edit.field === "notes" ? "" : shown(edit.field, base, format, names);
    return (
      <p className="text-warn-ink mt-1 text-[13px]">
        <span className="bg-warn mr-1.5 inline-block size-1.5 rounded-full align-middle" />
        {t("remote.changed", { name: names.user(edit.userId), field: t(`the.${edit.field}`) })}
        {ago}
        {before && <span className="text-soft"> · {t("remote.before", { value: before })}</span>}
      </p>
    );
  }
  return (
    <div className="bg-warn-soft text-warn-ink arrive mt-1.5 flex flex-col gap-2 rounded-lg px-3 py-2 text-[13px]" data-clash={edit.field}>
      <p>
        <strong className="font-semibold">{changed(edit, base, names, t, format)}</strong>
        {ago}
        {edit.field === "notes" && <span className="mt-0.5 block">{t("remote.notesMerge")}</span>}
      </p>
      {edit.field === "notes" && (
        <details>
          <summary className="cursor-pointer font-medium">{t("remote.look")}</summary>
          <LineDiff before={String(base.notes ?? "")} after={String(edit.value ?? "")} />
        </details>
      )}
      <div className="flex flex-wrap items-center gap-2">
        <Button size="sm" onClick={onTheirs}>
          {t("remote.useTheirs")}
        </Button>
        <Button size="sm" onClick={onMine}>
          {t("remote.keepMine")}
        </Button>
      </div>
    </div>
  );
}

/** One sentence: who changed which field to what. */
export function changed(edit: RemoteEdit, base: Row, names: Names, t: Translate, format: Formats): string {
  const name = names.user(edit.userId);
  const field = t(`the.${edit.field}`);
  const value = edit.field === "notes" ? "" : shown(edit.field, { ...base, [edit.field]: edit.value }, format, names);
  if (value) return t("remote.clash", { name, field, value });
  return edit.field === "notes" ? t("remote.changed", { name, field }) : t("remote.cleared", { name, field });
}
