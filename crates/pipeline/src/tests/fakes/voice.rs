//! The voice of the fakes: a tone as long as the text takes, or silence.

use std::path::Path;

use async_trait::async_trait;
use stillcast_enqueue::StageName;

use super::{Fake, Step};
use crate::sound::RATE;
use crate::{Answer, ProviderError, Recording, Speech, SpeechSynthesizer, Utterance};

#[async_trait]
impl SpeechSynthesizer for Fake {
    fn provider(&self) -> &'static str {
        "fake"
    }

    fn revision(&self) -> String {
        self.0.revision()
    }

    async fn record(
        &self,
        utterance: &Utterance,
        _scratch: &Path,
    ) -> Result<Answer<Recording>, ProviderError> {
        let is_silent = matches!(self.0.step(StageName::Tts).await?, Step::Garble);
        let pace = 30 / (1 + self.0.entries().slowness);
        let count = utterance.text.chars().count() * RATE as usize / pace;
        #[expect(clippy::cast_possible_truncation, reason = "far below full scale")]
        let tone = |n: usize| ((n as f32 * 0.06).sin() * 9_000.0) as i16;
        let samples = (0..count).map(|n| if is_silent { 0 } else { tone(n) });
        let bytes = samples.flat_map(i16::to_le_bytes).collect();
        Ok(Answer::free(Recording { bytes, media_type: "audio/pcm".to_owned(), is_new: true }))
    }

    async fn hear(
        &self,
        recorded: &Answer<Recording>,
        _scratch: &Path,
    ) -> Result<Answer<Speech>, ProviderError> {
        if self.0.entries().is_deaf {
            std::future::pending::<()>().await;
        }
        let sample = |pair: &[u8]| i16::from_le_bytes([pair[0], pair[1]]);
        let samples = recorded.value.bytes.chunks_exact(2).map(sample).collect();
        Ok(Answer { value: Speech { samples }, usage: recorded.usage.clone() })
    }
}
