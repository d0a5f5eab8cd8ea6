// Language, appearance, and session, in one menu.

import { h, icon } from "./dom.js";
import { language, setLanguage, t } from "./i18n.js";
import { LANGUAGES, setTheme, theme, THEMES } from "./storage.js";

/** @import { Me } from "../types" */

/**
 * @param {Me | null} me
 * @param {(() => void) | null} leave
 */
export function preferences(me, leave) {
  const languages = /** @type {(keyof typeof LANGUAGES)[]} */ (Object.keys(LANGUAGES));
  return h("div", { class: "preferences" },
    h("button", { type: "button", class: "quiet", popovertarget: "preferences", "aria-label": t("preferences") }, icon("gear")),
    h("div", { id: "preferences", popover: "auto", class: "menu" },
      me && h("p", { class: "soft" }, t("signedInAs", { name: me.user.name })),
      choice("theme", t("theme"), THEMES.map((each) => ({ value: each, label: t(each) })), theme(), (wanted) => setTheme(wanted)),
      choice("language", t("language"), languages.map((each) => ({ value: each, label: LANGUAGES[each], lang: each })), language, setLanguage),
      h("p", { class: "menu-links" }, h("a", { href: "/" }, t("goToBoard")), h("a", { href: "/docs" }, "API"),
        leave && h("button", { type: "button", onclick: leave }, t("signOut")))));
}

/**
 * @template {string} Value
 * @param {string} name @param {string} legend
 * @param {{ value: Value, label: string, lang?: string }[]} options
 * @param {Value} chosen @param {(wanted: Value) => void} choose
 */
function choice(name, legend, options, chosen, choose) {
  return h("fieldset", {}, h("legend", {}, legend), ...options.map(({ value, label, lang }) =>
    h("label", { lang: lang ?? null }, h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => choose(value) }), label)));
}
