import { Http, ProblemError, type Realtime, type Role, type Snapshot } from "@boardcast/client";
import { ServerClock } from "../panel";
import { forgetBoards } from "./offline";

/** The API requests of the page outside of a board. */

export interface Person {
  readonly id: string;
  readonly name: string;
}

export interface Config {
  readonly feedUrl: string;
  /** The transport that this user is allowed. */
  readonly realtime: Realtime;
  readonly demo: boolean;
  /** The build that is served now. It differs from this page's after an upgrade. */
  readonly build: string;
}

export interface BoardOfUser {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly archived: boolean;
}

export interface Start {
  readonly user: Person;
  readonly config: Config;
  readonly boards: readonly BoardOfUser[];
  readonly snapshot: Snapshot | null;
}

export class Api {
  /** The service's time, from its responses. */
  readonly clock = new ServerClock();
  // Same origin: the session's cookie is sent along.
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

  /** The users of the demo; null where signing in by name is disabled. */
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
    await forgetBoards();
    await this.#http.request("DELETE", "/api/auth/token");
  }

  // The responses are described by the service's schemas; the interfaces above repeat what the page needs.
  async #get<Answer>(path: string): Promise<Answer> {
    const { headers, body } = await this.#http.request("GET", path);
    this.clock.observe(headers.get("Date"));
    return body as Answer;
  }
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 401;
}
