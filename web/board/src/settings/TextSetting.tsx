import { useState } from "react";
import { useI18n } from "../i18n";
import { Field } from "../ui";

interface Props {
  readonly label: string;
  readonly value: string;
  readonly disabled: boolean;
  /** Resolves to whether it was saved. */
  readonly onSave: (value: string) => Promise<boolean>;
}

/** A text that is saved with Enter or when the focus leaves. What was typed stays until it is saved or taken back with Escape. */
export function TextSetting({ label, value, disabled, onSave }: Props) {
  const { t } = useI18n();
  const [typed, setTyped] = useState<string | null>(null);
  const empty = typed?.trim() === "";

  async function save(): Promise<void> {
    if (typed === null || empty) return;
    if (typed.trim() === value || (await onSave(typed.trim()))) setTyped(null);
  }

  return (
    <Field
      label={label}
      value={typed ?? value}
      readOnly={disabled}
      maxLength={300}
      autoComplete="off"
      error={empty ? t("settings.nameNeeded") : null}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={() => void save()}
      onKeyDown={(event) => {
        if (event.key === "Enter") void save();
        if (event.key !== "Escape" || typed === null) return;
        event.preventDefault();
        event.stopPropagation();
        setTyped(null);
      }}
    />
  );
}
