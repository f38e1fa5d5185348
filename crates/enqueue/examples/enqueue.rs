//! Enqueues one audio job, waits until it has ended, and prints its record.
//!
//! In: `REDIS_URL`, `QUEUE_NAME` (default `stillcast`), and the text as the first argument. Out: the
//! record as JSON; exit 1 when the job was not done within five minutes.
//!
//! ```sh
//! REDIS_URL=redis://localhost cargo run --example enqueue -- "A long day by the sea."
//! ```

#![expect(clippy::print_stdout, reason = "a program for people")]
#![expect(clippy::disallowed_methods, reason = "an example is its own configuration")]

use std::error::Error;
use std::time::Duration;

use stillcast_enqueue::{Job, Producer, ProducerOptions, Source, State, Waited};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://localhost".to_owned());
    let text = std::env::args().nth(1).unwrap_or_else(|| "A long day by the sea.".to_owned());
    let mut options = ProducerOptions::default();
    if let Ok(name) = std::env::var("QUEUE_NAME") {
        options.queue_name = name;
    }

    let producer = Producer::connect_with(&url, options).await?;
    let enqueued = producer.enqueue(&Job::audio(Source::Text(text))).await?;
    match producer.wait(&enqueued.id, Duration::from_mins(5)).await? {
        Waited::Ended(record) => {
            println!("{}", serde_json::to_string_pretty(&record)?);
            if record.state == State::Done { Ok(()) } else { Err("the job failed".into()) }
        }
        other => Err(format!("job {}: {other:?}", enqueued.id).into()),
    }
}
