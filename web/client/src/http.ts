/**
 * Requests to the API, for the feed and for the store.
 *
 * Invariant: `request` resolves with a success (2xx or 304) or rejects with a ProblemError, and with nothing else. If the API rejects
 * the token, it is renewed and the request is sent again, once. That is safe, because the API did nothing the first time.
 */
import { SessionManager } from "./session.js";
import type { Session } from "./types.js";

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

export interface ApiResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON; null if there is none. */
  readonly body: unknown;
}

export interface RequestOptions {
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface HttpOptions {
  /** Address of the API; default "": the page's own origin. */
  readonly api?: string;
  /** Provides the token; without it the session's cookie is sent. */
  readonly session?: SessionManager | (() => Promise<Session>);
  readonly fetch?: Fetch;
  /** How long a response may take, in ms. */
  readonly timeout?: number;
}

const TIMEOUT = 20_000;

/** An RFC 9457 problem. Its `status` is 0 if there was no response: type "network", or "aborted" if the caller aborted. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  /** The last part of the problem's type, as listed in docs/protocol.md. */
  readonly type: string;
  readonly title: string;
  readonly detail: string;

  constructor(
    readonly status: number,
    /** The whole problem, with the members that this type adds (`current`, `conflicts`, `reason` …). */
    readonly body: Readonly<Record<string, unknown>>,
    /** How long to wait before the next request, in ms, if the service says so. */
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
  readonly #session: SessionManager | undefined;
  readonly #fetch: Fetch;
  readonly #timeout: number;

  constructor({ api = "", session, fetch, timeout = TIMEOUT }: HttpOptions = {}) {
    this.api = api.replace(/\/+$/, "");
    this.#session = typeof session === "function" ? new SessionManager(session) : session;
    this.#fetch = fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#timeout = timeout;
  }

  async request(method: string, path: string, options: RequestOptions = {}): Promise<ApiResponse> {
    try {
      return await this.#attempt(method, path, options);
    } catch (error) {
      if (!this.#session || !(error instanceof ProblemError) || error.status !== 401) throw error;
      await this.#session.renew().catch((error: unknown) => reject(error));
      return this.#attempt(method, path, options);
    }
  }

  async #attempt(method: string, path: string, { body, headers, signal }: RequestOptions): Promise<ApiResponse> {
    const sent: Record<string, string> = { ...headers };
    if (body !== undefined) sent["Content-Type"] = "application/json";
    if (this.#session) sent["Authorization"] = `Bearer ${(await this.#session.current().catch((error: unknown) => reject(error))).token}`;
    const response = await this.#send(this.api + path, {
      method,
      headers: sent,
      credentials: this.#session ? "omit" : this.api ? "include" : "same-origin",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
    if (response.answer.status === 304 || response.ok) return response.answer;
    throw new ProblemError(response.answer.status, asRecord(response.answer.body), retryAfter(response.answer.headers));
  }

  /** One exchange, including the body, within the timeout. */
  async #send(url: string, init: RequestInit): Promise<{ ok: boolean; answer: ApiResponse }> {
    const timeout = AbortSignal.timeout(this.#timeout);
    try {
      const response = await this.#fetch(url, { ...init, signal: init.signal ? AbortSignal.any([init.signal, timeout]) : timeout });
      const text = await response.text();
      return { ok: response.ok, answer: { status: response.status, headers: response.headers, body: parsed(text) } };
    } catch (error) {
      return reject(error, init.signal?.aborted ? "aborted" : "network");
    }
  }
}

function reject(error: unknown, type = "network"): never {
  if (error instanceof ProblemError) throw error;
  throw new ProblemError(0, { type, title: "No response", detail: error instanceof Error ? error.message : String(error) });
}

function parsed(text: string): unknown {
  try {
    return text ? (JSON.parse(text) as unknown) : null;
  } catch {
    return null; // an error page of a proxy; the status says enough
  }
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function retryAfter(headers: Headers): number | null {
  const seconds = Number(headers.get("Retry-After") ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}
