// The texts of the page, in the language chosen on the board or here, else the browser's, else Portuguese. Texts of the database
// (health, causes, the steps of a change) are not translated: they are the same as in psql.

import { preferredLanguage, regionOf, save } from "./storage.js";
import { en } from "./words.en.js";
import { pt } from "./words.pt.js";

/** @import { Language } from "./storage.js" */
/** @typedef {keyof typeof en} Key */

/** @type {Record<Language, Record<string, string | Partial<Record<Intl.LDMLPluralRule, string>>>>} */
const CATALOGUES = { "pt-BR": pt, en };

export const language = preferredLanguage();
const region = regionOf(language);

/**
 * Set the language and reload. The address holds everything that is shown.
 * @param {Language} wanted
 */
export function setLanguage(wanted) {
  save("language", wanted);
  location.reload();
}

const plural = new Intl.PluralRules(language);

/**
 * @param {Key} key
 * @param {Record<string, string | number> & { count?: number }} [values]
 */
export function t(key, values = {}) {
  const phrase = CATALOGUES[language][key] ?? key;
  const text = typeof phrase === "string" ? phrase : phrase[plural.select(values.count ?? 0)] ?? phrase.other ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => (name === "count" ? number(values.count ?? 0) : String(values[name])));
}

const whole = new Intl.NumberFormat(language);
const rough = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
const share = new Intl.NumberFormat(language, { style: "percent", maximumSignificantDigits: 2 });
/** @type {Intl.DateTimeFormatOptions} */
const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
/** @type {Intl.DateTimeFormatOptions} */
const DAY = { day: "numeric", month: "short" };
const clock = new Intl.DateTimeFormat(region, { ...TIME, fractionalSecondDigits: 3 });
const brief = new Intl.DateTimeFormat(region, TIME);
const minute = new Intl.DateTimeFormat(region, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(region, DAY);
const full = new Intl.DateTimeFormat(region, { dateStyle: "full", timeStyle: "long", hourCycle: "h23" });
const moment = new Intl.DateTimeFormat(region, { ...DAY, ...TIME });

/** @param {number} value */
export const number = (value) => whole.format(value);
/** With three significant digits. @param {number} value */
export const about = (value) => (Math.abs(value) >= 1000 ? whole.format(Math.round(value)) : rough.format(value));
/** @param {number} value */
export const percent = (value) => share.format(value);
/** With milliseconds. @param {Date} at */
export const timeOfDay = (at) => clock.format(at);
/** @param {Date} at */
export const briefTime = (at) => brief.format(at);
/** @param {Date} at */
export const hourAndMinute = (at) => minute.format(at);
/** @param {Date} at */
export const dayOf = (at) => day.format(at);
/** @param {Date} at */
export const fullTime = (at) => full.format(at);
/** @param {Date} at */
export const shortMoment = (at) => moment.format(at);
/** @param {Date} at */
export const isToday = (at) => at.toDateString() === new Date().toDateString();

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** In units of 1024, like pg_size_pretty. @param {number} value */
export function bytes(value) {
  const power = Math.min(UNITS.length - 1, value < 1 ? 0 : Math.floor(Math.log(value) / Math.log(1024)));
  return `${about(value / 1024 ** power)} ${UNITS[power]}`;
}

/** A duration in a suitable unit. @param {number} seconds */
export function duration(seconds) {
  const size = Math.abs(seconds);
  if (size === 0) return "0 s";
  if (size < 0.001) return `${rough.format(seconds * 1e6)} µs`;
  if (size < 1) return `${rough.format(seconds * 1e3)} ms`;
  if (size < 120) return `${rough.format(seconds)} s`;
  if (size < 7200) return `${rough.format(seconds / 60)} min`;
  if (size < 172_800) return `${rough.format(seconds / 3600)} h`;
  return t("days", { count: Math.round(seconds / 86_400) });
}
