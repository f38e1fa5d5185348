//! Texts go one after the other to a program that stays; a file of sound comes back for each. What takes
//! a voice longest, to load its model, happens once.
//!
//! A request is one line of JSON on stdin: `{"text": …}`, with `"voice"` and `"language"` where the job
//! names them. The answer is a line on stdout, `{"bytes": N}`, and N bytes of a file of sound; or
//! `{"error": S}`, where S is the status with which a program that speaks once would have ended. The
//! program ends when its stdin does.

use std::time::Duration;

use bytes::Bytes;
use child::{ChildError, Running, Spec};
use pipeline::{Answer, ProviderError, Usage, Utterance};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::ChildStdout;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::failure::{ended, failed, garbled, too_much};
use crate::recording::MAX_BYTES;

/// A program that takes longer for one text is stuck; the stage's own time-out is usually shorter.
const MAX_TIME: Duration = Duration::from_mins(10);
/// A program that has closed its stdout is about to end.
const END: Duration = Duration::from_secs(2);
/// Bytes of an answer's first line.
const MAX_LINE: u64 = 1 << 10;

/// The place of the program, which speaks one text at a time; empty before its first, and behind a
/// failure.
#[derive(Debug, Default)]
pub(super) struct Resident(Mutex<Option<Helper>>);

/// The program at work.
#[derive(Debug)]
struct Helper {
    running: Running,
    answers: BufReader<ChildStdout>,
    has_spoken: bool,
}

#[derive(Serialize)]
struct Request<'say> {
    text: &'say str,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: Option<&'say str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'say str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Head {
    Bytes(usize),
    Error(i32),
}

/// What came of an exchange.
enum Failure {
    /// This text was refused; the program is well.
    Refused(ProviderError),
    /// The program has ended, or is of no use any more.
    Over(ProviderError),
}

impl Resident {
    /// Has `utterance` spoken; `spec` starts the program where there is none. One that ended since its
    /// last text is started anew: that says nothing of this text.
    pub(super) async fn say(
        &self,
        spec: impl Fn() -> Result<Spec, ProviderError>,
        utterance: &Utterance,
    ) -> Result<Answer<Bytes>, ProviderError> {
        let Self(place) = self;
        let mut place = place.lock().await;
        loop {
            // Taken out meanwhile: a caller that is dropped in the middle takes the program along, since
            // the rest of its answer would be taken for the next one's.
            let mut helper = match place.take() {
                Some(helper) => helper,
                None => Helper::start(spec()?).await?,
            };
            match helper.say(utterance).await {
                Ok(answer) => {
                    helper.has_spoken = true;
                    *place = Some(helper);
                    return Ok(answer);
                }
                Err(Failure::Refused(error)) => {
                    *place = Some(helper);
                    return Err(error);
                }
                Err(Failure::Over(_)) if helper.has_spoken => {}
                Err(Failure::Over(error)) => return Err(error),
            }
        }
    }
}

impl Helper {
    async fn start(spec: Spec) -> Result<Self, ProviderError> {
        let mut running = spec.spawn().await.map_err(|error| failed(&error))?;
        let stdout = running.stdout.take().ok_or_else(garbled)?;
        Ok(Self { running, answers: BufReader::new(stdout), has_spoken: false })
    }

    async fn say(&mut self, utterance: &Utterance) -> Result<Answer<Bytes>, Failure> {
        let before = self.running.cpu_time();
        let said = timeout(MAX_TIME, self.exchange(utterance)).await;
        let late = || {
            let (program, stderr) = (String::new(), String::new());
            failed(&ChildError::Timeout { program, after: MAX_TIME, stderr })
        };
        let bytes = said.map_err(|_| Failure::Over(late()))??;
        let cpu = self.running.cpu_time().saturating_sub(before);
        let usage = Usage::default().and("cpu_s", cpu.as_secs_f64());
        Ok(Answer { value: bytes, usage })
    }

    async fn exchange(&mut self, utterance: &Utterance) -> Result<Bytes, Failure> {
        self.ask(utterance).await;
        let mut line = Vec::new();
        let read = (&mut self.answers).take(MAX_LINE).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(1..)) {
            return Err(Failure::Over(self.ended().await));
        }
        match serde_json::from_slice(&line) {
            Ok(Head::Error(status)) => Err(Failure::Refused(ended(status))),
            Ok(Head::Bytes(length)) if length > MAX_BYTES => {
                Err(Failure::Over(too_much(MAX_BYTES)))
            }
            Ok(Head::Bytes(length)) => self.sound(length).await,
            Err(_) => Err(Failure::Over(garbled())),
        }
    }

    /// A program that reads nothing is judged by what it answers.
    async fn ask(&mut self, utterance: &Utterance) {
        let Utterance { text, voice, language } = utterance;
        let (voice, language) = (voice.as_deref(), language.as_deref());
        let request = serde_json::to_vec(&Request { text, voice, language });
        if let (Ok(mut line), Some(stdin)) = (request, &mut self.running.stdin) {
            line.push(b'\n');
            let _ = stdin.write_all(&line).await;
        }
    }

    async fn sound(&mut self, length: usize) -> Result<Bytes, Failure> {
        let mut sound = vec![0; length];
        match self.answers.read_exact(&mut sound).await {
            Ok(_) => Ok(sound.into()),
            Err(_) => Err(Failure::Over(self.ended().await)),
        }
    }

    /// Why it says nothing more.
    async fn ended(&mut self) -> ProviderError {
        match timeout(END, self.running.wait()).await {
            Ok(Err(error)) => failed(&error),
            Ok(Ok(_)) | Err(_) => garbled(),
        }
    }
}
