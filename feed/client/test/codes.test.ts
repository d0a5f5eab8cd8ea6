import { expect, test } from "vitest";
import PROTOCOL from "../../../docs/protocol.md?raw";
import { CODES } from "../src/codes.js";
import { named } from "../src/wire.js";

function table(): { code: number; name: string; again: boolean }[] {
  const section = PROTOCOL.split("## Close codes")[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| (\d{4}) \| `(\w+)` \| (yes|no) \|/gm)].map(([, code, name, again]) => ({
    code: Number(code),
    name: String(name),
    again: again === "yes",
  }));
}

test("the codes are those of the protocol, and come back where it says so", () => {
  const documented = table();
  expect(documented.length).toBeGreaterThan(5);
  expect(Object.fromEntries(documented.map(({ code, name }) => [code, name]))).toEqual(
    Object.fromEntries(Object.entries(CODES).map(([code, { name }]) => [code, name])),
  );
  for (const { code, again } of documented) {
    const next = CODES[code]?.next;
    expect([code, next === "never" || next === "token"]).toEqual([code, !again]);
  }
});

test("a goodbye is known by its name, and a token's trouble by its code", () => {
  expect(named("restart", "", 1200)).toMatchObject({ next: "down", retry: 1200 });
  expect(named("token_expired", "").next).toBe("token");
  expect(named("something_new", "").next).toBe("down");
});
