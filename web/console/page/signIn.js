// Screens in front of the page: sign-in, a missing role, a service that does not respond.

import { api, asApiError } from "./api.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { preferences } from "./preferencesMenu.js";

/** @import { Me, Person } from "../types" */
/** @import { ApiError } from "./api.js" */
/** @import { Child } from "./dom.js" */

/** @param {string} title @param {Child[]} content */
function screen(title, ...content) {
  return h("div", { class: "sign-in" }, h("div", { class: "sign-in-top" }, preferences(null, null)),
    h("main", { class: "sign-in-box" }, h("img", { src: "/static/icon.svg", alt: "", width: 44, height: 44 }), h("h1", {}, title), ...content));
}

/** The users of the demo; none where signing in by name is disabled. @returns {Promise<Person[]>} */
async function people() {
  try {
    return (await api.people()).users;
  } catch (error) {
    if (asApiError(error).slug === "no-demo") return [];
    throw error;
  }
}

/**
 * @param {boolean} ended there was a session
 * @param {() => void} entered
 */
export async function signIn(ended, entered) {
  const persons = await people();
  const fault = h("p", { class: "fault", role: "alert", hidden: true });
  return screen(t("signIn"),
    ended ? h("p", { class: "fault", role: "alert" }, t("ended")) : h("p", {}, t("signInText")),
    persons.length > 0 && h("p", { class: "soft" }, t("signInDemo")),
    persons.length > 0 && h("ul", { class: "people" }, ...persons.map((person) =>
      h("li", {}, h("button", { type: "button", onclick: () => attempt(() => api.enter(person.id), entered, fault) }, person.name)))),
    h("p", { class: "soft" }, t(persons.length > 0 ? "signInToken" : "signInTokenOnly")),
    tokenForm(entered, fault), fault);
}

/**
 * @param {Me} me
 * @param {() => void} entered
 */
export async function noRole(me, entered) {
  const demo = (await people()).some((person) => person.id === me.user.id);
  const fault = h("p", { class: "fault", role: "alert", hidden: true });
  return screen(t("noRole", { name: me.user.name }), h("p", {}, t("noRoleText")),
    demo && h("button", { type: "button", class: "primary", onclick: () => attempt(() => api.enter(me.user.id), entered, fault) },
      t("noRoleDemo", { name: me.user.name })),
    !demo && h("p", { class: "soft" }, t("noRoleIssuer")),
    h("p", { class: "soft" }, t("anotherToken")), tokenForm(entered, fault), fault,
    h("p", {}, h("a", { href: "/" }, t("goToBoard"))));
}

/** @param {ApiError} found @param {() => void} again */
export function away(found, again) {
  return screen(t("unreachable"), h("p", { role: "alert" }, found.message), h("button", { type: "button", class: "primary", onclick: again }, t("retry")));
}

/** @param {() => void} entered @param {HTMLElement} fault */
function tokenForm(entered, fault) {
  const input = h("input", { id: "token", name: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true });
  return h("form", { class: "token", onsubmit: (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    void attempt(() => api.session(input.value.trim()), entered, fault);
  } }, h("label", { for: "token" }, t("token")), input, h("button", { type: "submit" }, icon("play"), t("enter")),
  h("p", { class: "soft hint" }, t("tokenHint")));
}

/** @param {() => Promise<unknown>} enter @param {() => void} entered @param {HTMLElement} fault */
async function attempt(enter, entered, fault) {
  try {
    await enter();
    entered();
  } catch (error) {
    fault.textContent = asApiError(error).message;
    fault.hidden = false;
  }
}
