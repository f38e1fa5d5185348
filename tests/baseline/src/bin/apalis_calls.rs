//! The six-call worker on `apalis-redis`: as its README builds one, with every default, four at once.
//!
//! Arguments, as for `six_calls`: address, name, folder, and numbers of which only the slots count.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use apalis::layers::WorkerBuilderExt;
use apalis::prelude::*;
use apalis_redis::{Config, RedisStorage};
use baseline::Errand;
use tests::fleet::QUEUE;
use tests::journal::{Act, Entry, Journal};
use tests::misdeeds::misbehave;
use tokio::signal::unix::{SignalKind, signal};

/// What a handler writes to.
struct Desk {
    journal: Journal,
    worker: String,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, name, folder, numbers @ ..] = arguments.as_slice() else {
        anyhow::bail!("arguments: address, name, folder, numbers");
    };
    let slots: usize = numbers.get(3).context("the fourth number is the slots")?.parse()?;
    let journal = Journal::open(&PathBuf::from(folder).join("journal"))?;
    let worker = format!("{name}-{}", uuid::Uuid::new_v4().simple());
    let desk = Arc::new(Desk { journal, worker });
    let connection = apalis_redis::connect(url.as_str()).await?;
    let config = Config::default().queue(QUEUE);
    let storage = RedisStorage::<Errand>::new(connection).with_config(config);
    let (name, mut terminate) = (name.clone(), signal(SignalKind::terminate())?);
    Monitor::new()
        .register(move |_| {
            WorkerBuilder::new(name.clone())
                .backend(storage.clone())
                .data(Arc::clone(&desk))
                .concurrency(slots)
                .build(six_calls)
        })
        .on_event(|_, event| println!("{event:?}"))
        .run_with_signal(async move {
            terminate.recv().await;
            Ok(())
        })
        .await?;
    Ok(())
}

async fn six_calls(errand: Errand, desk: Data<Arc<Desk>>) -> Result<(), BoxDynError> {
    desk.write(&errand, Act::Attempt, 0);
    for call in 1..=errand.script.calls {
        desk.write(&errand, Act::CallStart, call);
        if misbehave(&errand.script, call).await {
            return Err("asked to fail".into());
        }
        tokio::time::sleep(Duration::from_millis(errand.script.ms)).await;
        desk.write(&errand, Act::CallEnd, call);
    }
    desk.write(&errand, Act::Finish, 0);
    Ok(())
}

impl Desk {
    fn write(&self, errand: &Errand, act: Act, call: u32) {
        self.journal.write(&Entry {
            at: chrono::Utc::now().timestamp_millis(),
            worker: self.worker.clone(),
            job: errand.id.clone(),
            token: String::new(),
            act,
            call,
            key: format!("{}/{call}", errand.id),
        });
    }
}
