//! A text goes to a program's stdin, a file of sound comes from its stdout: any voice that runs on this
//! machine. Arguments are words, never a shell's line. A program speaks once, and ends, or it stays
//! ([`resident`]).

mod failure;
mod resident;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use child::{Limits, Spec, Stream};
use pipeline::{Answer, ProviderError, Recording, Speech, SpeechSynthesizer, Utterance};
use tokio::io::AsyncWriteExt;

use crate::ffmpeg::{Ffmpeg, usage};
use crate::recording::{Listener, MAX_BYTES};
use failure::{HINT, PROVIDER, failed, no_words, unusable};
use resident::Resident;

/// A program that takes longer is stuck; the stage's own time-out is usually shorter.
const MAX_TIME: Duration = Duration::from_mins(10);

/// A program that speaks.
#[derive(Clone, Debug)]
pub struct CommandOptions {
    /// The program and its arguments (`TTS_COMMAND`); at least one word.
    pub words: Vec<String>,
    /// All that it gets of the environment, such as `PATH` and `HOME`: no secret of ours.
    pub environment: Vec<(String, String)>,
    /// Whether it stays for many texts (`TTS_COMMAND_RESIDENT`).
    pub resident: bool,
    /// FFmpeg, which decodes what is packed and resamples what is not 24 kHz (`FFMPEG_PATH`).
    pub ffmpeg: PathBuf,
}

/// The voice of a program on this machine.
///
/// A program that speaks once also gets `STILLCAST_VOICE` and `STILLCAST_LANGUAGE` where the job names
/// them. Its exit status says what a failure means: 64 and 65 the text's fault, 69, 77, 78 the
/// set-up's; all else may pass. What it writes to stderr is kept nowhere: it may quote the text.
#[derive(Clone, Debug)]
pub struct CommandSpeech {
    options: CommandOptions,
    listener: Listener,
    resident: Arc<Resident>,
}

impl CommandSpeech {
    /// A voice; the program is looked for at its first use.
    pub fn new(options: CommandOptions) -> Self {
        let ffmpeg = Ffmpeg { program: options.ffmpeg.clone(), provider: PROVIDER };
        let listener = Listener { ffmpeg, remedy: "TTS_COMMAND" };
        Self { options, listener, resident: Arc::default() }
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

    /// The program, with nothing of this text.
    fn spec(&self) -> Result<Spec, ProviderError> {
        let Some((program, arguments)) = self.options.words.split_first() else {
            return Err(no_words());
        };
        let spec = Spec::new(program)
            .args(arguments)
            .hint(HINT)
            .env_clear()
            .limits(Limits { core: Some(0), ..Limits::default() })
            .stdin(Stream::Piped)
            .stdout(Stream::Piped);
        let known = self.options.environment.iter();
        Ok(known.fold(spec, |spec, (name, value)| spec.env(name, value)))
    }

    /// Has a program speak that ends behind its text.
    async fn speak_once(
        &self,
        utterance: &Utterance,
        scratch: &Path,
    ) -> Result<Answer<Bytes>, ProviderError> {
        let asked =
            [("STILLCAST_VOICE", &utterance.voice), ("STILLCAST_LANGUAGE", &utterance.language)];
        let asked = asked.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let spec = asked.fold(self.spec()?, |spec, (name, value)| spec.env(name, value));
        let started = spec.folder(scratch).timeout(MAX_TIME).measured().spawn().await;
        let mut running = started.map_err(|error| failed(&error))?;
        let stdin = running.stdin.take();
        let say = async {
            if let Some(mut stdin) = stdin {
                // A program that reads nothing is judged by what it writes.
                let _ = stdin.write_all(utterance.text.as_bytes()).await;
            }
        };
        let (spoken, ()) = tokio::join!(running.output(MAX_BYTES), say);
        let (bytes, finished) = spoken.map_err(|error| failed(&error))?;
        Ok(Answer { value: bytes.into(), usage: usage(&finished) })
    }
}

#[async_trait]
impl SpeechSynthesizer for CommandSpeech {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn revision(&self) -> String {
        let Self { options, listener: _, resident: _ } = self;
        // Whether it stays changes nothing of how it sounds.
        let CommandOptions { words, environment: _, resident: _, ffmpeg: _ } = options;
        words.join(" ")
    }

    async fn record(
        &self,
        utterance: &Utterance,
        scratch: &Path,
    ) -> Result<Answer<Recording>, ProviderError> {
        let Answer { value: bytes, usage } = if self.options.resident {
            self.resident.say(|| self.spec(), utterance).await?
        } else {
            self.speak_once(utterance, scratch).await?
        };
        let recording = Recording { bytes, media_type: String::new(), is_new: true };
        Ok(Answer { value: recording, usage })
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

#[cfg(test)]
mod tests;
