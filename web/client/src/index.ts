export { covers, coversXid } from "./compareCursors.js";
export { Feed, type FeedOptions } from "./feed.js";
export { Http, ProblemError, type ApiResponse, type Fetch, type HttpOptions, type RequestOptions } from "./http.js";
export type { BoardStore, StoreOptions } from "./store.js";
export type { Draft, Drafts } from "./drafts.js";
export type { Editor } from "./editor.js";
export type * from "./state.js";
export type { Timing } from "./timing.js";
export type * from "./types.js";
