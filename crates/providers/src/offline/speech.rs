//! Text goes in, speech comes out: flite, a voice inside FFmpeg, slowed to a calm pace.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use pipeline::{Answer, ProviderError, Recording, Speech, SpeechSynthesizer, Utterance, sound};
use stillcast_enqueue::capability::offline_speaks;

use super::ascii::fold;
use super::{PROVIDER, REVISION};
use crate::ffmpeg::{Ffmpeg, usage};
use crate::pcm;

/// The voices of flite; the first is the default, and the most natural one.
pub const VOICES: [&str; 5] = ["slt", "awb", "rms", "kal16", "kal"];
/// Flite speaks briskly; meditation does not.
const TEMPO: &str = "atempo=0.88";
/// CPU time that no passage comes near.
const CPU: Duration = Duration::from_secs(20);

/// The offline voice.
#[derive(Clone, Debug)]
pub struct OfflineSpeech {
    ffmpeg: Ffmpeg,
}

impl OfflineSpeech {
    /// A voice of the FFmpeg at `program` (`FFMPEG_PATH`), looked for at its first use.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { ffmpeg: Ffmpeg { program: program.into(), provider: PROVIDER } }
    }
}

#[async_trait]
impl SpeechSynthesizer for OfflineSpeech {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn revision(&self) -> String {
        let Self { ffmpeg: _ } = self;
        REVISION.to_owned()
    }

    async fn record(
        &self,
        utterance: &Utterance,
        scratch: &Path,
    ) -> Result<Answer<Recording>, ProviderError> {
        check_language(utterance.language.as_deref())?;
        let voice = voice(utterance.voice.as_deref())?;
        // A file, since arguments can be read by every user of the machine.
        let name = format!("passage-{:016x}.txt", fastrand::u64(..));
        let text = scratch.join(&name);
        let unwritable = |error| self.ffmpeg.unwritable(error);
        tokio::fs::write(&text, speakable(&utterance.text)?).await.map_err(unwritable)?;
        let input = format!("flite=textfile={name}:voice={voice}");
        let spoken = self
            .ffmpeg
            .command(scratch, CPU)
            .args(["-f", "lavfi", "-i", &input, "-af", TEMPO])
            .args(["-ar", &sound::RATE.to_string(), "-ac", "1", "-f", "s16le", "pipe:1"])
            .output(pcm::MAX_BYTES)
            .await;
        tokio::fs::remove_file(&text).await.map_err(unwritable)?;
        let (bytes, finished) = spoken.map_err(|error| self.ffmpeg.failed(error))?;
        let recording = Recording { bytes: bytes.into(), media_type: String::new(), is_new: true };
        Ok(Answer { value: recording, usage: usage(&finished) })
    }

    async fn hear(
        &self,
        recorded: &Answer<Recording>,
        _scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError> {
        let value = pcm::speech(&recorded.value.bytes);
        Ok(Answer { value, usage: recorded.usage.clone() })
    }
}

fn voice(asked: Option<&str>) -> Result<&'static str, ProviderError> {
    let Some(asked) = asked else { return Ok(VOICES[0]) };
    VOICES.into_iter().find(|voice| *voice == asked).ok_or_else(|| {
        let message =
            format!("`options.voice` is unknown; the offline voices are {}", VOICES.join(", "));
        ProviderError::permanent(PROVIDER, "voice-unknown", message)
    })
}

fn check_language(language: Option<&str>) -> Result<(), ProviderError> {
    if offline_speaks(language) {
        return Ok(());
    }
    let message = "the offline voices speak English only; leave `options.language` out, or set up \
                   TTS_PROVIDER";
    Err(ProviderError::permanent(PROVIDER, "language-unsupported", message))
}

fn speakable(text: &str) -> Result<String, ProviderError> {
    let folded = fold(text);
    if folded.contains(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(folded);
    }
    let message = "the offline voices read Latin letters only; set up TTS_PROVIDER for others";
    Err(ProviderError::permanent(PROVIDER, "voice-script", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn speak(text: &str, asked: Option<&str>) -> Result<Vec<i16>, ProviderError> {
        let scratch = tempfile::tempdir().unwrap();
        let utterance =
            Utterance { text: text.into(), voice: asked.map(str::to_owned), language: None };
        let answer = OfflineSpeech::new("ffmpeg").speak(&utterance, scratch.path()).await?;
        let left = std::fs::read_dir(scratch.path()).unwrap().count();
        assert_eq!(left, 0, "the text stays nowhere");
        Ok(answer.value.samples)
    }

    #[tokio::test]
    async fn every_voice_speaks() {
        for name in VOICES {
            let samples = speak("Let the breath settle, and listen.", Some(name)).await.unwrap();
            let finished = sound::finish(&samples, 34);
            assert!(finished.is_ok(), "{name}: {finished:?}");
        }
    }

    #[tokio::test]
    async fn an_unknown_voice_is_refused_with_the_known_ones() {
        let error = speak("Hello.", Some("nova")).await.unwrap_err();
        assert_eq!(
            (error.code, error.failure),
            ("voice-unknown", pipeline::FailureClass::Permanent)
        );
        assert!(error.message.contains("slt, awb, rms, kal16, kal"), "{error}");
    }

    #[tokio::test]
    async fn another_language_is_refused_rather_than_read_as_english() {
        let scratch = tempfile::tempdir().unwrap();
        let language = Some("de-AT".to_owned());
        let utterance = Utterance { text: "Atme ein.".into(), voice: None, language };
        let error =
            OfflineSpeech::new("ffmpeg").speak(&utterance, scratch.path()).await.unwrap_err();
        assert_eq!(
            (error.code, error.failure),
            ("language-unsupported", pipeline::FailureClass::Permanent)
        );
    }

    #[tokio::test]
    async fn text_is_never_a_filter_option() {
        let samples = speak("It's a: quiet, [sea]; \\ 'and' %{pts} text=x", None).await.unwrap();
        assert!(samples.len() > 24_000);
    }

    #[tokio::test]
    async fn missing_letters_and_a_missing_program_say_what_to_do() {
        assert_eq!(speak("שלום", None).await.unwrap_err().code, "voice-script");
        let scratch = tempfile::tempdir().unwrap();
        let utterance = Utterance { text: "Hello.".into(), voice: None, language: None };
        let nowhere = OfflineSpeech::new("/no/such/ffmpeg");
        let error = nowhere.speak(&utterance, scratch.path()).await.unwrap_err();
        assert_eq!(error.failure, pipeline::FailureClass::Misconfigured);
        assert!(error.message.contains("apt-get install -y ffmpeg"), "{error}");
    }
}
