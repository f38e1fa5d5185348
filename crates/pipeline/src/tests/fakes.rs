//! Providers that do what a script says, and a journal of what they were asked.

mod encoder;
mod step;
mod voice;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use stillcast_enqueue::{
    Artifact, Container, Format, JobId, Options, Source, StageName, StageRecord,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(super) use self::step::Step;
use super::shared_state::SharedState;
use crate::sound::Loudness;
use crate::{
    Answer, ArtifactStore, Captions, Conversation, Disk, Draft, DraftPiece, Excerpt, Failed,
    FailureClass, Finish, Gate, Image, ImageGenerator, Interrupted, Media, Policies, Produced,
    Progress, Prompt, ProviderError, Providers, Request, Run, Scene, Slots, SourceStore,
    TranscriptWriter, UploadTarget, Usage, produce, standard,
};

/// Spoken passages of the fake transcript.
pub(super) const PASSAGES: u32 = 5;
/// The price of a fake picture, and of a fake draft that broke off.
pub(super) const PICTURE_USD: f64 = 0.25;
pub(super) const BROKEN_USD: f64 = 0.125;

/// A whole set of fakes around one run.
pub(super) struct TestRun {
    pub(super) run: Run,
    pub(super) journal: Arc<Journal>,
    shared: Arc<SharedState>,
}

/// What happened.
#[derive(Default)]
pub(super) struct Journal(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    script: BTreeMap<StageName, VecDeque<Step>>,
    calls: Vec<StageName>,
    prompts: Vec<Prompt>,
    finished: Vec<StageName>,
    began: Vec<StageName>,
    ended: Vec<StageName>,
    encoded: Vec<u8>,
    open_encoders: usize,
    gate: Option<usize>,
    shown: Bytes,
    captions: Captions,
    is_revised: bool,
    are_deliveries_lost: bool,
    is_deaf: bool,
    refused: Option<Container>,
    /// How many times as long as usual the voice takes, above once.
    slowness: usize,
    files: BTreeMap<PathBuf, Bytes>,
}

/// The account of `stage`.
pub(super) fn of(produced: &Produced, stage: StageName) -> &StageRecord {
    produced.stages.iter().find(|record| record.stage == stage).unwrap()
}

impl TestRun {
    /// A job that shares with nobody.
    pub(super) fn new(format: Format) -> Self {
        Self::sharing(&Arc::new(SharedState::default()), format, false)
    }

    /// A job that shares with all others of `shared`.
    pub(super) fn of(shared: &Arc<SharedState>, format: Format) -> Self {
        Self::sharing(shared, format, true)
    }

    /// A job of `shared`, with `USE_CACHING` or without.
    pub(super) fn sharing(shared: &Arc<SharedState>, format: Format, shares: bool) -> Self {
        let (job, journal) = (JobId::generate(), Arc::new(Journal::default()));
        let mut policies = standard(4, 2);
        // Their prices are no provider's: a picture costs twice what is known of a job beforehand.
        policies.waste_limit = 100.0;
        let fake = || Arc::new(Fake(Arc::clone(&journal)));
        let run = Run {
            memory: shared.memory(job.as_str(), shares),
            request: Request {
                job,
                tenant: "default".to_owned(),
                source: Source::Text("a quiet evening".to_owned()),
                format,
                options: Options::default(),
            },
            loudness: Loudness::default(),
            pronunciation: Arc::default(),
            slots: Arc::new(Slots::of_the_admitted(&policies)),
            budget: None,
            limiter: None,
            policies: Arc::new(policies),
            providers: Providers {
                sources: None,
                moderator: None,
                writer: fake(),
                speaker: fake(),
                painter: fake(),
                encoder: fake(),
                disk: Arc::clone(&journal) as Arc<dyn Disk>,
                store: fake(),
            },
            scratch: "/nowhere".into(),
            gate: Arc::clone(&journal) as Arc<dyn Gate>,
            progress: Arc::clone(&journal) as Arc<dyn Progress>,
            observer: Arc::new(crate::Unobserved),
            cancel: CancellationToken::new(),
        };
        Self { run, journal, shared: Arc::clone(shared) }
    }

    /// One attempt; behind it the job owns no flight.
    pub(super) async fn attempt(&self) -> Result<Produced, Failed> {
        let ended = produce(&self.run).await;
        self.shared.leave(self.run.request.job.as_str());
        ended
    }

    pub(super) fn saying(mut self, text: &str) -> Self {
        self.run.request.source = Source::Text(text.to_owned());
        self
    }

    pub(super) fn of_tenant(mut self, tenant: &str) -> Self {
        self.run.request.tenant = tenant.to_owned();
        self
    }

