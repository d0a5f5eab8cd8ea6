import type { Phase } from "@boardcast/client";
import { useState } from "react";
import { useI18n } from "../i18n";
import { Button, classes, Menu, TrashIcon } from "../ui";
import { COLORS, colorOf, stageColor, type Color } from "./colors";
import { Handle } from "./Handle";

interface Props {
  readonly phase: Phase;
  readonly others: readonly Phase[];
  /** Where its cards move to unless the user says otherwise. */
  readonly neighbor: string;
  /** The number of its cards. */
  readonly cards: number;
  readonly editable: boolean;
  readonly lifted: boolean;
  readonly onStep: (by: number) => void;
  readonly onDrag: (y: number) => void;
  readonly onDrop: (kept: boolean) => void;
  readonly onChange: (fields: Partial<Phase>) => Promise<boolean>;
  readonly onDelete: (target: string | null) => Promise<boolean>;
}

const KINDS = ["open", "won", "lost"] as const;
const INPUT = "hover:border-edge bg-surface h-9 border-transparent rounded-lg border px-2 focus:outline-2 focus:outline-accent disabled:opacity-60 max-sm:min-h-11";

export function Stage({ phase, others, neighbor, cards, editable, lifted, onStep, onDrag, onDrop, onChange, onDelete }: Props) {
  const { t } = useI18n();
  const [deleting, setDeleting] = useState(false);
  const { name, kind = "open" } = phase;
  return (
    <li data-stage={phase.id} className={classes("flex flex-wrap items-center gap-2 px-2 py-2", lifted && "bg-hover relative z-10")}>
      {editable && <Handle name={name} onStep={onStep} onDrag={onDrag} onDrop={onDrop} />}
      <ColorMenu phase={phase} editable={editable} onChange={(color) => void onChange({ color })} />
      <NameInput name={name} editable={editable} onSave={(changed) => onChange({ name: changed })} />
      <div className="flex items-center gap-2 max-sm:w-full max-sm:pl-10">
        <select aria-label={t("settings.kindOf", { name })} className={INPUT} value={kind} disabled={!editable} onChange={(event) => void onChange({ kind: event.target.value as (typeof KINDS)[number] })}>
          {KINDS.map((each) => (
            <option key={each} value={each}>
              {t(`settings.kind.${each}`)}
            </option>
          ))}
        </select>
        <ProbabilityInput phase={phase} editable={editable} onSave={onChange} />
        {editable && (
          <Button look="quiet" size="icon" className="max-sm:size-11" aria-label={t("settings.deleteStage", { name })} title={t("settings.deleteStage", { name })} disabled={others.length === 0} onClick={() => setDeleting(true)}>
            <TrashIcon />
          </Button>
        )}
      </div>
      {deleting && <Delete name={name} others={others} neighbor={neighbor} cards={cards} onCancel={() => setDeleting(false)} onDelete={async (target) => void ((await onDelete(target)) || setDeleting(false))} />}
    </li>
  );
}

function ColorMenu({ phase, editable, onChange }: { readonly phase: Phase; readonly editable: boolean; readonly onChange: (color: Color) => void }) {
  const { t } = useI18n();
  const dot = (color: string) => <span aria-hidden="true" className="size-3.5 shrink-0 rounded-full" style={{ background: color }} />;
  if (!editable) return <span className="px-2">{dot(stageColor(phase))}</span>;
  return (
    <Menu
      label={t("settings.colorOf", { name: phase.name })}
      button={dot(stageColor(phase))}
      className="shrink-0 max-sm:size-11"
      items={(Object.keys(COLORS) as Color[]).map((color) => ({
        key: color,
        label: t(`settings.color.${color}`),
        icon: dot(COLORS[color]),
        checked: color === colorOf(phase),
        onSelect: () => onChange(color),
      }))}
    />
  );
}

/** Saved with Enter or when the focus leaves. What was typed stays until it is saved, whatever others do meanwhile. */
function NameInput({ name, editable, onSave }: { readonly name: string; readonly editable: boolean; readonly onSave: (name: string) => Promise<boolean> }) {
  const { t } = useI18n();
  const [typed, setTyped] = useState<string | null>(null);
  async function save(): Promise<void> {
    const wanted = typed?.trim();
    if (!wanted || wanted === name || (await onSave(wanted))) setTyped(null);
  }
  return (
    <input
      aria-label={t("settings.stageName")}
      className={`${INPUT} min-w-0 flex-1 basis-32 font-medium`}
      value={typed ?? name}
      readOnly={!editable}
      maxLength={300}
      autoComplete="off"
      onFocus={(event) => editable && event.currentTarget.select()}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={() => void save()}
      onKeyDown={(event) => {
        if (event.key === "Enter") void save();
        if (event.key !== "Escape" || typed === null) return;
        event.preventDefault();
        setTyped(null);
      }}
    />
  );
}

function ProbabilityInput({ phase, editable, onSave }: { readonly phase: Phase; readonly editable: boolean; readonly onSave: Props["onChange"] }) {
  const { t } = useI18n();
  const [typed, setTyped] = useState<string | null>(null);
  const stored = String(phase.probability ?? "");
  async function save(): Promise<void> {
    const probability = typed === "" ? null : Math.min(100, Number(typed));
    if (typed === null || typed === stored || (await onSave({ probability }))) setTyped(null);
  }
  return (
    <label className="text-soft flex items-center gap-1 text-[13px]" title={t("settings.probabilityHint")}>
      <span className="sr-only">{t("settings.probabilityOf", { name: phase.name })}</span>
      <input
        className={`${INPUT} text-ink tabular w-14 text-right`}
        inputMode="numeric"
        value={typed ?? stored}
        readOnly={!editable}
        placeholder="–"
        autoComplete="off"
        onChange={(event) => setTyped(event.target.value.replace(/\D/g, "").slice(0, 3))}
        onBlur={() => void save()}
        onKeyDown={(event) => event.key === "Enter" && void save()}
      />
      %
    </label>
  );
}

interface DeleteProps {
  readonly name: string;
  readonly others: readonly Phase[];
  readonly neighbor: string;
  readonly cards: number;
  readonly onCancel: () => void;
  readonly onDelete: (target: string | null) => void;
}

function Delete({ name, others, neighbor, cards, onCancel, onDelete }: DeleteProps) {
  const { t } = useI18n();
  const [chosen, choose] = useState(neighbor);
  const target = others.some(({ id }) => id === chosen) ? chosen : (others[0]?.id ?? "");
  return (
    <div role="group" aria-label={t("settings.deleteStage", { name })} className="bg-column flex w-full flex-wrap items-center gap-2 rounded-lg px-3 py-2">
      {cards > 0 ? (
        <label className="flex min-w-0 flex-1 basis-56 flex-wrap items-center gap-2">
          {t("settings.moveTo", { count: cards })}
          <select autoFocus className={`${INPUT} border-edge! max-w-full`} value={target} onChange={(event) => choose(event.target.value)}>
            {others.map((each) => (
              <option key={each.id} value={each.id}>
                {each.name}
              </option>
            ))}
          </select>
        </label>
      ) : (
        <p className="min-w-0 flex-1">{t("settings.deleteEmpty", { name })}</p>
      )}
      <Button size="sm" className="max-sm:min-h-11" onClick={onCancel}>
        {t("settings.cancel")}
      </Button>
      <Button size="sm" look="primary" className="max-sm:min-h-11" autoFocus={cards === 0} onClick={() => onDelete(cards > 0 ? target : null)}>
        {t("settings.delete")}
      </Button>
    </div>
  );
}
