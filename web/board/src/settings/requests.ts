import type { BoardHead, Http, Member, Phase, Role } from "@boardcast/client";

/** The requests that change boards and their members. Each names the version that it replaces. */

export interface NewBoardRequest {
  readonly id: string;
  readonly name: string;
  readonly currency?: string;
  readonly phases?: readonly Phase[];
  readonly closeReasons?: readonly string[];
  readonly copyOf?: string;
}

export interface BoardChange {
  readonly name?: string;
  readonly currency?: string;
  readonly archived?: boolean;
  readonly closeReasons?: readonly string[];
  readonly staleDays?: number;
  readonly phases?: readonly Phase[];
  readonly moveCards?: Readonly<Record<string, string>>;
}

export async function createBoard(http: Http, board: NewBoardRequest): Promise<BoardHead> {
  return (await http.request("POST", "/api/boards", { body: board })).body as BoardHead;
}

export async function changeBoard(http: Http, { id, version }: BoardHead, change: BoardChange): Promise<BoardHead> {
  return (await http.request("PATCH", pathOf(id), { body: change, headers: { "If-Match": `"v${version}"` } })).body as BoardHead;
}

export async function addMember(http: Http, board: string, user: { readonly userId: string } | { readonly email: string }, role: Role): Promise<Member> {
  return (await http.request("POST", `${pathOf(board)}/members`, { body: { ...user, role } })).body as Member;
}

export async function setRole(http: Http, board: string, member: Member, role: Role): Promise<void> {
  await http.request("PATCH", memberPath(board, member.userId), { body: { role }, headers: { "If-Match": `"${member.role}"` } });
}

/** Remove a member; oneself: leave the board. */
export async function removeMember(http: Http, board: string, { userId, role }: Member): Promise<void> {
  await http.request("DELETE", memberPath(board, userId), { headers: { "If-Match": `"${role}"` } });
}

function pathOf(board: string): string {
  return `/api/boards/${encodeURIComponent(board)}`;
}

function memberPath(board: string, user: string): string {
  return `${pathOf(board)}/members/${encodeURIComponent(user)}`;
}
