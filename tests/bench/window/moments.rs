//! What provider, store and Redis tell goes in; of each thing that was bought, when its last byte left,
//! when the store had it, and when its checkpoint was accepted, comes out. Times are in µs since the
//! epoch, by the one clock of this machine.

use std::collections::{HashMap, VecDeque};

use futures::StreamExt;
use stillcast_enqueue::{JobId, StageName};
use tests::bucket::Served;
use tests::simulator::{Endpoint, Sent};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// Where what happens is told.
pub(crate) struct Heard {
    pub(crate) sent: UnboundedSender<Sent>,
    pub(crate) served: UnboundedSender<Served>,
}

/// Where it is heard.
pub(crate) struct Listening {
    sent: UnboundedReceiver<Sent>,
    served: UnboundedReceiver<Served>,
    pinned: UnboundedReceiver<Pinned>,
    _monitor: JoinSet<()>,
}

/// A checkpoint that Redis has accepted.
struct Pinned {
    job: String,
    name: String,
    digest: String,
    at: i64,
}

/// From a provider's last byte to the accepted checkpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) stage: StageName,
    pub(crate) sent: i64,
    /// When the store heard of the put, and when it had answered; words go to Redis alone.
    pub(crate) put: Option<(i64, i64)>,
    pub(crate) pinned: i64,
}

/// The text of a job, by which its calls are known.
pub(crate) fn source(number: usize) -> String {
    format!("Evening {number}: rain on the harbour, and a heron.")
}

/// Listens from now on, also to what the Redis at `url` does.
pub(crate) async fn listen(url: &str) -> anyhow::Result<(Heard, Listening)> {
    let (to_sent, sent) = unbounded_channel();
    let (to_served, served) = unbounded_channel();
    let (to_pinned, pinned) = unbounded_channel();
    let monitor = redis::Client::open(url)?.get_async_monitor().await?;
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let lines = monitor.into_on_message::<String>();
        futures::pin_mut!(lines);
        while let Some(line) = lines.next().await {
            for accepted in accepted(&line) {
                let _ = to_pinned.send(accepted);
            }
        }
    });
    let heard = Heard { sent: to_sent, served: to_served };
    Ok((heard, Listening { sent, served, pinned, _monitor: tasks }))
}

/// The new checkpoints in a line of `MONITOR`: a script writes them with one `HSET`.
fn accepted(line: &str) -> Vec<Pinned> {
    let read = || {
        let (time, rest) = line.split_once(' ')?;
        let (seconds, micros) = time.split_once('.')?;
        let at = seconds.parse::<i64>().ok()? * 1_000_000 + micros.parse::<i64>().ok()?;
        let (_, words) = rest.split_once("lua] \"HSET\" \"")?;
        let mut words = words.split("\" \"");
        let (_, job) = words.next()?.rsplit_once(':')?;
        let words: Vec<&str> = words.collect();
        let pinned = words.windows(2).filter_map(|pair| {
            let name = pair.first()?.strip_prefix("checkpoint:")?.to_owned();
            let digest = pair.last()?.trim_end_matches('"').to_owned();
            Some(Pinned { job: job.to_owned(), name, digest, at })
        });
        Some(pinned.collect())
    };
    read().unwrap_or_default()
}

impl Listening {
    /// All windows of the jobs `ids`, which are in the order of their numbers.
    pub(crate) fn windows(mut self, ids: &[JobId]) -> Vec<Window> {
        let mut sent = Answers::default();
        while let Ok(answer) = self.sent.try_recv() {
            sent.add(&answer, ids);
        }
        let puts = drain(&mut self.served).into_iter().filter(|served| served.method == "PUT");
        let mut first = HashMap::new();
        for put in puts {
            // What is put once more, for others, is there already.
            first.entry(last(&put.path, 2)).or_insert((put.began, put.ended));
        }
        let pinned = drain(&mut self.pinned).into_iter();
        pinned.filter_map(|pinned| sent.window(&pinned, &first)).collect()
    }
}

/// When the last bytes of answers left, by what they will be kept as.
#[derive(Default)]
struct Answers(HashMap<(StageName, String), VecDeque<i64>>);

impl Answers {
    fn add(&mut self, sent: &Sent, ids: &[JobId]) {
        let kept = match sent.endpoint {
            // All pictures of the provider's double are the same: whose it is, the prompt tells.
            Endpoint::Chat => (StageName::Transcript, job(sent, ids).unwrap_or_default()),
            Endpoint::Image => (StageName::Image, job(sent, ids).unwrap_or_default()),
            Endpoint::Speech => (StageName::Tts, sent.kept().unwrap_or_default().1),
            Endpoint::Models | Endpoint::Moderation | Endpoint::Realtime => return,
        };
        let Self(answers) = self;
        answers.entry(kept).or_default().push_back(sent.at);
    }

    fn window(&mut self, pinned: &Pinned, puts: &HashMap<String, (i64, i64)>) -> Option<Window> {
        let stage = if pinned.name == "transcript" {
            StageName::Transcript
        } else if pinned.name.starts_with("passage-") {
            StageName::Tts
        } else {
            // `image` itself is what the fleet has agreed upon, later.
            pinned.name.strip_prefix("image.").map(|_| StageName::Image)?
        };
        let kept = if stage == StageName::Tts { &pinned.digest } else { &pinned.job };
        let Self(answers) = self;
        let sent = answers.get_mut(&(stage, kept.clone()))?.pop_front()?;
        let put = puts.get(&format!("{}/{}", pinned.job, pinned.digest)).copied();
        Some(Window { stage, sent, put, pinned: pinned.at })
    }
}

/// The job whose words a chat has written, or whose picture was drawn.
fn job(sent: &Sent, ids: &[JobId]) -> Option<String> {
    let asked = sent.asked.to_string();
    let (_, number) = asked.split_once("Evening ")?;
    let number: usize = number.split(':').next()?.parse().ok()?;
    Some(ids.get(number)?.to_string())
}

/// The last so many segments of a path.
fn last(path: &str, segments: usize) -> String {
    let all: Vec<&str> = path.split('/').collect();
    all.get(all.len().saturating_sub(segments)..).unwrap_or_default().join("/")
}

fn drain<T>(receiver: &mut UnboundedReceiver<T>) -> Vec<T> {
    std::iter::from_fn(|| receiver.try_recv().ok()).collect()
}
