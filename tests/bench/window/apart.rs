//! What a provider has sent goes in; what the store takes to keep as many bytes, by themselves, comes out:
//! twins of the workers' own puts, of the same lengths and in the same moments, from a thread that does
//! nothing else.

use std::thread::JoinHandle;

use anyhow::Context;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use stillcast_enqueue::StageName;
use tests::bucket::{BUCKET, Bucket};
use tests::simulator::{Endpoint, Sent};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Of so many passages one has a twin, so that twins are few beside what they measure; each picture has
/// one.
const ONE_IN: usize = 3;

/// A put by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Twin {
    pub(crate) stage: StageName,
    pub(crate) bytes: usize,
    /// From the request to the store's answer.
    pub(crate) ms: f64,
}

/// The thread at its measuring.
pub(crate) struct Apart {
    /// Closed when nothing more will be sent.
    is_over: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<Vec<Twin>>>,
}

impl Apart {
    /// What is told to the sender is measured, and told to `onward`.
    pub(crate) fn begin(
        bucket: &Bucket,
        onward: UnboundedSender<Sent>,
    ) -> anyhow::Result<(UnboundedSender<Sent>, Self)> {
        let (client, (told, sent)) = (bucket.client(), unbounded_channel());
        let (is_over, over) = oneshot::channel();
        let thread = std::thread::Builder::new().name("apart".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(measure(&client, sent, over, &onward))
        })?;
        Ok((told, Self { is_over, thread }))
    }

    /// What each put took, of all that was told until now.
    pub(crate) fn end(self) -> anyhow::Result<Vec<Twin>> {
        drop(self.is_over);
        let measured = self.thread.join();
        measured.map_err(|_| anyhow::anyhow!("the measuring thread panicked"))?.context("a put")
    }
}

async fn measure(
    client: &Client,
    mut sent: UnboundedReceiver<Sent>,
    mut over: oneshot::Receiver<()>,
    onward: &UnboundedSender<Sent>,
) -> anyhow::Result<Vec<Twin>> {
    let (mut puts, mut passages) = (JoinSet::new(), 0);
    loop {
        let answer = tokio::select! {
            biased;
            Some(answer) = sent.recv() => answer,
            _ = &mut over => break,
        };
        passages += usize::from(answer.endpoint == Endpoint::Speech);
        let is_chosen = answer.endpoint == Endpoint::Image || passages.is_multiple_of(ONE_IN);
        if is_chosen && let Some((bytes, digest)) = answer.kept() {
            let key = format!("apart/{}", puts.len());
            puts.spawn(put(client.clone(), answer.endpoint, (key, bytes, digest)));
        }
        // Who listens no more need not know.
        let _ = onward.send(answer);
    }
    puts.join_all().await.into_iter().collect()
}

async fn put(
    client: Client,
    endpoint: Endpoint,
    (key, body, digest): (String, Bytes, String),
) -> anyhow::Result<Twin> {
    let stage = if endpoint == Endpoint::Image { StageName::Image } else { StageName::Tts };
    let checksum = STANDARD.encode(hex::decode(digest)?);
    let put = client.put_object().bucket(BUCKET).key(key);
    let (put, bytes) = (put.if_none_match("*").checksum_sha256(checksum), body.len());
    let began = Instant::now();
    put.body(ByteStream::from(body)).send().await?;
    Ok(Twin { stage, bytes, ms: began.elapsed().as_secs_f64() * 1e3 })
}
