/** The client: each method is one request, tried again where that is safe. */

import { JobFailed, Problem, TimedOut, Unreachable } from "./errors.ts";
import { readEvents } from "./events.ts";
import type {
  Accepted,
  BulkAction,
  BulkPlan,
  BulkRecord,
  JobList,
  JobRecord,
  JobRequest,
  ProblemBody,
  ReplayRequest,
  State,
} from "./types.ts";

/** The longest wait that one request asks for, in seconds. */
const LONGEST_WAIT_S = 30;
/** A stream of events that is silent for so long is dead: the server gives a sign of life each 15 s. */
const LONGEST_SILENCE_MS = 45_000;
/** The longest pause before another try. */
const LONGEST_PAUSE_MS = 30_000;
const ENDED: ReadonlySet<State> = new Set<State>(["done", "dead", "cancelled", "expired"]);

export interface ClientOptions {
  /** One of the server's `API_TOKENS`; without any, only its own machine is answered. */
  token?: string;
  /** How long one answer may take; default 10 s. */
  timeoutMs?: number;
  /** How often a request is tried; default 5. */
  tries?: number;
}

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: unknown;
  timeoutMs?: number;
}

/**
 * Talks to one Stillcast server. Each request is tried again when the server says that this may help, or
 * when no answer comes; a job's request carries the same idempotency key each time, so it stays one job.
 */
export class Client {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number;
  readonly #tries: number;

  constructor(url: string, options: ClientOptions = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.#headers = options.token ? { authorization: `Bearer ${options.token}` } : {};
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#tries = options.tries ?? 5;
  }

  /** Brings a job in; with the same key, it is the same job. */
  async enqueue(request: JobRequest, idempotencyKey?: string): Promise<Accepted> {
    const key = idempotencyKey ?? request.idempotency_key ?? crypto.randomUUID();
    const headers = { "idempotency-key": key };
    return this.#json("/v1/jobs", { method: "POST", body: request, headers });
  }

  /** The record of a job. */
  async job(id: string): Promise<JobRecord> {
    return this.#json(path(id));
  }

  /** Every job that the filter means, page after page. */
  async *jobs(query: { filter?: string; state?: State; limit?: number } = {}): AsyncGenerator<JobRecord> {
    const words = new URLSearchParams({ limit: String(query.limit ?? 50) });
    if (query.filter !== undefined) words.set("filter", query.filter);
    if (query.state !== undefined) words.set("state", query.state);
    for (;;) {
      const page: JobList = await this.#json(`/v1/jobs?${words}`);
      yield* page.jobs;
      if (!page.next) return;
      words.set("cursor", page.next);
    }
  }

