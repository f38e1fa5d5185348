//! A request and its providers go in; the name of each of its results comes out: equal names, equal
//! results. Whatever can change a result is part of its name.

use sha2::{Digest, Sha256};
use stillcast_enqueue::{Format, Identifier, StageName};

use crate::stages::{image, transcript, tts};
use crate::{Providers, Request, SourceText};

/// A result that may be had without paying for it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CacheKey {
    /// The stage that makes it.
    pub(crate) stage: StageName,
    /// Its name among the job's own checkpoints.
    pub(crate) name: String,
    /// Its name in cache and flights: `<tenant>/<stage or delivery>/<digest>`.
    pub(crate) key: String,
    /// How the job keeps it.
    pub(crate) kept: CheckpointKind,
}

/// How a job keeps a result for its later attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckpointKind {
    /// As the words in the job's record.
    Words,
    /// As an object below `work/`.
    Object,
    /// As itself, in place of a digest: facts of a few hundred bytes.
    Facts,
}

/// All that decides a job's results.
pub(crate) struct CacheKeys<'run> {
    pub(crate) request: &'run Request,
    pub(crate) providers: &'run Providers,
}

impl CacheKeys<'_> {
    /// The words.
    pub(crate) fn transcript(&self, source: &SourceText) -> CacheKey {
        let digest = of(&[&self.writing(), &source.text]);
        self.item(StageName::Transcript, "transcript", &digest, CheckpointKind::Words)
    }

    /// The picture.
    pub(crate) fn image(&self, source: &SourceText) -> CacheKey {
        let digest = of(&[&self.painting(), &source.text]);
        self.item(StageName::Image, "image", &digest, CheckpointKind::Object)
    }

    /// The whole sound of the words with this digest.
    pub(crate) fn track(&self, words: &str) -> CacheKey {
        let digest = of(&[&self.speaking(), &self.variant(), words]);
        self.item(StageName::Tts, "tts", &digest, CheckpointKind::Object)
    }

    /// One spoken passage. It has no flight: whoever speaks the words it is of, speaks it too.
    pub(crate) fn passage(&self, text: &str) -> CacheKey {
        let digest = of(&[&self.speaking(), &self.variant(), text]);
        let name = format!("passage-{}", &digest[..32]);
        CacheKey { name, ..self.item(StageName::Tts, "passage", &digest, CheckpointKind::Object) }
    }

    /// The finished file.
    pub(crate) fn delivery(&self, source: &SourceText) -> CacheKey {
        let Request { format, .. } = self.request;
        let painting = if *format == Format::Video { self.painting() } else { String::new() };
        let encoder = &self.providers.encoder;
        let encoding = of(&[encoder.provider(), &encoder.revision(), format.as_str()]);
        let parts = [&self.writing(), &self.speaking(), &painting, &encoding, &source.text];
        let digest = of(&parts.map(String::as_str));
        self.item(StageName::Upload, "delivery", &digest, CheckpointKind::Facts)
    }

    fn item(&self, stage: StageName, name: &str, digest: &str, kept: CheckpointKind) -> CacheKey {
        let key = format!("{}/{name}/{digest}", self.request.tenant);
        CacheKey { stage, name: name.to_owned(), key, kept }
    }

    fn writing(&self) -> String {
        let writer = &self.providers.writer;
        let (language, variant) = (self.language(), self.variant());
        of(&[transcript::REVISION, writer.provider(), &writer.revision(), language, &variant])
    }

    fn speaking(&self) -> String {
        let speaker = &self.providers.speaker;
        let voice = self.request.options.voice.as_ref().map_or("", Identifier::as_str);
        of(&[tts::REVISION, speaker.provider(), &speaker.revision(), voice, self.language()])
    }

    fn painting(&self) -> String {
        let painter = &self.providers.painter;
        of(&[image::REVISION, painter.provider(), &painter.revision(), &self.variant()])
    }

    fn language(&self) -> &str {
        self.request.options.language.as_ref().map_or("", Identifier::as_str)
    }

    fn variant(&self) -> String {
        self.request.options.variant.to_string()
    }
}

/// The digest of parts; where one ends and the next begins counts.
fn of(parts: &[&str]) -> String {
    let hash = parts.iter().fold(Sha256::new(), |hash, part| {
        hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
    });
    hex::encode(hash.finalize())
}
