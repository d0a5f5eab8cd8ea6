import { preferredLanguage, regionOf, save, type Language } from "@boardcast/storage";
import { createContext, use, useCallback, useMemo, useState, type ReactNode } from "react";
import { en as panelEn } from "../panel/words.en";
import { pt as panelPt } from "../panel/words.pt";
import { en as settingsEn } from "../settings/words.en";
import { pt as settingsPt } from "../settings/words.pt";
import { Formats } from "./formats";
import { render, type Values, type Template } from "./templates";
import { en as boardEn } from "./words.en";
import { pt as boardPt } from "./words.pt";

const en = { ...boardEn, ...panelEn, ...settingsEn } as const;
const CATALOGUES = { en, "pt-BR": { ...boardPt, ...panelPt, ...settingsPt } } satisfies Record<Language, Readonly<Record<keyof typeof en, Template>>>;

export type Key = keyof typeof en;
export type Translate = <K extends Key>(key: K, ...values: Values<(typeof en)[K]>) => string;

interface I18n {
  readonly language: Language;
  readonly setLanguage: (language: Language) => void;
  readonly t: Translate;
  readonly format: Formats;
}

const Context = createContext<I18n | null>(null);

export function useI18n(): I18n {
  const value = use(Context);
  if (!value) throw new Error("useI18n outside of I18nProvider");
  return value;
}

export function I18nProvider({ children }: { readonly children: ReactNode }) {
  const [language, show] = useState(preferredLanguage);
  const setLanguage = useCallback((wanted: Language) => {
    save("language", wanted);
    show(wanted);
  }, []);
  const value = useMemo<I18n>(() => {
    document.documentElement.lang = language;
    const format = new Formats(language, regionOf(language));
    const catalogue: Readonly<Record<Key, Template>> = CATALOGUES[language];
    const t: Translate = (key, ...values) => render(catalogue[key], format.plural, values[0]);
    return { language, setLanguage, t, format };
  }, [language, setLanguage]);
  return <Context value={value}>{children}</Context>;
}
