/** What can go wrong, one class each. */

import type { JobRecord, ProblemBody } from "./types.ts";

/** Anything that this client throws. */
export class StillcastError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No answer came, however often it was tried. The job may stand: the same key finds out. */
export class Unreachable extends StillcastError {}

/** The job had not ended when the time was over; it goes on. */
export class TimedOut extends StillcastError {}

/** The job has ended without a file; its record says why. */
export class JobFailed extends StillcastError {
  readonly job: JobRecord;

  constructor(job: JobRecord) {
    const said = job.error ? `: ${job.error.code}: ${job.error.message}` : "";
    super(`the job ${job.id} is ${job.state}${said}`);
    this.job = job;
  }
}

/** The server has refused the request, and says why (RFC 9457). */
export class Problem extends StillcastError {
  readonly status: number;
  /** The word for programs; it never changes. */
  readonly code: string;
  readonly detail: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** The request, as it stands in the server's log. */
  readonly requestId: string;
  /** What is wrong with the request's fields. */
  readonly errors: NonNullable<ProblemBody["errors"]>;
  /** Seconds before another try can help. */
  readonly retryAfter: number | undefined;

  constructor(status: number, body: Partial<ProblemBody>, retryAfter: number | undefined) {
    super(`${body.code ?? "unknown"} (${status}): ${body.detail ?? ""}`);
    this.status = status;
    this.code = body.code ?? "unknown";
    this.detail = body.detail ?? "";
    this.retryable = body.retryable ?? status >= 500;
    this.requestId = body.request_id ?? "";
    this.errors = body.errors ?? [];
    this.retryAfter = retryAfter;
  }
}
