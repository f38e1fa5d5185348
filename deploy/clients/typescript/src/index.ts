/** A client of Stillcast's HTTP API, for Node, Deno, Bun and browsers: it needs `fetch` alone. */

export { Client, type ClientOptions } from "./client.ts";
export { JobFailed, Problem, StillcastError, TimedOut, Unreachable } from "./errors.ts";
export type * from "./types.ts";
