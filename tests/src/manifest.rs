//! A signed file goes in; what the reader of those who write C2PA's reference says of it comes out.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use c2pa::{Context, Reader};
use serde_json::{Value, json};

/// What is read of a file.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// `Trusted`, `Valid` where nobody knows its signer, or `Invalid`.
    pub state: String,
    /// The codes of all that was found wrong.
    pub faults: Vec<String>,
    /// The whole, as JSON.
    pub active: Value,
}

impl Manifest {
    /// Reads the file at `path`, whose kind its ending says; `root` is an authority in PEM whose signers are
    /// trusted.
    pub fn read(path: &Path, root: Option<&Path>) -> anyhow::Result<Self> {
        let settings = match root {
            Some(root) => json!({ "trust": { "trust_anchors": std::fs::read_to_string(root)? } }),
            None => json!({}),
        };
        let kind =
            path.extension().and_then(|kind| kind.to_str()).context("a file has an ending")?;
        let reader = Reader::from_context(Context::new().with_settings(settings)?);
        let reader = reader.with_stream(kind, File::open(path)?)?;
        let statuses = reader.validation_status().into_iter().flatten();
        Ok(Self {
            state: format!("{:?}", reader.validation_state()),
            faults: statuses.map(|status| status.code().to_owned()).collect(),
            active: serde_json::to_value(reader.active_manifest().context("a manifest")?)?,
        })
    }

    /// What was done to the file, and from what source it is said to come.
    #[must_use]
    pub fn actions(&self) -> Vec<[String; 2]> {
        let assertions = self.active["assertions"].as_array().into_iter().flatten();
        let of_actions = assertions.filter(|one| {
            one["label"].as_str().is_some_and(|label| label.starts_with("c2pa.actions"))
        });
        let actions = of_actions.filter_map(|one| one["data"]["actions"].as_array()).flatten();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        actions.map(|one| ["action", "digitalSourceType"].map(|name| word(&one[name]))).collect()
    }
}
