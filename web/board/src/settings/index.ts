/** Boards, their stages, and their members: what admins change, and what everybody can look up. */
export { BoardSettings } from "./BoardSettings";
export { NewBoard } from "./NewBoard";
