import { useCallback } from "react";
import { useI18n } from "../i18n";
import { render, type Template, type Values } from "../i18n/templates";
import { en } from "./words.en";
import { pt } from "./words.pt";

export type Word = keyof typeof en;
export type Words = <K extends Word>(key: K, ...values: Values<(typeof en)[K]>) => string;

const CATALOGUES = { en, "pt-BR": pt } satisfies Record<string, Readonly<Record<Word, Template>>>;

/** The texts of this folder. They are loaded with it, and not with the board. */
export function useWords(): Words {
  const { language, format } = useI18n();
  return useCallback((key, ...values) => render((CATALOGUES[language] as Readonly<Record<Word, Template>>)[key], format.plural, values[0]), [language, format]);
}