    pub(super) fn with(mut self, options: Options) -> Self {
        self.run.request.options = options;
        self
    }

    /// With other models.
    pub(super) fn revised(self) -> Self {
        self.journal.entries().is_revised = true;
        self
    }

    pub(super) fn script(&self, stage: StageName, steps: impl IntoIterator<Item = Step>) {
        self.journal.entries().script.insert(stage, steps.into_iter().collect());
    }

    pub(super) fn policies(&mut self, change: impl FnOnce(&mut Policies)) {
        let mut policies = (*self.run.policies).clone();
        change(&mut policies);
        self.run.slots = Arc::new(Slots::of_the_admitted(&policies));
        self.run.policies = Arc::new(policies);
    }

    /// Lets `open` checks pass, and none behind them.
    pub(super) fn close_gate_after(&self, open: usize) {
        self.journal.entries().gate = Some(open);
    }
}

impl Journal {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap()
    }

    pub(super) fn calls(&self) -> Vec<StageName> {
        self.entries().calls.clone()
    }

    /// What the writer was asked.
    pub(super) fn prompts(&self) -> Vec<Prompt> {
        self.entries().prompts.clone()
    }

    /// Calls that cost money or publish something.
    pub(super) fn paid(&self) -> usize {
        self.calls().iter().filter(|stage| **stage != StageName::Encode).count()
    }

    pub(super) fn finished(&self, stage: StageName) -> usize {
        self.entries().finished.iter().filter(|finished| **finished == stage).count()
    }

    /// The stages in the order in which they were announced.
    pub(super) fn began(&self) -> Vec<StageName> {
        self.entries().began.clone()
    }

    /// The stages that have ended, in travel order.
    pub(super) fn ended(&self) -> Vec<StageName> {
        let mut ended = self.entries().ended.clone();
        ended.sort();
        ended
    }

    /// The sound that the last encoder took.
    pub(super) fn encoded(&self) -> Vec<u8> {
        self.entries().encoded.clone()
    }

    /// The picture that the last encoder took.
    pub(super) fn shown(&self) -> Bytes {
        self.entries().shown.clone()
    }

    /// What the last file is told of what is said when.
    pub(super) fn captions(&self) -> Captions {
        self.entries().captions.clone()
    }

    /// Whoever listens to a recording never gets to its end; or does again.
    pub(super) fn deafen(&self, is_deaf: bool) {
        self.entries().is_deaf = is_deaf;
    }

    /// The encoder makes no files of this kind.
    pub(super) fn refuse(&self, container: Container) {
        self.entries().refused = Some(container);
    }

    /// The voice takes its time: what it says of one transcript is more than is held in memory, or in one
    /// object.
    pub(super) fn speak_slowly(&self) {
        self.entries().slowness = 5;
    }

    /// Bytes of sound that waited in the scratch folder.
    pub(super) fn spooled(&self) -> usize {
        self.entries().files.values().map(Bytes::len).sum()
    }

    /// Whatever was delivered before is gone from the store.
    pub(super) fn lose_deliveries(&self) {
        self.entries().are_deliveries_lost = true;
    }

    fn revision(&self) -> String {
        if self.entries().is_revised { "2".to_owned() } else { "1".to_owned() }
    }

    pub(super) fn open_encoders(&self) -> usize {
        self.entries().open_encoders
    }

    /// Does what the script says for the next call of `stage`; returns how to answer.
    async fn step(&self, stage: StageName) -> Result<Step, ProviderError> {
        let step = {
            let mut entries = self.entries();
            entries.calls.push(stage);
            entries.script.get_mut(&stage).and_then(VecDeque::pop_front).unwrap_or(Step::Succeed)
        };
        match step {
            Step::Succeed | Step::Garble | Step::Cut | Step::Short | Step::Long | Step::Limited => {
            }
            Step::Hang => std::future::pending().await,
            Step::Slow(time) => tokio::time::sleep(time).await,
            Step::Fail(failure) => {
                let code = match failure {
                    FailureClass::Transient { .. } => "fake-transient",
                    FailureClass::Permanent => "fake-permanent",
                    FailureClass::Misconfigured => "fake-misconfigured",
                    FailureClass::Unequipped => "fake-unequipped",
                    FailureClass::Interrupted => "fake-interrupted",
                };
                return Err(ProviderError::new("fake", failure, code, "as scripted"));
            }
        }
        self.entries().finished.push(stage);
        Ok(step)
    }
}

