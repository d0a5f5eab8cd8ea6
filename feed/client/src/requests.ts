/** How a write is sent, and what its answer means. Everything the service can say ends in one Outcome; nothing is thrown. */

import type { Http } from "./http.js";
import { ProblemError } from "./http.js";
import { createFields, type Change, type Restore, type Write } from "./pending.js";
import { difference } from "./merge.js";
import type { Trouble } from "./state.js";
import type { Opportunity } from "./types.js";

export type Outcome =
  /** It is done; null: there is no such card any more. */
  | { readonly is: "done"; readonly row: Opportunity | null }
  /** The card had changed: this is what it is now. */
  | { readonly is: "stale"; readonly current: Opportunity }
  /** The service could not merge these. */
  | { readonly is: "unmerged"; readonly current: Opportunity }
  /** It is now this write, to be sent. */
  | { readonly is: "become"; readonly write: Change }
  /** Nobody answered, or asked to come back (after so many ms); it may have been done. */
  | { readonly is: "later"; readonly wait: number | null; readonly broken: boolean }
  | { readonly is: "refused"; readonly reason: "deleted" | "refused"; readonly problem: Trouble };

/** Send a write; `row` is the card as it is known now. */
export async function send(http: Http, write: Write, row: Opportunity | undefined): Promise<Outcome> {
  try {
    return { is: "done", row: await ask(http, write, row) };
  } catch (error) {
    try {
      return await meaning(http, write, error);
    } catch (again) {
      return verdict(write, again);
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

/** A person decided on the versions that he saw; lines of notes are merged into what the card is now. */
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

async function meaning(http: Http, write: Write, error: unknown): Promise<Outcome> {
  if (!(error instanceof ProblemError)) return later(error);
  const { status, type, body } = error;
  const current = body["current"] as Opportunity | undefined;
  const there = status === 409 || status === 428; // it came back, or an answer was lost
  if (write.kind === "restore" && (status === 412 || (there && !write.seen))) return edited(http, write);
  if (status === 412 && current) return { is: "stale", current };
  if (type === "merge-conflict" && current) return { is: "unmerged", current };
  if (type === "unknown-opportunity" && write.kind === "remove") return { is: "done", row: null };
  if (write.kind === "create" && type === "conflict") return { is: "done", row: await fetchCard(http, write.id) };
  return verdict(write, error);
}

/** To be tried again, or not to be done. */
function verdict(write: Write, error: unknown): Outcome {
  if (!(error instanceof ProblemError)) return later(error);
  const { status, type, body } = error;
  if (AGAIN.includes(status) || (status >= 500 && write.faults < FAULTS) || type === "http-404") return later(error);
  const errors = body["errors"] as Trouble["errors"];
  const problem = { code: type, message: error.detail || error.title, ...(errors ? { errors } : {}) };
  return { is: "refused", reason: type === "unknown-opportunity" ? "deleted" : "refused", problem };
}

/** No answer, no session now, too slow, too many; a bare 404 is a proxy's. */
const AGAIN: readonly number[] = [0, 401, 408, 429];
/** So often the service may break on a write before it is taken for the write's fault. */
const FAULTS = 5;

function later(error: unknown): Outcome {
  const problem = error instanceof ProblemError ? error : null;
  return { is: "later", wait: problem?.retryAfter ?? null, broken: problem?.status === 500 };
}

/** The card that an old version was to replace is another now: it is an edit of the fields that differ, like any other. */
async function edited(http: Http, { mutation, id, faults, version, seen }: Restore): Promise<Outcome> {
  if (version === null) return { is: "done", row: await fetchCard(http, id) };
  const { body } = await http.request("GET", `${path(id)}/versions/${version}`);
  const base = seen ?? (await fetchCard(http, id));
  const changes = difference(base, (body as { data: Opportunity }).data);
  return { is: "become", write: { kind: "change", mutation, id, faults, changes, seen: base, tries: 0 } };
}

export async function fetchCard(http: Http, id: string): Promise<Opportunity> {
  return (await http.request("GET", path(id))).body as Opportunity;
}
