// The API requests of this page. A request that fails throws an ApiError with the slug of the problem.

/** @import { LogPage, Me, Overview, Person, Series, ChangeDetail } from "../types" */

const PATIENCE = 30_000;

export class ApiError extends Error {
  /**
   * @param {string} slug of the problem (RFC 9457), or `unreachable`
   * @param {{ title?: string, detail?: string, errors?: { pointer: string, detail: string }[] }} [problem]
   */
  constructor(slug, problem = {}) {
    super(problem.detail ?? problem.title ?? slug);
    this.slug = slug;
    this.problem = problem;
  }

  /** Whether the user was rejected, not the request. */
  get refused() {
    return ["unauthenticated", "expired-token", "invalid-token", "dba-only"].includes(this.slug);
  }
}

/** @param {unknown} error */
export const asApiError = (error) => (error instanceof ApiError ? error : new ApiError("unreachable", { title: String(error) }));

/**
 * @param {string} method
 * @param {string} path
 * @param {{ body?: unknown, headers?: Record<string, string>, read?: (text: string) => any }} [options]
 * @returns {Promise<any>}
 */
async function ask(method, path, { body, headers = {}, read = JSON.parse } = {}) {
  let answer, text;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    text = await answer.text();
  } catch (error) {
    throw asApiError(error);
  }
  if (!answer.ok) throw refusal(answer.status, text);
  return text === "" ? null : read(text);
}

/** @param {number} status @param {string} text */
function refusal(status, text) {
  try {
    const problem = JSON.parse(text);
    return new ApiError(problem.type.split("/").pop(), problem);
  } catch {
    return new ApiError("unreachable", { title: `${status}` }); // an error page of a proxy
  }
}

/** A number with the digits that PostgreSQL wrote. */
export class Digits {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
  toJSON() {
    return Number(this.text);
  }
}

/**
 * Parse JSON, but keep the digits of numbers that JavaScript would write differently: 36600.00 is not 36600.
 * @param {string} text
 */
export function exact(text) {
  /** @type {(key: string, value: unknown, context?: { source?: string }) => unknown} */
  const keep = (_, value, context) =>
    typeof value === "number" && context?.source !== undefined && String(value) !== context.source ? new Digits(context.source) : value;
  return JSON.parse(text, keep);
}

/** @param {Record<string, string | number | null>} parameters */
function query(parameters) {
  const named = Object.entries(parameters).filter(([, value]) => value !== null && value !== "");
  return named.length ? `?${new URLSearchParams(named.map(([name, value]) => [name, String(value)]))}` : "";
}

export const api = {
  /** @returns {Promise<Me>} */
  me: () => ask("GET", "/api/auth/me"),
  /** @returns {Promise<{ users: Person[] }>} */
  people: () => ask("GET", "/api/auth/users"),
  /** @param {string} user @returns {Promise<Me>} */
  enter: (user) => ask("POST", "/api/auth/token", { body: { user, role: "dba" } }),
  /** @param {string} token @returns {Promise<Me>} */
  session: (token) => ask("POST", "/api/auth/session", { headers: { Authorization: `Bearer ${token}` } }),
  leave: () => ask("DELETE", "/api/auth/token"),
  renew: () => ask("POST", "/api/auth/refresh"),
  /** @param {Record<string, string>} filters @param {number | null} before @returns {Promise<LogPage>} */
  log: (filters, before, limit = 100) => ask("GET", `/api/trigger-log${query({ ...filters, before, limit })}`),
  /** @param {string} seq @returns {Promise<ChangeDetail>} */
  change: (seq) => ask("GET", `/api/trigger-log/${encodeURIComponent(seq)}`, { read: exact }),
  /** @returns {Promise<Overview>} */
  overview: () => ask("GET", "/api/dba/overview"),
  /** @param {string} since @returns {Promise<Series>} */
  series: (since) => ask("GET", `/api/dba/series${query({ since })}`),
  /** @param {Record<string, string>} filters @param {string | null} cursor */
  stream: (filters, cursor) => new EventSource(`/api/trigger-log/stream${query({ ...filters, since: cursor })}`),
};
