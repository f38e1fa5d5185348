//! A bucket goes in; what a PUT of a passage takes there comes out, measured on a thread of its own that
//! does nothing else, while others use the bucket too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use tests::bucket::{BUCKET, Bucket};
use tokio::time::Instant;

/// Bytes of half a minute of speech, as the passages of the run are.
const PASSAGE: usize = 1 << 20;
/// Time between two puts.
const BETWEEN: Duration = Duration::from_millis(200);

/// The thread at its measuring.
pub(crate) struct Apart {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Vec<f64>>>,
}

impl Apart {
    pub(crate) fn begin(bucket: &Bucket) -> anyhow::Result<Self> {
        let (client, is_over) = (bucket.client(), Arc::new(AtomicBool::new(false)));
        let ends = Arc::clone(&is_over);
        let thread = std::thread::Builder::new().name("apart".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(measure(&client, &ends))
        })?;
        Ok(Self { is_over, thread })
    }

    /// What each put took, in ms.
    pub(crate) fn end(self) -> anyhow::Result<Vec<f64>> {
        self.is_over.store(true, Ordering::Release);
        let measured = self.thread.join();
        measured.map_err(|_| anyhow::anyhow!("the measuring thread panicked"))?.context("a put")
    }
}

async fn measure(client: &Client, is_over: &AtomicBool) -> anyhow::Result<Vec<f64>> {
    let mut took = Vec::new();
    let mut passage = vec![0_u8; PASSAGE];
    while !is_over.load(Ordering::Acquire) {
        fastrand::fill(&mut passage[..64]);
        let checksum = STANDARD.encode(Sha256::digest(&passage));
        let put = client.put_object().bucket(BUCKET).key(format!("apart/{}", took.len()));
        let put = put.if_none_match("*").checksum_sha256(checksum);
        let began = Instant::now();
        put.body(ByteStream::from(passage.clone())).send().await?;
        took.push(began.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(took)
}