  /** The record of a delivered job, once it is; throws {@link JobFailed} if it ended otherwise. */
  async wait(id: string, timeoutMs = Number.POSITIVE_INFINITY): Promise<JobRecord> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const left = Math.max(0, until - performance.now()) / 1000;
      const wait = Math.min(LONGEST_WAIT_S, Math.floor(left) + 1);
      const limit = wait * 1000 + this.#timeoutMs;
      const record: JobRecord = await this.#json(`${path(id)}?wait=${wait}`, { timeoutMs: limit });
      if (record.state === "done") return record;
      if (ENDED.has(record.state)) throw new JobFailed(record);
      if (performance.now() >= until) throw new TimedOut(`the job ${id} is ${record.state}`);
    }
  }

  /** The record of a job at once, at each change, and at its end, whatever becomes of the wire. */
  async *events(id: string): AsyncGenerator<JobRecord> {
    let seen: string | undefined;
    for (let failures = 0; ; ) {
      const abort = new AbortController();
      let timer = setTimeout(() => abort.abort(), this.#timeoutMs);
      const alive = () => {
        clearTimeout(timer);
        timer = setTimeout(() => abort.abort(), LONGEST_SILENCE_MS);
      };
      try {
        const headers = seen === undefined ? {} : { "last-event-id": seen };
        const answer = await this.#fetch(path(id, "events"), { headers }, abort);
        for await (const event of readEvents(answer, alive)) {
          failures = 0;
          if (event.event === "end") return;
          seen = event.id;
          yield JSON.parse(event.data) as JobRecord;
        }
        throw new Error("the stream has ended before the job");
      } catch (error) {
        await this.#pause(error, ++failures);
      } finally {
        clearTimeout(timer);
        abort.abort();
      }
    }
  }

  /** The words of a job. */
  async transcript(id: string): Promise<string> {
    return this.#request(path(id, "transcript"), {}, (answer) => answer.text());
  }

  /** The bytes of the finished file of a job. */
  async artifact(id: string): Promise<ArrayBuffer> {
    return this.#request(path(id, "artifact"), {}, (answer) => answer.arrayBuffer());
  }

  /** A file beside the finished one, such as `captions.vtt`. */
  async extra(id: string, name: string): Promise<ArrayBuffer> {
    return this.#request(path(id, `extras/${name}`), {}, (answer) => answer.arrayBuffer());
  }

  /** Ends a job; repeating it is harmless. */
  async cancel(id: string): Promise<void> {
    await this.#json(path(id, "cancel"), { method: "POST" });
  }

  /** Sends a dead job round again; from a stage on, or with other options, that is made anew. */
  async replay(id: string, remake: ReplayRequest = {}): Promise<void> {
    await this.#json(path(id, "replay"), { method: "POST", body: remake });
  }

  /** Tells the end of a job once more. */
  async resendWebhook(id: string): Promise<void> {
    await this.#json(path(id, "webhook/resend"), { method: "POST" });
  }

  /** Removes an ended job and its files. */
  async purge(id: string): Promise<void> {
    await this.#json(path(id), { method: "DELETE" });
  }

  /** What would happen to how many jobs, and what it may cost. Nothing happens yet. */
  async planBulk(action: BulkAction, filter: string): Promise<BulkPlan> {
    return this.#json("/v1/jobs/bulk", { method: "POST", body: { action, filter } });
  }

  /** Begins what was planned; it happens once, however often it is begun. */
  async beginBulk(plan: BulkPlan): Promise<BulkRecord> {
    return this.#json("/v1/jobs/bulk", { method: "POST", body: { plan: plan.plan } });
  }

  /** How far a bulk action is. */
  async bulk(id: string): Promise<BulkRecord> {
    return this.#json(`/v1/bulk/${encodeURIComponent(id)}`);
  }

  /** Stops a bulk action where it stands. */
  async stopBulk(id: string): Promise<BulkRecord> {
    return this.#json(`/v1/bulk/${encodeURIComponent(id)}/stop`, { method: "POST" });
  }

  async #json<T>(place: string, asked: Asked = {}): Promise<T> {
    return this.#request(place, asked, (answer) => answer.json() as Promise<T>);
  }

  async #request<T>(place: string, asked: Asked, read: (answer: Response) => Promise<T>): Promise<T> {
    for (let failures = 0; ; ) {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), asked.timeoutMs ?? this.#timeoutMs);
      try {
        return await read(await this.#fetch(place, asked, abort));
      } catch (error) {
        await this.#pause(error, ++failures);
      } finally {
        clearTimeout(timer);
      }
    }
  }

  async #fetch(place: string, asked: Asked, abort: AbortController): Promise<Response> {
    const headers = { ...this.#headers, ...asked.headers };
    const request: RequestInit = { method: asked.method ?? "GET", headers, signal: abort.signal };
    if (asked.body !== undefined) {
      headers["content-type"] = "application/json";
      request.body = JSON.stringify(asked.body);
    }
    const answer = await fetch(this.#url + place, request);
    if (answer.ok) return answer;
    const body: Partial<ProblemBody> = await answer.json().catch(() => ({}));
    const retryAfter = Number.parseInt(answer.headers.get("retry-after") ?? "", 10);
    throw new Problem(answer.status, body, Number.isNaN(retryAfter) ? undefined : retryAfter);
  }

  /** Waits before another try, or throws when none can help. */
  async #pause(error: unknown, failures: number): Promise<void> {
    const isOver = failures >= this.#tries;
    if (error instanceof Problem) {
      if (isOver || !error.retryable) throw error;
    } else if (isOver) {
      throw new Unreachable(`no answer after ${failures} tries`, { cause: error });
    }
    // Full jitter, so that many clients do not come back together.
    const pause = Math.random() * Math.min(LONGEST_PAUSE_MS, 200 * 2 ** failures);
    const wanted = error instanceof Problem ? (error.retryAfter ?? 0) * 1000 : 0;
    const ms = Math.min(LONGEST_PAUSE_MS, Math.max(pause, wanted));
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

function path(id: string, part?: string): string {
  const job = `/v1/jobs/${encodeURIComponent(id)}`;
  return part === undefined ? job : `${job}/${part}`;
}
