/** A text with {names} to fill in, or one for the singular and one for the plural. */
export type Template = string | { readonly one: string; readonly other: string };

/** The same keys in another language. A missing key does not compile. */
export type SameKeys<C> = { readonly [Key in keyof C]: C[Key] extends string ? string : Template };

type Names<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type NamesOf<P> = P extends { readonly one: infer One; readonly other: infer Other } ? Names<One> | Names<Other> | "count" : Names<P>;

/** The values that a template needs; none if it has no names. */
export type Values<P> = [NamesOf<P>] extends [never] ? [] : [values: { readonly [Name in NamesOf<P>]: string | number }];

export function render(template: Template, plural: Intl.PluralRules, values: Readonly<Record<string, string | number>> = {}): string {
  const text = typeof template === "string" ? template : template[plural.select(Number(values["count"])) === "one" ? "one" : "other"];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
