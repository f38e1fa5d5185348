//! A text goes to a program's stdin, a file of sound comes from its stdout: any voice that runs on this
//! machine. Arguments are words, never a shell's line.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use child::{ChildError, Limits, Spec, Stream};
use pipeline::{
    Answer, FailureClass, ProviderError, Recording, Speech, SpeechSynthesizer, Utterance,
};
use tokio::io::AsyncWriteExt;

use crate::ffmpeg::{Ffmpeg, usage};
use crate::recording::{Listener, MAX_BYTES};

const PROVIDER: &str = "command";
const HINT: &str = "install it, or correct TTS_COMMAND";
const PASSING: FailureClass = FailureClass::Transient { retry_after: None };
/// A program that takes longer is stuck; the stage's own time-out is usually shorter.
const MAX_TIME: Duration = Duration::from_mins(10);

/// A program that speaks.
#[derive(Clone, Debug)]
pub struct CommandOptions {
    /// The program and its arguments (`TTS_COMMAND`); at least one word.
    pub words: Vec<String>,
    /// All that it gets of the environment, such as `PATH` and `HOME`: no secret of ours.
    pub environment: Vec<(String, String)>,
    /// FFmpeg, which decodes what is packed and resamples what is not 24 kHz (`FFMPEG_PATH`).
    pub ffmpeg: PathBuf,
}

/// The voice of a program on this machine.
///
/// The program also gets `STILLCAST_VOICE` and `STILLCAST_LANGUAGE` where the job names them. Its
/// exit status says what a failure means: 64 and 65 the text's fault, 69, 77, 78 the set-up's; all
/// else may pass. What it writes to stderr is kept nowhere: it may quote the text.
#[derive(Clone, Debug)]
pub struct CommandSpeech {
    options: CommandOptions,
    listener: Listener,
}

impl CommandSpeech {
    /// A voice; the program is looked for at its first use.
    pub fn new(options: CommandOptions) -> Self {
        let ffmpeg = Ffmpeg { program: options.ffmpeg.clone(), provider: PROVIDER };
        Self { options, listener: Listener { ffmpeg, remedy: "TTS_COMMAND" } }
    }

    /// Looks for the program, and does not start it: some load a model for a minute.
    pub fn probe(&self) -> Result<String, ProviderError> {
        let Some(program) = self.options.words.first() else { return Err(no_words()) };
        let is_path = program.contains('/');
        let path = self.options.environment.iter().find(|(name, _)| name == "PATH");
        let folders = path.filter(|_| !is_path).map(|(_, folders)| folders.as_str());
        let named = std::env::split_paths(folders.unwrap_or_default());
        let found = named.map(|folder| folder.join(program)).find(|path| path.is_file());
        let found = found.unwrap_or_else(|| program.into());
        match std::fs::metadata(&found) {
            Ok(file) if file.is_file() && file.permissions().mode() & 0o111 != 0 => {
                Ok(found.display().to_string())
            }
            Ok(_) => Err(unusable()),
            Err(_) => {
                let message = format!("{program} was not found; {HINT}");
                Err(ProviderError::misconfigured(PROVIDER, "command-missing", message))
            }
        }
    }

    fn spec(&self, utterance: &Utterance, scratch: &Path) -> Result<Spec, ProviderError> {
        let Some((program, arguments)) = self.options.words.split_first() else {
            return Err(no_words());
        };
        let asked =
            [("STILLCAST_VOICE", &utterance.voice), ("STILLCAST_LANGUAGE", &utterance.language)];
        let asked = asked.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let known = self.options.environment.iter().map(|(name, value)| (&**name, &**value));
        let spec = Spec::new(program)
            .args(arguments)
            .hint(HINT)
            .env_clear()
            .folder(scratch)
            .limits(Limits { core: Some(0), ..Limits::default() })
            .timeout(MAX_TIME)
            .measured()
            .stdin(Stream::Piped)
            .stdout(Stream::Piped);
        Ok(known.chain(asked).fold(spec, |spec, (name, value)| spec.env(name, value)))
    }
}

#[async_trait]
impl SpeechSynthesizer for CommandSpeech {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn revision(&self) -> String {
        let Self { options, listener: _ } = self;
        let CommandOptions { words, environment: _, ffmpeg: _ } = options;
        words.join(" ")
    }

    async fn record(
        &self,
        utterance: &Utterance,
        scratch: &Path,
    ) -> Result<Answer<Recording>, ProviderError> {
        let started = self.spec(utterance, scratch)?.spawn().await;
        let mut running = started.map_err(|e| failed(&e))?;
        let stdin = running.stdin.take();
        let say = async {
            if let Some(mut stdin) = stdin {
                // A program that reads nothing is judged by what it writes.
                let _ = stdin.write_all(utterance.text.as_bytes()).await;
            }
        };
        let (spoken, ()) = tokio::join!(running.output(MAX_BYTES), say);
        let (bytes, finished) = spoken.map_err(|error| failed(&error))?;
        let recording = Recording { bytes: bytes.into(), media_type: String::new(), is_new: true };
        Ok(Answer { value: recording, usage: usage(&finished) })
    }

    async fn hear(
        &self,
        recorded: &Answer<Recording>,
        scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError> {
        // A program says nothing of its bytes, so they must have a head.
        let mut answer = self.listener.speech(recorded.value.bytes.clone(), None, scratch).await?;
        answer.usage.merge(&recorded.usage);
        Ok(answer)
    }
}

fn no_words() -> ProviderError {
    let message = "TTS_COMMAND is empty; set it to a program and its arguments";
    ProviderError::misconfigured(PROVIDER, "command-missing", message)
}

fn unusable() -> ProviderError {
    let message = "the program of TTS_COMMAND does not start; is it executable?";
    ProviderError::misconfigured(PROVIDER, "command-unusable", message)
}

/// Never with the program's own words.
fn failed(error: &ChildError) -> ProviderError {
    match error {
        ChildError::NotFound { .. } => {
            ProviderError::misconfigured(PROVIDER, "command-missing", error.to_string())
        }
        ChildError::Spawn { .. } => unusable(),
        ChildError::Status { code, .. } => ended(class_of(*code), &format!("status {code}")),
        ChildError::Signal { signal, .. } => ended(PASSING, &format!("signal {signal}")),
        ChildError::Timeout { after, .. } => {
            let message = format!("the voice's program took longer than {after:?}");
            ProviderError::transient(PROVIDER, "command-timeout", message)
        }
        ChildError::TooMuchOutput { limit, .. } => {
            let message = format!("the voice's program wrote more than {limit} bytes");
            ProviderError::transient(PROVIDER, "command-too-much", message)
                .again(FailureClass::Misconfigured)
        }
        _ => ProviderError::transient(PROVIDER, "command-failed", "the pipe to the voice broke"),
    }
}

fn ended(failure: FailureClass, how: &str) -> ProviderError {
    let message = format!("the voice's program ended with {how}; try TTS_COMMAND by hand");
    ProviderError::new(PROVIDER, failure, "command-failed", message)
}

/// The numbers are those of `sysexits.h`.
fn class_of(status: i32) -> FailureClass {
    match status {
        64 | 65 => FailureClass::Permanent,
        69 | 77 | 78 => FailureClass::Misconfigured,
        _ => PASSING,
    }
}

#[cfg(test)]
mod tests;
