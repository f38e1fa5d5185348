//! In place of what signs files, in a build that leaves it out: the configuration has refused its settings.

use std::path::Path;
use std::sync::Arc;

use pipeline::MediaEncoder;

use crate::config::SigningConfig;

/// The encoder as it is.
#[expect(clippy::unnecessary_wraps, reason = "the face of the file that signs")]
pub(super) fn signing(
    encoder: Arc<dyn MediaEncoder>,
    _: Option<&SigningConfig>,
    _: &Path,
) -> anyhow::Result<Arc<dyn MediaEncoder>> {
    Ok(encoder)
}

/// Nobody signs.
#[expect(clippy::unnecessary_wraps, reason = "the face of the file that signs")]
pub(crate) fn probe_signer(_: Option<&SigningConfig>, _: &Path) -> anyhow::Result<Option<String>> {
    Ok(None)
}
