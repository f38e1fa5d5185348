/** What a TypeScript program does with the client. In: the server's address, one that loses an answer now
 * and then, a token, a file to be written. Out: what it has seen, as JSON. */

import { writeFileSync } from "node:fs";

import { Client, JobFailed, type JobRequest, Problem } from "../../../deploy/clients/typescript/src/index.ts";

const [url = "", lossy = "", token = "", file = ""] = process.argv.slice(2);
const request: JobRequest = { source: { text: "A long day by the sea." }, format: "audio" };
const seen: Record<string, unknown> = {};

async function all<T>(from: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of from) list.push(one);
  return list;
}

// Its first answer is lost: the client asks again, by the same key.
const first = await new Client(lossy, { token }).enqueue(request);

const client = new Client(url, { token });
seen.jobs = (await all(client.jobs({ limit: 1 }))).length;
// Another one than the first: whoever speaks a text that two jobs share keeps its words.
const other: JobRequest = { ...request, options: { variant: 1 } };
const again = await client.enqueue(other, "evening-ts");
seen.duplicate = (await client.enqueue(other, "evening-ts")).duplicate;
seen.states = (await all(client.events(first.id))).map((job) => job.state).slice(-1);
const done = await client.wait(again.id, 120_000);
seen.filtered = (await all(client.jobs({ filter: `id:${done.id}` }))).map((job) => job.id === done.id);
writeFileSync(file, new Uint8Array(await client.artifact(done.id)));
seen.bytes = done.artifact?.bytes;
seen.captions = new TextDecoder().decode(await client.extra(done.id, "captions.vtt")).slice(0, 6);
seen.words = (await client.transcript(done.id)).split(" ").length > 5;

const problems: unknown[] = [];
for (const wrong of [() => client.enqueue({ ...request, priority: 10 }), () => client.job("nobody")]) {
  try {
    await wrong();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    problems.push([error.status, error.code, error.retryable, error.errors.slice(0, 1)]);
  }
}
seen.problems = problems;

const late = await client.enqueue({ ...request, run_at: "2999-01-01T00:00:00Z" });
let plan = await client.planBulk("cancel", "state:delayed");
while (plan.jobs === 0) plan = await client.planBulk("cancel", "state:delayed");
const begun = await client.beginBulk(plan);
try {
  await client.wait(late.id, 60_000);
} catch (error) {
  if (!(error instanceof JobFailed)) throw error;
  seen.failed = error.job.state;
}
while ((await client.bulk(begun.id)).state !== "done");
seen.bulk = (await client.beginBulk(plan)).granted;
await client.purge(late.id);

console.log(JSON.stringify(seen));
