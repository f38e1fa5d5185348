/** What the API takes and gives, by name; `schema.d.ts` is made of its description by `just clients`. */

import type { components } from "./schema.d.ts";

type Schemas = components["schemas"];

export type Accepted = Schemas["Accepted"];
export type Artifact = Schemas["Artifact"];
export type BulkAction = Schemas["BulkAction"];
export type BulkPlan = Schemas["BulkPlan"];
export type BulkRecord = Schemas["BulkRecord"];
export type JobList = Schemas["JobList"];
export type JobRecord = Schemas["JobRecord"];
export type JobRequest = Schemas["JobRequest"];
export type ProblemBody = Schemas["Problem"];
export type ReplayRequest = Schemas["ReplayRequest"];
export type State = Schemas["State"];
