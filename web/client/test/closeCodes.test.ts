import { expect, test } from "vitest";
import PROTOCOL from "../../../docs/protocol.md?raw";
import { CLOSE_CODES } from "../src/closeCodes.js";
import { endedByService } from "../src/transport.js";

function table(): { code: number; name: string; reconnect: boolean }[] {
  const section = PROTOCOL.split("## Close codes")[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| (\d{4}) \| `(\w+)` \| (yes|no) \|/gm)].map(([, code, name, reconnect]) => ({
    code: Number(code),
    name: String(name),
    reconnect: reconnect === "yes",
  }));
}

test("the codes and reactions match the protocol", () => {
  const documented = table();
  expect(documented.length).toBeGreaterThan(5);
  expect(Object.fromEntries(documented.map(({ code, name }) => [code, name]))).toEqual(
    Object.fromEntries(Object.entries(CLOSE_CODES).map(([code, { name }]) => [code, name])),
  );
  for (const { code, reconnect } of documented) {
    const reaction = CLOSE_CODES[code]?.reaction;
    expect([code, reaction === "never" || reaction === "renewToken"]).toEqual([code, !reconnect]);
  }
});

test("a goodbye is recognized by its name, and a token error by its code", () => {
  expect(endedByService("restart", "", 1200)).toMatchObject({ reaction: "fallBack", retryAfter: 1200 });
  expect(endedByService("token_expired", "").reaction).toBe("renewToken");
  expect(endedByService("something_new", "").reaction).toBe("fallBack");
});