impl Gate for Journal {
    fn check(&self) -> Result<(), Interrupted> {
        match &mut self.entries().gate {
            Some(0) => Err(Interrupted { reason: "lease-lost" }),
            Some(open) => {
                *open -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn check_finish(&self) -> Result<(), Interrupted> {
        let is_closed = self.entries().gate == Some(0);
        if is_closed { Err(Interrupted { reason: "lease-lost" }) } else { Ok(()) }
    }
}

impl Progress for Journal {
    fn stage_began(&self, stage: StageName) {
        self.entries().began.push(stage);
    }

    fn stage_ended(&self, record: &StageRecord) {
        self.entries().ended.push(record.stage);
    }
}

/// Any provider.
struct Fake(Arc<Journal>);

#[async_trait]
impl TranscriptWriter for Fake {
    fn provider(&self) -> &'static str {
        "fake"
    }

    fn revision(&self) -> String {
        self.0.revision()
    }

    async fn write(&self, prompt: &Prompt) -> Result<Draft, ProviderError> {
        let step = self.0.step(StageName::Transcript).await?;
        self.0.entries().prompts.push(prompt.clone());
        let paragraph = |breath: usize| {
            let sentence = format!("Now let breath {breath} come and go as it likes. ");
            format!("{}\n\n", sentence.repeat(8))
        };
        let count = match step {
            Step::Short | Step::Limited => 2,
            Step::Long => 9,
            _ => PASSAGES as usize,
        };
        let rest: String = (1..count).map(paragraph).collect();
        let mut text = format!("{}[pause 3s]{rest}", paragraph(0));
        if let Some(rest) = text.strip_prefix(&prompt.said) {
            text = rest.to_owned();
        }
        match step {
            Step::Garble => text += "<music>",
            Step::Cut | Step::Limited => text += "Only half a",
            Step::Short => {}
            _ => text += "[pause 1s]",
        }
        let words = text.split_inclusive(' ').map(|word| DraftPiece::Text(word.to_owned()));
        let finish = if matches!(step, Step::Limited) { Finish::Length } else { Finish::Complete };
        let end = DraftPiece::End { finish, usage: Usage::default() };
        let end = (!matches!(step, Step::Cut)).then_some(end);
        let pieces: Vec<_> = words.chain(end).map(Ok).collect();
        Ok(stream::iter(pieces).boxed())
    }

    fn estimate(&self, _prompt: &Prompt, _written: usize) -> Usage {
        Usage::default().and_usd(BROKEN_USD)
    }
}

#[async_trait]
impl ImageGenerator for Fake {
    fn provider(&self) -> &'static str {
        "fake"
    }

    fn revision(&self) -> String {
        self.0.revision()
    }

    async fn draw(&self, _scene: &Scene) -> Result<Answer<Image>, ProviderError> {
        let step = self.0.step(StageName::Image).await?;
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 640, 2);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&[128; 1280]).unwrap();
        let is_broken = matches!(step, Step::Garble);
        file.truncate(if is_broken { 40 } else { file.len() });
        let usage = Usage::default().and_usd(PICTURE_USD);
        Ok(Answer { value: Image { bytes: file.into() }, usage })
    }
}

#[async_trait]
impl ArtifactStore for Fake {
    fn provider(&self) -> &'static str {
        "fake"
    }

    async fn put(
        &self,
        _: &UploadTarget,
        media: &Media,
    ) -> Result<Answer<Artifact>, ProviderError> {
        self.0.step(StageName::Upload).await?;
        Ok(Answer::free(Artifact {
            url: "file:///delivered".to_owned(),
            key: "delivered".to_owned(),
            path: None,
            bytes: 1,
            content_type: "audio/mp4".to_owned(),
            duration_s: media.duration_s,
            sha256: "0".repeat(64),
            extras: BTreeMap::new(),
        }))
    }

    async fn adopt(
        &self,
        _: &UploadTarget,
        delivered: &Artifact,
    ) -> Result<Option<Answer<Artifact>>, ProviderError> {
        let is_lost = self.0.entries().are_deliveries_lost;
        let copied = Artifact { key: "copied".to_owned(), ..delivered.clone() };
        Ok((!is_lost).then(|| Answer::free(copied)))
    }
}

/// A database that knows one conversation of the tenant `default`.
pub(super) struct OneConversation(pub(super) Uuid);

#[async_trait]
impl SourceStore for OneConversation {
    fn provider(&self) -> &'static str {
        "fake-database"
    }

    async fn load(&self, tenant: &str, id: Uuid) -> Result<Conversation, ProviderError> {
        if tenant != "default" || id != self.0 {
            let message = "no such conversation";
            return Err(ProviderError::permanent(
                "fake-database",
                "conversation-not-found",
                message,
            ));
        }
        let text = "x".repeat(3_000);
        let messages = vec![Excerpt { label: String::new(), text, characters: 3_000 }];
        Ok(Conversation { messages, empty_rows: 2, ..Conversation::default() })
    }
}
