/** Sends a write and interprets the response. Every response becomes an Outcome; nothing is thrown. */

import type { Http } from "./http.js";
import { ProblemError } from "./http.js";
import { createFields, type Change, type Restore, type Write } from "./pending.js";
import { withDetails } from "./details.js";
import { difference } from "./merge.js";
import type { Problem } from "./state.js";
import type { Opportunity } from "./types.js";

export type Outcome =
  /** It is done; null: the card no longer exists. */
  | { readonly is: "done"; readonly row: Opportunity | null }
  /** The card had changed: this is the current row. */
  | { readonly is: "stale"; readonly row: Opportunity }
  /** The service could not merge the notes. */
  | { readonly is: "unmerged"; readonly row: Opportunity }
  /** Send this write instead. */
  | { readonly is: "replaced"; readonly write: Change }
  /** No response, or the service asks to retry (after `wait` ms). The write may have been done. */
  | { readonly is: "later"; readonly wait: number | null; readonly broken: boolean; readonly answered: boolean }
  | { readonly is: "rejected"; readonly reason: "deleted" | "rejected"; readonly problem: Problem };

/** Send a write; `row` is the current card, as far as it is known. */
export async function send(http: Http, write: Write, row: Opportunity | undefined): Promise<Outcome> {
  try {
    return { is: "done", row: await ask(http, write, row) };
  } catch (error) {
    try {
      return await interpret(http, write, error);
    } catch (again) {
      return classify(write, again);
    }
  }
}

const path = (id: string): string => `/api/opportunities/${encodeURIComponent(id)}`;

async function ask(http: Http, write: Write, row: Opportunity | undefined): Promise<Opportunity | null> {
  const post = (where: string, body?: unknown, match?: number): Promise<Opportunity> => call("POST", where, body, match);
  const call = async (method: string, where: string, body?: unknown, match?: number): Promise<Opportunity> => {
    const headers: Record<string, string> = { "X-Mutation-Id": write.mutation };
    if (match !== undefined) headers["If-Match"] = `"v${match}"`;
    const answer = await http.request(method, where, { headers, ...(body === undefined ? {} : { body }) });
    return answer.body as Opportunity;
  };
  const here = path(write.id);
  switch (write.kind) {
    case "create":
      return post("/api/opportunities", { id: write.id, ...createFields(write.card) });
    case "change":
      return write.resolving
        ? post(`${here}/resolve-conflict`, resolution(write, row))
        : call("PATCH", here, write.changes, write.seen.version_number);
    case "remove":
      await call("DELETE", here, undefined, row?.version_number ?? write.seen.version_number);
      return null;
    case "restore": {
      const version = write.version ?? (await lastVersion(http, write.id));
      return post(`${here}/versions/${version}/restore`, undefined, write.seen?.version_number);
    }
  }
}

/** The user decided with certain versions in view; lines of notes are merged into the current card. */
function resolution(write: Change, row: Opportunity | undefined): object {
  const { from, how } = write.resolving ?? { from: write.seen.version_number, how: "client" };
  const serverVersion = how === "lines" && row ? row.version_number : write.seen.version_number;
  const versions = { clientVersion: from, serverVersion };
  if (how === "server") return { ...versions, resolution: how };
  if (how === "merge") return { ...versions, resolution: how, mergedData: write.changes };
  return { ...versions, resolution: how === "lines" ? "merge" : how, clientData: write.changes };
}

async function lastVersion(http: Http, id: string): Promise<number> {
  const { body } = await http.request("GET", `${path(id)}/versions?limit=1`);
  return (body as { versions: { version_number: number }[] }).versions[0]?.version_number ?? 0;
}

async function interpret(http: Http, write: Write, error: unknown): Promise<Outcome> {
  if (!(error instanceof ProblemError)) return later(error);
  const { status, type, body } = error;
  const current = body["current"] as Opportunity | undefined;
  const exists = status === 409 || status === 428; // the card was restored, or a response was lost
  if (write.kind === "restore" && (status === 412 || (exists && !write.seen))) return edited(http, write);
  if (status === 412 && current) return { is: "stale", row: current };
  if (type === "merge-conflict" && current) return { is: "unmerged", row: current };
  if (type === "unknown-opportunity" && write.kind === "remove") return { is: "done", row: null };
  if (write.kind === "create" && type === "conflict") return { is: "done", row: await fetchCard(http, write.id) };
  return classify(write, error);
}

/** Either a retry helps, or the write is rejected. */
function classify(write: Write, error: unknown): Outcome {
  if (!(error instanceof ProblemError)) return later(error);
  const { status, type, body } = error;
  if (RETRYABLE.includes(status) || (status >= 500 && write.serverErrors < SERVER_ERRORS) || type === "http-404") return later(error);
  const errors = body["errors"] as Problem["errors"];
  const problem = { code: type, message: error.detail || error.title, ...(errors ? { errors } : {}) };
  return { is: "rejected", reason: type === "unknown-opportunity" ? "deleted" : "rejected", problem };
}

/** No response, no session, too slow, too many requests. A 404 without a problem type comes from a proxy, and is retried as well. */
const RETRYABLE: readonly number[] = [0, 401, 408, 429];
/** After this many internal errors, the write is assumed to cause them. */
const SERVER_ERRORS = 5;

function later(error: unknown): Outcome {
  const problem = error instanceof ProblemError ? error : null;
  return { is: "later", wait: problem?.retryAfter ?? null, broken: problem?.status === 500, answered: problem !== null && problem.status > 0 };
}

/** The card has changed since the user chose to restore a version: turn that into an edit of the fields that differ. */
async function edited(http: Http, { mutation, id, serverErrors, version, seen }: Restore): Promise<Outcome> {
  if (version === null) return { is: "done", row: await fetchCard(http, id) };
  const { body } = await http.request("GET", `${path(id)}/versions/${version}`);
  const base = seen ?? (await fetchCard(http, id));
  // Versions have no details, and a restore does not change them.
  const changes = difference(base, withDetails((body as { data: Opportunity }).data, base));
  return { is: "replaced", write: { kind: "change", mutation, id, serverErrors, changes, seen: base, tries: 0 } };
}

export async function fetchCard(http: Http, id: string): Promise<Opportunity> {
  return (await http.request("GET", path(id))).body as Opportunity;
}
