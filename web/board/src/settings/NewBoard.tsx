import type { BoardHead, Http } from "@boardcast/client";
import { useId, useState, type FormEvent } from "react";
import { useI18n } from "../i18n";
import { Button, classes, Dialog, Field } from "../ui";
import { stageColor } from "./colors";
import { createBoard } from "./requests";
import { templates } from "./templates";
import { explain } from "./useBoardChange";

interface Props {
  readonly http: Http;
  /** The board whose stages are copied; without one, the user chooses a template. */
  readonly copyOf?: BoardHead | undefined;
  readonly onCreated: (board: BoardHead) => void;
  readonly onClose: () => void;
}

/** Creates a board. The id is chosen once, so that a repeated attempt creates only one board. */
export function NewBoard({ http, copyOf, onCreated, onClose }: Props) {
  const { t } = useI18n();
  const form = useId();
  const all = templates(t);
  const [id] = useState(() => crypto.randomUUID());
  const [template, choose] = useState<string>("sales");
  const [typed, setTyped] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const chosen = all.find((each) => each.id === template);
  const name = typed ?? (copyOf ? t("settings.copyOf", { name: copyOf.name }).slice(0, 300) : chosen?.id === "partners" ? t("settings.partners") : t("settings.sales"));

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (saving) return;
    if (!name.trim()) return setError(t("settings.nameNeeded"));
    setSaving(true);
    setError(null);
    try {
      onCreated(await createBoard(http, { id, name, ...(copyOf ? { copyOf: copyOf.id } : { phases: chosen?.phases ?? [], closeReasons: chosen?.closeReasons ?? [] }) }));
    } catch (problem) {
      setError(explain(problem, t));
      setSaving(false);
    }
  }

  return (
    <Dialog
      title={copyOf ? t("settings.duplicate") : t("settings.newBoard")}
      closeLabel={t("close")}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t("settings.cancel")}</Button>
          <Button look="primary" type="submit" form={form} disabled={saving}>
            {saving ? t("settings.creating") : t("settings.create")}
          </Button>
        </>
      }
    >
      <form id={form} noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-5">
        <Field label={t("settings.boardName")} name="name" value={name} maxLength={300} autoComplete="off" error={error} onFocus={(event) => event.currentTarget.select()} onChange={(event) => setTyped(event.target.value)} />
        {copyOf ? (
          <p className="text-soft text-[13px]">{t("settings.duplicateText")}</p>
        ) : (
          <fieldset className="flex flex-col gap-2">
            <legend className="text-soft mb-1 text-[13px] font-medium">{t("settings.template")}</legend>
            {all.map((each) => (
              <label
                key={each.id}
                className={classes(
                  "flex cursor-pointer items-start gap-3 rounded-xl border px-3.5 py-3 transition-colors has-focus-visible:outline-2 has-focus-visible:outline-accent",
                  each.id === template ? "border-accent bg-accent-soft" : "border-line hover:border-edge",
                )}
              >
                <input type="radio" name="template" value={each.id} checked={each.id === template} onChange={() => choose(each.id)} className="accent-accent mt-1 size-4 shrink-0" />
                <span className="min-w-0 flex-1">
                  <span className="block font-medium">{t(`settings.${each.id}`)}</span>
                  <span className="mt-1.5 flex flex-wrap gap-x-3 gap-y-1">
                    {each.phases.map((phase) => (
                      <span key={phase.id} className="text-soft inline-flex items-center gap-1.5 text-[13px]">
                        <span aria-hidden="true" className="size-2 rounded-full" style={{ background: stageColor(phase) }} />
                        {phase.name}
                      </span>
                    ))}
                  </span>
                </span>
              </label>
            ))}
          </fieldset>
        )}
      </form>
    </Dialog>
  );
}
