//! A server goes in; a queue with many jobs on it comes out, in seconds.

use std::time::Duration;

use queue::{Endpoint, Inspector};
use stillcast_enqueue::{Job, Producer, ProducerOptions, Source};

use crate::server::Server;

/// The queue of those programs that are told no other.
const QUEUE: &str = "stillcast";
const A_CALL: usize = 100;
/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `report` leaves of jobs that have failed, of many at once.
const DIE: &str = "
local prefix, now, error = ARGV[1], ARGV[2], ARGV[3]
for at = 4, #ARGV do
  local id = ARGV[at]
  redis.call('ZREM', prefix .. 'ready', id)
  redis.call('ZREM', prefix .. 'deadlines', id)
  redis.call('HSET', prefix .. 'job:' .. id, 'state', 'dead', 'finished_ms', now, 'error', error,
    'attempts', 5, 'fence', 1, 'cost', '{\"spent_usd\":0.01,\"avoided_usd\":0,\"wasted_usd\":0}')
  redis.call('ZADD', prefix .. 'dead', now, id)
  redis.call('PEXPIRE', prefix .. 'body:' .. id, 604800000)
  redis.call('ZADD', prefix .. 'trash', now + 604800000, redis.call('HGET', prefix .. 'job:' .. id, 'tenant') .. '/' .. id)
end";

/// An operator's hands on the server's queue.
pub async fn open(server: &Server) -> anyhow::Result<Inspector> {
    Ok(Inspector::connect(Endpoint::new(&server.url(), QUEUE)?).await?)
}

/// Enqueues so many jobs, of ten tenants, with three strings each; their identifiers.
pub async fn ready_jobs(server: &Server, number: usize) -> anyhow::Result<Vec<String>> {
    let options = ProducerOptions { timeout: PATIENCE, queue_name: QUEUE.to_owned() };
    let producer = Producer::connect_with(&server.url(), options).await?;
    let mut ids = Vec::with_capacity(number);
    for first in (0..number).step_by(A_CALL) {
        let jobs: Vec<Job> = (first..number.min(first + A_CALL)).map(job).collect();
        for answer in producer.enqueue_many(&jobs).await {
            ids.push(answer?.id.to_string());
        }
    }
    Ok(ids)
}

/// The same, and all of them are dead.
pub async fn dead_jobs(server: &Server, number: usize) -> anyhow::Result<Vec<String>> {
    let ids = ready_jobs(server, number).await?;
    let (script, prefix) = (redis::Script::new(DIE), format!("{{q:{QUEUE}}}:"));
    // A machine that is busy elsewhere takes its time.
    let endpoint = Endpoint::new(&server.url(), QUEUE)?;
    let mut connection = endpoint.shared(PATIENCE).await?;
    let (seconds, _): (i64, i64) = redis::cmd("TIME").query_async(&mut connection).await?;
    for (at, ids) in (0..).zip(ids.chunks(A_CALL)) {
        let error = format!(
            "{{\"stage\":\"tts\",\"provider\":\"openai\",\"code\":\"fault-{}\",\"message\":\"none\"}}",
            at % 10
        );
        let mut call = script.prepare_invoke();
        call.arg(&prefix).arg(seconds * 1000).arg(error).arg(ids);
        let () = call.invoke_async(&mut connection).await?;
    }
    Ok(ids)
}

fn job(at: usize) -> Job {
    Job::audio(Source::Text("A long day by the sea.".to_owned()))
        .with_tenant(format!("tenant-{}", at % 10))
        .with_priority(u8::try_from(at % 10).unwrap_or_default())
        .with_metadata("show", format!("evening walk {}", at % 100))
        .with_metadata("episode", at.to_string())
        .with_metadata("user", format!("user-{}", at % 1_000))
}
