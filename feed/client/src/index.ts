export { Feed, type FeedOptions } from "./feed.js";
export { Http, ProblemError, type Answer, type Fetch, type HttpOptions, type RequestOptions } from "./http.js";
export type * from "./types.js";
