//! Settings go in; where a store is and as whom it is written to comes out.

use std::fmt;

/// What [`open`](super::open()) needs to know. Unset parts of a bucket's are the machine's AWS settings.
#[derive(Clone, Debug, Default)]
pub struct StoreOptions {
    /// `file:///an/absolute/folder`, `s3://bucket` or `s3://bucket/prefix` (`STORAGE_URL`).
    pub url: String,
    /// Who writes: an identifier, which names this process in the unfinished files of a folder.
    pub writer: String,
    /// What people fetch from instead of `file://` or presigned addresses; stands for the whole of
    /// `url` (`PUBLIC_BASE_URL`).
    pub public_base_url: Option<String>,
    /// Another S3 than Amazon's, such as `http://127.0.0.1:9000`; its addresses are path-style
    /// (`S3_ENDPOINT`).
    pub endpoint: Option<String>,
    /// The bucket's region; unset, what the machine says, else `us-east-1` (`AWS_REGION`).
    pub region: Option<String>,
    /// Unset, those of the machine: profile, web identity, container or instance role.
    pub credentials: Option<Credentials>,
}

/// A key of an account.
#[derive(Clone)]
pub struct Credentials {
    /// Its name.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
    /// Given with temporary keys.
    pub session_token: Option<String>,
}

/// Secrets never reach a log.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let credentials = Credentials {
            access_key_id: "canary".to_owned(),
            secret_access_key: "canary".to_owned(),
            session_token: Some("canary".to_owned()),
        };
        let options = StoreOptions { credentials: Some(credentials), ..StoreOptions::default() };
        assert!(!format!("{options:?}").contains("canary"));
    }
}
