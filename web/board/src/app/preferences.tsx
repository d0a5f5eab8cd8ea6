import { useState } from "react";
import { useI18n, type Language } from "../i18n";
import { MoonIcon, ScreenIcon, SunIcon, type MenuItem } from "../ui";
import { setTheme, theme, type Theme } from "./theme";

const THEMES = { system: ["themeSystem", ScreenIcon], light: ["themeLight", SunIcon], dark: ["themeDark", MoonIcon] } as const;
const LANGUAGES: Readonly<Record<Language, string>> = { "pt-BR": "Português", en: "English" };

/** Menu items for the theme and the language. */
export function usePreferences(): readonly MenuItem[] {
  const { t, language, setLanguage } = useI18n();
  const [chosen, choose] = useState(theme);
  const themes = (Object.keys(THEMES) as Theme[]).map((each): MenuItem => {
    const [label, Icon] = THEMES[each];
    return {
      key: each,
      group: t("theme"),
      label: t(label),
      icon: <Icon className="text-soft" />,
      checked: each === chosen,
      onSelect: () => {
        setTheme(each);
        choose(each);
      },
    };
  });
  const languages = (Object.keys(LANGUAGES) as Language[]).map(
    (each): MenuItem => ({ key: each, group: t("language"), label: <span lang={each}>{LANGUAGES[each]}</span>, checked: each === language, onSelect: () => setLanguage(each) }),
  );
  return [...themes, ...languages];
}
