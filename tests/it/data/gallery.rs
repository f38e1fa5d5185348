//! Conversations go in, files come out of a bucket as anybody would fetch them, and each is measured.
//!
//! Bought from the simulator, and not made offline: twenty voices and landscapes of our own would
//! take minutes of CPU. Its tone has no silence of its own and a length that is known, so that every
//! pause of a file has one place.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use futures::{StreamExt, stream};
use pipeline::{Passage, Script, ScriptLength};
use redis::AsyncCommands;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stillcast_enqueue::keys::Keys;
use stillcast_enqueue::{Format, Job, JobRecord, Producer, Source, State};
use tempfile::TempDir;
use tests::bucket::Bucket;
use tests::measure::{Silence, distinct_pictures, facts, has_faststart, loudness, silences};
use tests::program::{Program, ended};
use tests::server::Server;
use tests::simulator::{Endpoint, Options, PACE, Simulator};

use crate::support::{Content, fetch, worker};

const JOBS: usize = 20;
/// The default of `QUEUE_NAME`.
const QUEUE: &str = "stillcast";
/// Places and lengths are known to so many seconds: a frame of AAC, and the edge of a passage.
const BLUR: f64 = 0.1;
/// Files measured at once.
const BENCHES: usize = 2;
const TENANTS: [&str; 2] = ["acme", "other"];

/// All that stands around the workers.
struct Servers {
    server: Server,
    content: Content,
    bucket: Bucket,
    simulator: Simulator,
    folder: TempDir,
}

