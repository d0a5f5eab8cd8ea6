/**
 * Requests to the API, for the feed and for the store.
 *
 * Invariant: `request` resolves with an answer that says yes (2xx or 304) or rejects with a ProblemError, never with anything
 * else. A token that the API does not take any more is renewed once, and the request made again: it was refused before it did anything.
 */
import { SessionKeeper } from "./session.js";
import type { Session } from "./types.js";

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the answer; null where there is none. */
  readonly body: unknown;
}

export interface RequestOptions {
  /** What can be JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface HttpOptions {
  /** Address of the API; "" (default) is the page's own. */
  readonly api?: string;
  /** Where the token is from; without it the session's cookie is sent. */
  readonly session?: SessionKeeper | (() => Promise<Session>);
  readonly fetch?: Fetch;
  /** How long an answer may take, in ms. */
  readonly timeout?: number;
}

const TIMEOUT = 20_000;

/** An RFC 9457 problem; `status` 0 and type "network" where no answer came, "aborted" where the caller ended it. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  /** The last part of the problem's type: a row of docs/protocol.md. */
  readonly type: string;
  readonly title: string;
  readonly detail: string;

  constructor(
    readonly status: number,
    /** The whole problem, with what this type adds (`current`, `conflicts`, `reason` …). */
    readonly body: Readonly<Record<string, unknown>>,
    /** How long to wait before asking again, in ms, where the service says. */
    readonly retryAfter: number | null = null,
  ) {
    const text = (name: string): string => (typeof body[name] === "string" ? body[name] : "");
    super(text("detail") || text("title") || `HTTP ${status}`);
    this.type = text("type").replace(/^.*\//, "") || `http-${status}`;
    this.title = text("title");
    this.detail = text("detail");
  }
}

export class Http {
  readonly api: string;
  readonly #session: SessionKeeper | undefined;
  readonly #fetch: Fetch;
  readonly #timeout: number;

  constructor({ api = "", session, fetch, timeout = TIMEOUT }: HttpOptions = {}) {
    this.api = api.replace(/\/+$/, "");
    this.#session = typeof session === "function" ? new SessionKeeper(session) : session;
    this.#fetch = fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#timeout = timeout;
  }

  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    try {
      return await this.#ask(method, path, options);
    } catch (error) {
      if (!this.#session || !(error instanceof ProblemError) || error.status !== 401) throw error;
      await this.#session.renew().catch((error: unknown) => refuse(error));
      return this.#ask(method, path, options);
    }
  }

  async #ask(method: string, path: string, { body, headers, signal }: RequestOptions): Promise<Answer> {
    const given: Record<string, string> = { ...headers };
    if (body !== undefined) given["Content-Type"] = "application/json";
    if (this.#session) given["Authorization"] = `Bearer ${(await this.#session.current().catch((error: unknown) => refuse(error))).token}`;
    const response = await this.#send(this.api + path, {
      method,
      headers: given,
      credentials: this.#session ? "omit" : this.api ? "include" : "same-origin",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
    if (response.answer.status === 304 || response.ok) return response.answer;
    throw new ProblemError(response.answer.status, asRecord(response.answer.body), retryAfter(response.answer.headers));
  }

  /** One exchange, body included, within the time. */
  async #send(url: string, init: RequestInit): Promise<{ ok: boolean; answer: Answer }> {
    const outer = init.signal;
    const inner = new AbortController();
    const abort = (): void => inner.abort();
    if (outer?.aborted) abort();
    outer?.addEventListener("abort", abort);
    const timer = setTimeout(abort, this.#timeout);
    try {
      const response = await this.#fetch(url, { ...init, signal: inner.signal });
      const text = await response.text();
      return { ok: response.ok, answer: { status: response.status, headers: response.headers, body: parsed(text) } };
    } catch (error) {
      return refuse(error, outer?.aborted ? "aborted" : "network");
    } finally {
      clearTimeout(timer);
      outer?.removeEventListener("abort", abort);
    }
  }
}

function refuse(error: unknown, type = "network"): never {
  if (error instanceof ProblemError) throw error;
  throw new ProblemError(0, { type, title: "No answer", detail: error instanceof Error ? error.message : String(error) });
}

function parsed(text: string): unknown {
  try {
    return text ? (JSON.parse(text) as unknown) : null;
  } catch {
    return null; // a proxy's page; the status says enough
  }
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function retryAfter(headers: Headers): number | null {
  const seconds = Number(headers.get("Retry-After") ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
