//! A simulator, adapters that buy from it, and a run of the pipeline on them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pipeline::{
    Failed, Gate, Interrupted, Memory, Policies, Produced, Progress, Prompt, Providers, Request,
    Run, Scene, Slots, TranscriptWriter, Utterance, produce, standard,
};
use providers::ffmpeg::{FfmpegEncoder, FfmpegOptions};
use providers::openai::{
    Account, Capability, HttpClient, ImagePrice, OpenAiPainter, OpenAiSpeech, OpenAiWriter,
    PictureOptions, RealtimeSpeech, SoundFormat, SpeechOptions, SpeechPrice, TokenPrice,
    WriterOptions,
};
use providers::scratch::ScratchDisk;
use providers::store::{self, StoreOptions};
use stillcast_enqueue::{Aspect, Format, JobId, Options, Source, StageName, StageRecord};
use tempfile::TempDir;
use tests::simulator::{self, Prices, Purchase, Simulator};
use tokio_util::sync::CancellationToken;

/// What no error may hold.
pub(crate) const CANARY_KEY: &str = "sk-canary-9d81";
pub(crate) const CANARY_TEXT: &str = "canary-harbour-5c2e";

/// Longer than any answer here takes.
const STALL_TIMEOUT: Duration = Duration::from_mins(1);

pub(crate) struct WireHarness {
    pub(crate) folder: TempDir,
    pub(crate) simulator: Simulator,
    pub(crate) base_url: String,
    /// Another server of the writer's.
    pub(crate) chat_url: Option<String>,
}