impl Servers {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            server: Server::start().await.unwrap(),
            content: Content::new().await,
            bucket: Bucket::here().await.unwrap(),
            simulator: Simulator::start(Options::quick(folder.path())).await.unwrap(),
            folder,
        }
    }

    fn worker(&self) -> Program {
        let worker = worker(&self.server, &self.content, &self.bucket);
        let prices = [("LLM_PRICE_INPUT", "0.10"), ("LLM_PRICE_OUTPUT", "0.50")];
        let prices = prices.into_iter().chain([("TTS_PRICE", "18"), ("IMAGE_PRICE", "0.013")]);
        prices
            .fold(worker.providers("openai"), |worker, (name, value)| worker.env(name, value))
            .env("OPENAI_BASE_URL", self.simulator.base_url())
            .env("OPENAI_API_KEY", "sk-test")
    }

    /// Enqueues conversations, in turn of each tenant and format, and lets two workers make them.
    async fn make(&self) -> Vec<JobRecord> {
        let producer = Producer::connect(&self.server.url()).await.unwrap();
        let mut jobs = Vec::new();
        for number in 0..JOBS {
            let tenant = TENANTS[number / 2 % 2];
            let words = format!("This is evening number {number}, and the harbour is quiet.");
            let id = self.content.converse(tenant, &[("user", &words)]).await;
            let format = [Format::Audio, Format::Video][number % 2];
            jobs.push(Job::new(Source::Conversation(id), format).with_tenant(tenant));
        }
        let enqueued = producer.enqueue_many(&jobs).await;
        let ids: Vec<_> = enqueued.into_iter().map(|one| one.unwrap().id).collect();
        let start = async || self.worker().spawn(&["--until-empty"]).await.unwrap();
        for worker in [start().await, start().await] {
            let ran = ended(worker).await.unwrap().expect(0);
            assert!(ran.stderr.contains("\"delivered media/"), "an idle worker: {}", ran.stderr);
        }
        producer.status(&ids).await.unwrap().into_iter().map(Option::unwrap).collect()
    }

    /// The silences of a job's file, by the words that were bought for it.
    async fn pauses(&self, job: &str) -> Vec<Silence> {
        let key = Keys::new(QUEUE).unwrap().transcript(job);
        let words: String = self.server.connection().await.unwrap().get(key).await.unwrap();
        let (mut pauses, mut from_s) = (Vec::new(), 0.0);
        for passage in Script::read(&words, ScriptLength::default()).unwrap() {
            from_s += match passage {
                Passage::Speech(text) => text.chars().count() as f64 / PACE,
                Passage::Pause(length) => {
                    let length_s = length.as_secs_f64();
                    pauses.push(Silence { from_s, length_s });
                    length_s
                }
            };
        }
        pauses
    }

    /// Fetches what the record names, and compares it with the record and the manifest beside it.
    async fn download(&self, record: &JobRecord) -> PathBuf {
        let artifact = record.artifact.as_ref().unwrap();
        let (head, body) = fetch(&artifact.url).await;
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains(&format!("content-type: {}", artifact.content_type)), "{head}");
        assert_eq!(body.len() as u64, artifact.bytes);
        assert_eq!(hex::encode(Sha256::digest(&body)), artifact.sha256);

        let manifest = self.bucket.object(&beside(&format!("a/prefix/{}", artifact.key))).await;
        let manifest: Value = serde_json::from_slice(&manifest.unwrap()).unwrap();
        assert_eq!(
            (&manifest["job"], &manifest["tenant"]),
            (&json!(record.id), &json!(record.tenant))
        );
        let facts = serde_json::to_value(artifact).unwrap();
        for fact in ["key", "bytes", "content_type", "duration_s", "sha256"] {
            assert_eq!(manifest[fact], facts[fact], "{fact} in {manifest}");
        }

        let path = self.folder.path().join(artifact.key.replace('/', "-"));
        std::fs::write(&path, body).unwrap();
        path
    }

    /// Asserts all that a player, an ear or a video platform would notice.
    async fn measure(&self, record: &JobRecord) {
        assert_eq!((record.state, record.attempt), (State::Done, 1), "{record:?}");
        let path = self.download(record).await;
        let (artifact, seen) = (record.artifact.as_ref().unwrap(), facts(&path).await.unwrap());
        for length in seen.durations.iter().chain([&seen.duration_s]) {
            assert!((length - artifact.duration_s).abs() <= BLUR, "{seen:?}, {artifact:?}");
        }
        assert!(has_faststart(&path).unwrap());
        match record.format.unwrap() {
            Format::Audio => assert_eq!(seen.codecs[..1], ["aac"]),
            Format::Video => {
                assert_eq!(seen.codecs[..3], ["h264", "aac", "mov_text"]);
                assert_eq!(seen.picture, "1920x1080 yuv420p tv bt709 bt709 bt709 High 2/1");
                assert_eq!(distinct_pictures(&path).await.unwrap(), 1);
            }
        }
        let level = loudness(&path).await.unwrap();
        assert!((level.integrated + 19.0).abs() <= 0.5 && level.true_peak <= -1.0, "{level:?}");
        self.is_silent_where_asked(record, &path).await;
    }

    async fn is_silent_where_asked(&self, record: &JobRecord, path: &Path) {
        let (asked, heard) = (self.pauses(&record.id).await, silences(path).await.unwrap());
        assert!(asked.len() >= 8, "{asked:?}");
        // A video is silent until the end of its last picture.
        let heard = &heard[..heard.len().min(asked.len())];
        let near = |(one, other): (&Silence, &Silence)| {
            (one.from_s - other.from_s).abs() <= BLUR
                && (one.length_s - other.length_s).abs() <= BLUR
        };
        let all_near = heard.len() == asked.len() && asked.iter().zip(heard).all(near);
        assert!(all_near, "asked for {asked:?}, heard {heard:?}");
    }
}

/// The manifest of an artifact.
fn beside(key: &str) -> String {
    let (name, _) = key.rsplit_once('.').unwrap();
    format!("{name}.json")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations_of_two_tenants_become_files_that_measure_as_they_must() {
    let servers = Servers::new().await;
    let records = servers.make().await;
    let measured = stream::iter(&records).map(|record| servers.measure(record));
    measured.buffer_unordered(BENCHES).for_each(async |()| ()).await;

    let digests: HashSet<_> =
        records.iter().map(|record| &record.artifact.as_ref().unwrap().sha256).collect();
    assert_eq!(digests.len(), JOBS, "each conversation has a file of its own");
    let purchases = servers.simulator.purchases();
    let paid: f64 = purchases.iter().map(|purchase| purchase.usd).sum();
    let booked: f64 = records.iter().map(|one| one.cost.spent_usd + one.cost.wasted_usd).sum();
    assert!((paid - booked).abs() < 1e-9, "paid {paid}, booked {booked}");
    let bought = |what| purchases.iter().filter(|purchase| purchase.endpoint == what).count();
    assert_eq!((bought(Endpoint::Chat), bought(Endpoint::Image)), (JOBS, JOBS / 2));
}
