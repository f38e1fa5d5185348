//! A delivered file goes in; what shall be known of it when the queue has forgotten comes out, as JSON
//! without private text.

use pipeline::UploadTarget;
use serde_json::json;
use stillcast_enqueue::Artifact;

/// The manifest's own version.
const VERSION: u32 = 1;

pub(super) fn write(target: &UploadTarget, artifact: &Artifact) -> Vec<u8> {
    // What lies beside it, by its keys: addresses and paths change with the store.
    let extras: serde_json::Map<_, _> = artifact
        .extras
        .iter()
        .map(|(name, extra)| (name.clone(), extra.key.clone().into()))
        .collect();
    let manifest = json!({
        "v": VERSION,
        "job": target.job,
        "tenant": target.tenant,
        "format": target.format,
        "key": artifact.key,
        "bytes": artifact.bytes,
        "content_type": artifact.content_type,
        "duration_s": artifact.duration_s,
        "sha256": artifact.sha256,
        "extras": extras,
        "stages": target.stages,
    });
    format!("{manifest:#}\n").into_bytes()
}
