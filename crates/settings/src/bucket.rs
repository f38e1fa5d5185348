//! The settings of a bucket go in (`S3_ENDPOINT`, `AWS_…`); how it is reached, and as whom, comes
//! out. Every program that opens the store has them, under these names.

use secrecy::SecretString;

use crate::address;
use crate::reader::Reader;

/// How a bucket is reached; unset parts are the machine's AWS settings.
#[derive(Clone, Debug)]
pub struct BucketConfig {
    /// Another S3 than Amazon's.
    pub endpoint: Option<String>,
    /// The bucket's region.
    pub region: Option<String>,
    /// The account's key.
    pub key: Option<BucketKey>,
}

/// A key of an account.
#[derive(Clone, Debug)]
pub struct BucketKey {
    /// Its name.
    pub id: String,
    /// The secret.
    pub secret: SecretString,
    /// Given with temporary keys.
    pub session_token: Option<SecretString>,
}

impl BucketConfig {
    /// Reads the section. Half a key is a fault.
    pub fn read(reader: &mut Reader) -> Self {
        let endpoint =
            reader.optional("s3_endpoint", |text| address::http(text, "http://127.0.0.1:9000"));
        let region = reader.text("aws_region");
        Self { endpoint, region, key: BucketKey::read(reader) }
    }
}

impl BucketKey {
    fn read(reader: &mut Reader) -> Option<Self> {
        let id = reader.text("aws_access_key_id");
        let secret = reader.secret("aws_secret_access_key");
        let session_token = reader.secret("aws_session_token");
        match (id, secret) {
            (Some(id), Some(secret)) => return Some(Self { id, secret, session_token }),
            (None, None) => {}
            (None, Some(_)) => {
                let hint = "and AWS_SECRET_ACCESS_KEY is; set both or none";
                reader.missing("aws_access_key_id", hint);
            }
            (Some(_), None) => {
                let hint = "and AWS_ACCESS_KEY_ID is; set both or none";
                reader.missing("aws_secret_access_key", hint);
            }
        }
        None
    }
}
