// BullMQ, as its users use it: a Queue, a Worker and an empty handler.
//
// In: the socket of a Redis, then `enqueue JOBS A_CALL BYTES`, `drain JOBS SLOTS` or
// `pickup JOBS PAUSE_MS BYTES`. Out: one line of JSON with what it took: `seconds`, `cpu_us` of this
// process, and `waits_ms` of a pickup.
'use strict';

const { Queue, Worker } = require('bullmq');

const [socket, phase, ...numbers] = process.argv.slice(2);
const connection = { path: socket, maxRetriesPerRequest: null };
const NAME = 'bench';

const seconds = (from) => Number(process.hrtime.bigint() - from) / 1e9;
const data = (bytes) => ({ text: 'x'.repeat(bytes) });

async function enqueue(jobs, aCall, bytes) {
  const queue = new Queue(NAME, { connection });
  await queue.waitUntilReady();
  const from = process.hrtime.bigint();
  for (let first = 0; first < jobs; first += aCall) {
    if (aCall === 1) {
      await queue.add('job', data(bytes));
    } else {
      await queue.addBulk(Array.from({ length: aCall }, () => ({ name: 'job', data: data(bytes) })));
    }
  }
  const took = seconds(from);
  await queue.close();
  return { seconds: took };
}

// From the start of the first handler to the last job that is completed in Redis.
async function drain(jobs, slots) {
  let from;
  let completed = 0;
  const handler = async () => {
    from ??= process.hrtime.bigint();
  };
  const worker = new Worker(NAME, handler, { connection, concurrency: slots, autorun: false });
  await worker.waitUntilReady();
  const before = process.cpuUsage();
  const took = await new Promise((resolve, reject) => {
    worker.on('completed', () => {
      completed += 1;
      if (completed === jobs) resolve(seconds(from));
    });
    worker.on('error', reject);
    worker.run().catch(reject);
  });
  const { user, system } = process.cpuUsage(before);
  await worker.close();
  return { seconds: took, cpu_us: user + system };
}

async function pickup(jobs, pause, bytes) {
  const queue = new Queue(NAME, { connection });
  const sent = new Map();
  const waits = [];
  let tell;
  const all = new Promise((resolve) => {
    tell = resolve;
  });
  const handler = async (job) => {
    waits.push(seconds(sent.get(job.data.number)) * 1e3);
    if (waits.length === jobs) tell();
  };
  const worker = new Worker(NAME, handler, { connection, concurrency: 4 });
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  for (let number = 0; number < jobs; number += 1) {
    await new Promise((resolve) => {
      setTimeout(resolve, pause);
    });
    sent.set(number, process.hrtime.bigint());
    await queue.add('job', { ...data(bytes), number });
  }
  await all;
  await worker.close();
  await queue.close();
  return { waits_ms: waits };
}

const phases = { enqueue, drain, pickup };
phases[phase](...numbers.map(Number)).then(
  (told) => {
    console.log(JSON.stringify(told));
    process.exit(0);
  },
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
