/** A text with {names} in it, or two of them for the numbers that ask for it. */
export type Phrase = string | { readonly one: string; readonly other: string };

/** The same keys, in another language: one that is missing does not compile. */
export type Like<C> = { readonly [Key in keyof C]: C[Key] extends string ? string : Phrase };

type Names<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;
type NamesOf<P> = P extends { readonly one: infer One; readonly other: infer Other } ? Names<One> | Names<Other> | "count" : Names<P>;

/** What must be given to say the phrase: nothing if it names nothing. */
export type Given<P> = [NamesOf<P>] extends [never] ? [] : [values: { readonly [Name in NamesOf<P>]: string | number }];

export function say(phrase: Phrase, plural: Intl.PluralRules, values: Readonly<Record<string, string | number>> = {}): string {
  const text = typeof phrase === "string" ? phrase : phrase[plural.select(Number(values["count"])) === "one" ? "one" : "other"];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
