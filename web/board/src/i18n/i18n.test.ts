import { expect, test } from "vitest";
import { en as panelEn } from "../panel/words.en";
import { pt as panelPt } from "../panel/words.pt";
import { en as settingsEn } from "../settings/words.en";
import { pt as settingsPt } from "../settings/words.pt";
import { Formats } from "./formats";
import { render, type Template } from "./templates";
import { en } from "./words.en";
import { pt } from "./words.pt";

const names = (template: Template): string[] => [...JSON.stringify(template).matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "").sort();

test.each([
  ["the board's", en, pt],
  ["the panel's", panelEn, panelPt],
  ["the settings'", settingsEn, settingsPt],
])("%s texts have the same names in both languages", (_, english, portuguese) => {
  const [first, second] = [new Map<string, Template>(Object.entries(english)), new Map<string, Template>(Object.entries(portuguese))];
  expect([...second.keys()].sort()).toEqual([...first.keys()].sort());
  for (const [key, template] of first) expect([key, new Set(names(second.get(key) ?? ""))]).toEqual([key, new Set(names(template))]);
});

test("singular and plural, and values that look like placeholders", () => {
  const plural = new Intl.PluralRules("pt-BR");
  const template = { one: "{count} negócio", other: "{count} negócios" };
  expect(render(template, plural, { count: 1 })).toBe("1 negócio");
  expect(render(template, plural, { count: 2 })).toBe("2 negócios");
  expect(render("{name} moveu {title}", plural, { name: "{title}", title: "$& x" })).toBe("{title} moveu $& x");
});

test("money without cents if there are none, and with an unknown currency", () => {
  const format = new Formats("pt-BR");
  expect(format.money(1500, "BRL")).toBe("R$\u00a01.500");
  expect(format.money(0.3, "BRL")).toBe("R$\u00a00,30");
  expect(format.money(7, "not one")).toBe("7");
});

test("a date has its year unless it is the nearest such date; a wrong clock shows no future", () => {
  const format = new Formats("en");
  const soon = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
  expect(format.day(soon)).not.toContain(soon.slice(0, 4));
  expect(format.day("1999-12-31")).toContain("1999");
  expect(format.day("never")).toBe("never");
  expect(format.ago(-5000)).toBe("now");
  expect(format.ago(20_000)).toBe("20 seconds ago");
});
