//! A job goes into the private stack, its file comes out in the person's folder; the stack is
//! supervised until then, or until the time is over or a signal arrives.

use std::path::Path;

use stillcast_enqueue::{Job, JobRecord, State};
use tokio::time::Instant;

use super::{earlier, save};
use crate::cli_error::CliError;
use crate::commands::watch;
use crate::context::Context;
use crate::embedded::Stack;
use crate::progress::Progress;
use crate::signals::Signals;
use crate::{connect, render};

/// One run of `make` on its private stack.
pub(super) struct Session<'run> {
    pub(super) stack: &'run mut Stack,
    pub(super) signals: &'run mut Signals,
    /// When `make` stops waiting; `None` for never.
    pub(super) deadline: Option<Instant>,
    pub(super) context: &'run Context,
}

/// How the wait for something ended.
enum Waited<T> {
    Finished(T),
    /// The time was over, or a signal arrived first; the text says which.
    Stopped(&'static str),
}

impl Session<'_> {
    /// Enqueues the job, waits for it, copies its file into `out`; then waits for jobs that earlier
    /// runs left.
    pub(super) async fn make(&mut self, job: &Job, out: &Path) -> anyhow::Result<()> {
        let inspector = self.stack.inspector.clone();
        let earlier = earlier::unfinished(&inspector).await?;
        self.enqueue(job).await?;
        let mut progress = Progress::new(&self.context.screen);
        let ended = watch::until_ended(&inspector, job.id.as_str(), |record| progress.show(record));
        match self.supervise(ended).await? {
            Waited::Finished(record) => self.save(&record, out).await?,
            Waited::Stopped(why) => return Err(self.kept(job, why)),
        }
        let finished = earlier::finish(&inspector, earlier, &self.context.screen);
        // The file is there: what happens to others' jobs is no failure of this one.
        match self.supervise(finished).await {
            Ok(Waited::Finished(())) => {}
            Ok(Waited::Stopped(why)) => {
                self.context.screen.note(&format!("{why}: earlier jobs stay"));
            }
            Err(error) => self.context.screen.note(&format!("earlier jobs stay: {error:#}")),
        }
        Ok(())
    }

    async fn enqueue(&self, job: &Job) -> anyhow::Result<()> {
        let redis_url = self.stack.home().redis_url();
        let producer = connect::producer(&redis_url, &self.context.config).await?;
        producer.enqueue(job).await?;
        Ok(())
    }

    /// Supervises the stack until `work` has finished, the deadline has passed or a signal arrives.
    async fn supervise<T>(
        &mut self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<Waited<T>> {
        let Session { stack, signals, deadline, context } = self;
        let deadline = async {
            match *deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            finished = work => finished.map(Waited::Finished),
            fault = stack.supervise() => fault.map(|never| match never {}),
            () = deadline => Ok(Waited::Stopped("the time of --timeout is over")),
            () = signals.next() => {
                context.screen.note("ending in order; once more ends at once");
                Ok(Waited::Stopped("stopped"))
            }
        }
    }

    fn kept(&self, job: &Job, why: &str) -> anyhow::Error {
        let home = self.stack.home().path().display();
        CliError::failed(format!(
            "{why}; the job {id} is kept in {home}: the next `stillcast make` or `stillcast dev` \
             finishes it, `stillcast job cancel {id}` beside a `stillcast dev` drops it",
            id = job.id
        ))
    }

    async fn save(&self, record: &JobRecord, out: &Path) -> anyhow::Result<()> {
        let screen = &self.context.screen;
        let Some(artifact) = record.artifact.clone().filter(|_| record.state == State::Done) else {
            screen.answer(record, String::new)?;
            let log = self.stack.home().worker_log();
            let sentence = render::failure(record);
            return Err(CliError::failed(format!("{sentence}; see {}", log.display())));
        };
        let store = self.stack.home().store();
        let target = save::copy_into(out, record, &artifact, &store).await?;
        screen.answer(record, || target.display().to_string())?;
        if screen.is_json() {
            screen.live_line(&target.display().to_string());
        }
        Ok(())
    }
}
