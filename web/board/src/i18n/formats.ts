import type { Language } from "@boardcast/storage";

const HALF_A_YEAR = 182 * 86_400_000;

/** Numbers, money, and times in the format of a language. Formatters are created once per language, because that is slow. */
export class Formats {
  readonly plural: Intl.PluralRules;
  readonly #language: Language;
  readonly #money = new Map<string, Intl.NumberFormat>();
  readonly #number: Intl.NumberFormat;
  readonly #percent: Intl.NumberFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #dayOfYear: Intl.DateTimeFormat;
  readonly #moment: Intl.DateTimeFormat;
  readonly #relative: Intl.RelativeTimeFormat;
  readonly #list: Intl.ListFormat;

  /** `region`: the browser's variant of the language, which decides the format of dates. */
  constructor(language: Language, region: string = language) {
    this.#language = language;
    this.plural = new Intl.PluralRules(language);
    this.#number = new Intl.NumberFormat(language);
    this.#percent = new Intl.NumberFormat(language, { style: "percent" });
    // A date has no time zone: it is the same day everywhere.
    this.#day = new Intl.DateTimeFormat(region, { day: "numeric", month: "short", timeZone: "UTC" });
    this.#dayOfYear = new Intl.DateTimeFormat(region, { dateStyle: "medium", timeZone: "UTC" });
    this.#moment = new Intl.DateTimeFormat(region, { dateStyle: "medium", timeStyle: "short" });
    this.#relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
    this.#list = new Intl.ListFormat(language, { type: "conjunction" });
  }

  /** Without cents if there are none. */
  money(value: number, currency: string): string {
    return this.#moneyOf(currency, value % 1 !== 0 ? 2 : 0).format(value);
  }

  /** An amount of any size, exactly. Without cents if there are none. */
  cents(cents: bigint, currency: string): string {
    const [whole, rest] = [cents / 100n, cents % 100n];
    if (rest === 0n) return this.#moneyOf(currency, 0).format(whole);
    return this.#moneyOf(currency, 2).format(`${String(whole)}.${String(rest).padStart(2, "0")}` as `${number}`);
  }

  number(value: number): string {
    return this.#number.format(value);
  }

  percent(value: number): string {
    return this.#percent.format(value / 100);
  }

  /** YYYY-MM-DD. The year is left out if no other year has a nearer day of that name. */
  day(date: string): string {
    const at = Date.parse(`${date}T00:00:00Z`);
    if (Number.isNaN(at)) return date;
    return (Math.abs(at - Date.now()) < HALF_A_YEAR ? this.#day : this.#dayOfYear).format(at);
  }

  /** YYYY-MM-DD, with its year. */
  date(date: string): string {
    const at = Date.parse(`${date}T00:00:00Z`);
    return Number.isNaN(at) ? date : this.#dayOfYear.format(at);
  }

  /** YYYY-MM. */
  month(month: string): string {
    const at = Date.parse(`${month}-01T00:00:00Z`);
    return Number.isNaN(at) ? month : new Intl.DateTimeFormat(this.#language, { month: "short", year: "numeric", timeZone: "UTC" }).format(at);
  }

  moment(timestamp: string): string {
    const at = new Date(timestamp);
    return Number.isNaN(at.getTime()) ? timestamp : this.#moment.format(at);
  }

  /** "20 seconds ago"; "now" for times in the future, which come from a wrong clock. */
  ago(milliseconds: number): string {
    const seconds = Math.max(0, Math.round(milliseconds / 1000));
    if (seconds < 60) return this.#relative.format(-seconds, "second");
    if (seconds < 3600) return this.#relative.format(-Math.round(seconds / 60), "minute");
    if (seconds < 86_400) return this.#relative.format(-Math.round(seconds / 3600), "hour");
    return this.#relative.format(-Math.round(seconds / 86_400), "day");
  }

  list(names: readonly string[]): string {
    return this.#list.format(names);
  }

  compare(a: string, b: string): number {
    return a.localeCompare(b, this.#language);
  }

  #moneyOf(currency: string, digits: number): Intl.NumberFormat {
    const key = `${currency}${String(digits)}`;
    let format = this.#money.get(key);
    if (!format) this.#money.set(key, (format = this.#moneyFormat(currency, digits)));
    return format;
  }

  #moneyFormat(currency: string, digits: number): Intl.NumberFormat {
    const options = { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits } as const;
    try {
      return new Intl.NumberFormat(this.#language, options);
    } catch {
      return new Intl.NumberFormat(this.#language, { maximumFractionDigits: digits }); // not a currency code
    }
  }
}
