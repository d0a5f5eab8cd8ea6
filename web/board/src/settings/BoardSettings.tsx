import type { BoardState, Http } from "@boardcast/client";
import type { BoardStore } from "@boardcast/client/store";
import { useState, type ReactNode } from "react";
import { useI18n } from "../i18n";
import { CURRENCIES } from "../panel/fields";
import { AlertIcon, Button, Dialog, Select } from "../ui";
import { Members } from "./Members";
import { PipelineSettings } from "./PipelineSettings";
import { Stages } from "./Stages";
import { TextSetting } from "./TextSetting";
import { useBoardChange } from "./useBoardChange";

interface Props {
  readonly store: BoardStore;
  readonly http: Http;
  readonly state: BoardState;
  readonly me: string;
  readonly onClose: () => void;
}

/** A board's name, currency, stages, and members. Each change is saved at once; who is not an admin can only read. */
export function BoardSettings({ store, http, state, me, onClose }: Props) {
  const { t } = useI18n();
  const changing = useBoardChange(store, http);
  const { board, role } = state;
  if (!board || state.status !== "ready") return null;
  const admin = role === "admin";
  const editable = admin && !board.archived;
  const currencies = CURRENCIES.some((code) => code === board.currency) ? CURRENCIES : [...CURRENCIES, board.currency];
  return (
    <Dialog title={t("settings.title")} closeLabel={t("close")} onClose={onClose} footer={<Button onClick={onClose}>{t("settings.done")}</Button>}>
      <div className="flex flex-col gap-7">
        <div role="status" className="empty:hidden">
          {changing.error ? (
            <p className="bg-danger-soft text-danger flex items-start gap-2 rounded-lg px-3 py-2">
              <AlertIcon className="mt-0.5 size-4" />
              {changing.error}
            </p>
          ) : !admin ? (
            <p className="bg-column text-soft rounded-lg px-3 py-2">{t("settings.onlyAdmins")}</p>
          ) : null}
        </div>
        <div className="grid gap-3 sm:grid-cols-[1fr_9rem]">
          <TextSetting
            label={t("settings.boardName")}
            value={board.name}
            disabled={!editable}
            onSave={(name) => changing.change(() => ({ name }))}
          />
          <Select label={t("settings.currency")} value={board.currency} disabled={!editable} onChange={({ target: { value: currency } }) => void changing.change(() => ({ currency }))}>
            {currencies.map((code) => (
              <option key={code}>{code}</option>
            ))}
          </Select>
        </div>
        <Section title={t("settings.stages")}>
          <Stages board={board} columns={state.columns} editable={editable} change={changing.change} />
        </Section>
        <Section title={t("settings.pipeline")}>
          <PipelineSettings board={board} editable={editable} change={changing.change} />
        </Section>
        <Section title={t("settings.members")}>
          <Members board={board} members={state.members} admin={admin} me={me} http={http} store={store} changing={changing} />
        </Section>
        {admin && <Archive archived={board.archived} onChange={(archived) => void changing.change(() => ({ archived }))} />}
      </div>
    </Dialog>
  );
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="flex flex-col gap-3">
      <h3 className="font-semibold">{title}</h3>
      {children}
    </section>
  );
}

/** Asks once more before the board is archived: everybody on it can then only read. */
function Archive({ archived, onChange }: { readonly archived: boolean; readonly onChange: (archived: boolean) => void }) {
  const { t } = useI18n();
  const [asking, ask] = useState(false);
  return (
    <section className="border-line flex flex-wrap items-center gap-3 border-t pt-5">
      <p className="text-soft min-w-0 flex-1 basis-64 text-[13px]">{t(archived ? "settings.archivedText" : "settings.archiveText")}</p>
      {archived ? (
        <Button look="primary" onClick={() => onChange(false)}>
          {t("settings.restore")}
        </Button>
      ) : asking ? (
        <div className="flex gap-2">
          <Button onClick={() => ask(false)}>{t("settings.cancel")}</Button>
          <Button
            look="primary"
            autoFocus
            onClick={() => {
              ask(false);
              onChange(true);
            }}
          >
            {t("settings.archiveNow")}
          </Button>
        </div>
      ) : (
        <Button onClick={() => ask(true)}>{t("settings.archive")}</Button>
      )}
    </section>
  );
}
