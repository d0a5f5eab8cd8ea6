import { Http, ProblemError, type Realtime, type Role, type Snapshot } from "@boardcast/client";
import { Clock } from "../panel";

/** What the page asks the API for before there is a board, and beside it. */

export interface Person {
  readonly id: string;
  readonly name: string;
}

export interface Config {
  readonly feedUrl: string;
  /** What this person is offered. */
  readonly realtime: Realtime;
  readonly demo: boolean;
  /** Which page is served now: another than this one, after an upgrade. */
  readonly build: string;
}

export interface BoardOfUser {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
}

export interface Start {
  readonly user: Person;
  readonly config: Config;
  readonly boards: readonly BoardOfUser[];
  readonly snapshot: Snapshot | null;
}

export class Api {
  /** The service's time, as its answers tell it. */
  readonly clock = new Clock();
  // Of this origin: the session's cookie goes along.
  readonly #http = new Http();

  async start(board: string | null): Promise<Start> {
    const query = board === null ? "" : `?board=${encodeURIComponent(board)}`;
    return this.#get<Start>(`/api/start${query}`);
  }

  async boards(): Promise<readonly BoardOfUser[]> {
    return (await this.#get<{ boards: readonly BoardOfUser[] }>("/api/boards")).boards;
  }

  async config(): Promise<Config> {
    return this.#get<Config>("/api/config");
  }

  /** The demo's people; null where signing in by name is off. */
  async people(): Promise<readonly Person[] | null> {
    try {
      return (await this.#get<{ users: readonly Person[] }>("/api/auth/users")).users;
    } catch (error) {
      if (error instanceof ProblemError && error.type === "no-demo") return null;
      throw error;
    }
  }

  async signIn(user: string): Promise<void> {
    await this.#http.request("POST", "/api/auth/token", { body: { user } });
  }

  async signOut(): Promise<void> {
    await this.#http.request("DELETE", "/api/auth/token");
  }

  // The service's answers are described by its own schemas; what they are is said once, above.
  async #get<Answer>(path: string): Promise<Answer> {
    const { headers, body } = await this.#http.request("GET", path);
    this.clock.heard(headers.get("Date"));
    return body as Answer;
  }
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 401;
}