impl WireHarness {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut simulator::Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = simulator::Options::quick(folder.path());
        change(&mut options);
        let simulator = Simulator::start(options).await.unwrap();
        Self { folder, base_url: simulator.base_url(), chat_url: None, simulator }
    }

    fn account(&self, capability: Capability, model: &str) -> Account {
        let key = Some(CANARY_KEY.to_owned().into());
        Account { capability, base_url: self.base_url.clone(), key, model: model.to_owned() }
    }

    pub(crate) fn writer(&self) -> OpenAiWriter {
        let Prices { input, output, .. } = Prices::default();
        let mut account = self.account(Capability::Llm, "gpt-6-luna");
        account.base_url = self.chat_url.clone().unwrap_or(account.base_url);
        let price = TokenPrice { input, output };
        let options = WriterOptions { price, max_tokens: 1_600, stall_timeout: STALL_TIMEOUT };
        OpenAiWriter::new(HttpClient::new().unwrap(), account, options)
    }

    pub(crate) fn speaker(&self) -> OpenAiSpeech {
        let options = SpeechOptions {
            voice: "alloy".to_owned(),
            format: SoundFormat::Auto,
            price: SpeechPrice(Prices::default().characters),
            ffmpeg: "ffmpeg".into(),
        };
        let account = self.account(Capability::Tts, "gpt-4o-mini-tts");
        OpenAiSpeech::new(HttpClient::new().unwrap(), account, options)
    }

    /// A voice over sockets.
    pub(crate) fn talker(&self) -> RealtimeSpeech {
        let options = SpeechOptions {
            voice: "marin".to_owned(),
            format: SoundFormat::Auto,
            price: SpeechPrice(Prices::default().characters),
            ffmpeg: "ffmpeg".into(),
        };
        let account = self.account(Capability::Tts, "gpt-realtime-2.1-mini");
        RealtimeSpeech::new(HttpClient::for_sockets().unwrap(), account, options)
    }

    pub(crate) fn painter(&self) -> OpenAiPainter {
        let price = ImagePrice(Prices::default().picture);
        let account = self.account(Capability::Image, "gpt-image-2.5-flare");
        let options = PictureOptions {
            size: "640x368".to_owned(),
            price,
            link_hosts: Vec::new(),
            ffmpeg: "ffmpeg".into(),
        };
        OpenAiPainter::new(HttpClient::new().unwrap(), account, options)
    }

    /// Produces a file of `format` from a text with the canary in it.
    pub(crate) async fn produce(&self, format: Format) -> Result<Produced, Failed> {
        self.produce_with(format, |_| {}).await
    }

    pub(crate) async fn produce_with(
        &self,
        format: Format,
        change: impl FnOnce(&mut Policies),
    ) -> Result<Produced, Failed> {
        self.produce_by(&self.writer(), format, change).await
    }

    /// The same with a voice over sockets.
    pub(crate) async fn produce_talking(&self, format: Format) -> Result<Produced, Failed> {
        let scratch = self.folder.path().join(format!("scratch-{:x}", fastrand::u64(..)));
        std::fs::create_dir(&scratch).unwrap();
        let mut run = self.run(format, standard(4, 2), scratch).await;
        run.providers.speaker = Arc::new(self.talker());
        produce(&run).await
    }

    /// The same with a writer that has written before.
    pub(crate) async fn produce_by(
        &self,
        writer: &OpenAiWriter,
        format: Format,
        change: impl FnOnce(&mut Policies),
    ) -> Result<Produced, Failed> {
        let mut policies = standard(4, 2);
        change(&mut policies);
        let scratch = self.folder.path().join(format!("scratch-{:x}", fastrand::u64(..)));
        std::fs::create_dir(&scratch).unwrap();
        let mut run = self.run(format, policies, scratch).await;
        run.providers.writer = Arc::new(writer.clone());
        produce(&run).await
    }

    /// Produces a file from `text`, with words of `writer`; of the one on the wire where there is none.
    pub(crate) async fn produce_of(
        &self,
        text: &str,
        writer: Option<Arc<dyn TranscriptWriter>>,
        format: Format,
    ) -> Result<Produced, Failed> {
        let scratch = self.folder.path().join(format!("scratch-{:x}", fastrand::u64(..)));
        std::fs::create_dir(&scratch).unwrap();
        let mut run = self.run(format, standard(4, 2), scratch).await;
        run.request.source = Source::Text(text.to_owned());
        run.providers.writer = writer.unwrap_or(run.providers.writer);
        produce(&run).await
    }

    async fn run(&self, format: Format, policies: Policies, scratch: PathBuf) -> Run {
        let encoder = FfmpegOptions {
            program: "ffmpeg".into(),
            speed: true,
            audio_bitrate: "96k".to_owned(),
            hardware: false,
        };
        let url = format!("file://{}/store", self.folder.path().display());
        let options = StoreOptions { url, writer: "test".to_owned(), ..StoreOptions::default() };
        let store = store::open(&options).await.unwrap();
        Run {
            request: Request {
                job: JobId::generate(),
                tenant: "default".to_owned(),
                source: Source::Text(format!("An evening at the {CANARY_TEXT}.")),
                format,
                options: Options::default(),
            },
            memory: Memory::of_process(Arc::clone(&store) as _),
            loudness: pipeline::sound::Loudness::default(),
            pronunciation: Arc::default(),
            budget: None,
            limiter: None,
            slots: Arc::new(Slots::new(&policies)),
            policies: Arc::new(policies),
            providers: Providers {
                sources: None,
                moderator: None,
                writer: Arc::new(self.writer()),
                speaker: Arc::new(self.speaker()),
                painter: Arc::new(self.painter()),
                encoder: Arc::new(FfmpegEncoder::new(encoder)),
                disk: Arc::new(ScratchDisk),
                store,
            },
            scratch,
            gate: Arc::new(Open),
            progress: Arc::new(Open),
            observer: Arc::new(pipeline::Unobserved),
            cancel: CancellationToken::new(),
        }
    }

    /// What was paid, by the provider's own journal.
    pub(crate) fn paid(&self) -> f64 {
        self.simulator.purchases().iter().map(|purchase: &Purchase| purchase.usd).sum()
    }
}

struct Open;

impl Gate for Open {
    fn check(&self) -> Result<(), Interrupted> {
        Ok(())
    }

    fn check_finish(&self) -> Result<(), Interrupted> {
        Ok(())
    }
}

impl Progress for Open {
    fn stage_began(&self, _: StageName) {}
    fn stage_ended(&self, _: &StageRecord) {}
}

pub(crate) fn prompt() -> Prompt {
    Prompt {
        text: CANARY_TEXT.to_owned(),
        said: String::new(),
        words: pipeline::WORDS,
        whole: pipeline::WORDS,
        part: pipeline::Part::WHOLE,
        language: None,
        variant: 0,
    }
}

pub(crate) fn utterance() -> Utterance {
    let text = format!("Let us rest at the {CANARY_TEXT} for a while.");
    Utterance { text, voice: None, language: None }
}

pub(crate) fn scene() -> Scene {
    Scene { text: CANARY_TEXT.to_owned(), variant: 0, aspect: Aspect::Wide }
}

/// Asserts that an error holds nothing private, however it is printed.
pub(crate) fn assert_private(error: &(impl std::fmt::Debug + std::fmt::Display)) {
    let said = format!("{error} {error:?}");
    for canary in [CANARY_KEY, CANARY_TEXT] {
        assert!(!said.contains(canary), "{said}");
    }
}
