import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { cookieSession } from "../src/cookieSession.js";
import { Http, ProblemError } from "../src/http.js";
import { SessionManager } from "../src/session.js";
import type { Session } from "../src/types.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function manager(lifetime: number): { session: SessionManager; created: () => number } {
  let created = 0;
  const create = (): Promise<Session> => Promise.resolve({ token: `t${++created}`, userId: "ana", expires: Date.now() + lifetime });
  return { session: new SessionManager(create), created: () => created };
}

test("a token is renewed before it expires, and the connection gets the new one", async () => {
  const { session, created } = manager(3_600_000);
  const renewed: string[] = [];
  session.onRenewed = ({ token }) => renewed.push(token);
  session.watch();
  await vi.advanceTimersByTimeAsync(3_470_000);
  expect(created()).toBe(1);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(renewed).toEqual(["t2"]);
  session.stop();
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(created()).toBe(2);
});

test("a clock that jumps does not expire a token", async () => {
  const { session, created } = manager(3_600_000);
  await session.current();
  vi.setSystemTime(Date.now() + 86_400_000);
  await session.current();
  expect(created()).toBe(1);
});

test("simultaneous requests share one renewal", async () => {
  const { session, created } = manager(60_000);
  const [one, other] = await Promise.all([session.current(), session.renew()]);
  expect(one).toBe(other);
  expect(created()).toBe(1);
});

test("an issuer that returns the same token is not called in a loop", async () => {
  const expires = Date.now() + 60_000;
  const create = vi.fn(() => Promise.resolve({ token: "t", userId: "ana", expires }));
  const session = new SessionManager(create);
  session.watch();
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(create).toHaveBeenCalledTimes(2);
});

test("a failed renewal is retried, but not in a loop", async () => {
  const create = vi.fn<() => Promise<Session>>().mockResolvedValueOnce({ token: "t", userId: "ana", expires: Date.now() + 40_000 });
  create.mockRejectedValue(new Error("no network"));
  const session = new SessionManager(create);
  session.watch();
  await vi.advanceTimersByTimeAsync(60_500);
  expect(create.mock.calls.length).toBe(5);
  session.stop();
});

test("the lifetime of a cookie session follows the service's clock", async () => {
  const body = { token: "t", expiresAt: "2001-01-01T12:00:00+00:00", user: { id: "ana", name: "Ana" } };
  const fetch = (): Promise<Response> =>
    Promise.resolve(Response.json(body, { headers: { Date: "Mon, 01 Jan 2001 11:00:00 GMT" } }));
  const session = await cookieSession(new Http({ fetch }))();
  expect(session).toMatchObject({ token: "t", userId: "ana", expires: Date.now() + 3_600_000 });
});

test("a request whose token is rejected is sent again with a new one, once", async () => {
  const { session } = manager(60_000);
  const tokens: (string | null)[] = [];
  const fetch = (_: string, init?: RequestInit): Promise<Response> => {
    tokens.push(new Headers(init?.headers).get("Authorization"));
    return Promise.resolve(Response.json({ type: "/problems/expired-token", title: "The token has expired" }, { status: 401 }));
  };
  const error = await new Http({ fetch, session }).request("GET", "/x").catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ProblemError);
  expect(error).toMatchObject({ status: 401, type: "expired-token" });
  expect(tokens).toEqual(["Bearer t1", "Bearer t2"]);
});

test("every failed request is a ProblemError", async () => {
  const gone = (): Promise<never> => Promise.reject(new TypeError("fetch failed"));
  await expect(new Http({ fetch: gone }).request("GET", "/x")).rejects.toMatchObject({ status: 0, type: "network" });
  await expect(new Http({ session: gone }).request("GET", "/x")).rejects.toMatchObject({ status: 0, type: "network" });
  const busy = (): Promise<Response> => Promise.resolve(new Response("<html>", { status: 503, headers: { "Retry-After": "5" } }));
  await expect(new Http({ fetch: busy }).request("GET", "/x")).rejects.toMatchObject({ status: 503, retryAfter: 5000, type: "http-503" });
});
