import { LANGUAGES, setTheme, theme, THEMES, type Language } from "@boardcast/storage";
import { useState } from "react";
import { useI18n } from "../i18n";
import { MoonIcon, ScreenIcon, SunIcon, type MenuItem } from "../ui";

const LOOKS = { system: ["themeSystem", ScreenIcon], light: ["themeLight", SunIcon], dark: ["themeDark", MoonIcon] } as const;

/** Menu items for the theme and the language. */
export function usePreferences(): readonly MenuItem[] {
  const { t, language, setLanguage } = useI18n();
  const [chosen, choose] = useState(theme);
  const themes = THEMES.map((each): MenuItem => {
    const [label, Icon] = LOOKS[each];
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
