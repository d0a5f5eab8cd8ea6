import { useState } from "react";
import { useI18n, type Language } from "../i18n";
import { Menu, MoonIcon, ScreenIcon, SunIcon, type MenuItem } from "../ui";
import { setTheme, theme, type Theme } from "./theme";

const THEMES = { system: ["themeSystem", ScreenIcon], light: ["themeLight", SunIcon], dark: ["themeDark", MoonIcon] } as const;
const LANGUAGES: Readonly<Record<Language, string>> = { "pt-BR": "Português", en: "English" };

/** Two small menus: how it looks, and what it speaks. */
export function Preferences() {
  const { t, language, setLanguage } = useI18n();
  const [chosen, choose] = useState(theme);
  const Icon = THEMES[chosen][1];
  const themes = (Object.keys(THEMES) as Theme[]).map((each): MenuItem => {
    const [label, Each] = THEMES[each];
    return {
      key: each,
      label: t(label),
      icon: <Each className="text-soft size-4" />,
      checked: each === chosen,
      onSelect: () => {
        setTheme(each);
        choose(each);
      },
    };
  });
  const languages = (Object.keys(LANGUAGES) as Language[]).map(
    (each): MenuItem => ({ key: each, label: <span lang={each}>{LANGUAGES[each]}</span>, checked: each === language, onSelect: () => setLanguage(each) }),
  );
  return (
    <div className="flex items-center">
      <Menu label={t("theme")} button={<Icon className="size-[18px]" />} items={themes} />
      <Menu label={t("language")} button={<span className="text-xs font-semibold">{language === "en" ? "EN" : "PT"}</span>} items={languages} />
    </div>
  );
}
