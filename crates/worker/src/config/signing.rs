//! `C2PA_CERTIFICATE_FILE` and `C2PA_KEY` go in; with what files are signed comes out.

use secrecy::SecretString;
use settings::Reader;

/// A larger file is another one by mistake.
const MAX_BYTES: u64 = 1 << 20;
const CERTIFICATE: &str = "c2pa_certificate_file";
const KEY: &str = "c2pa_key";

/// With what files are signed.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "c2pa"), expect(dead_code, reason = "this build signs nothing"))]
pub(crate) struct SigningConfig {
    /// The signer's certificate in PEM, and its issuers'.
    pub(crate) certificates: String,
    /// Its private key in PEM.
    pub(crate) key: SecretString,
}

/// Reads the section; `None` where nothing is signed.
pub(super) fn read(reader: &mut Reader) -> Option<SigningConfig> {
    let halves = [(CERTIFICATE, KEY), (KEY, CERTIFICATE)];
    for (known, other) in halves {
        if reader.is_set(known) && !reader.is_set(other) {
            let known = known.to_ascii_uppercase();
            reader.missing(other, &format!("and {known} is; set both or none"));
        }
    }
    let certificates = reader.optional(CERTIFICATE, certificates);
    let key = reader.optional(KEY, key);
    Some(SigningConfig { certificates: certificates?, key: key? })
}

/// Nothing of it is ever repeated.
fn key(text: &str) -> Result<SecretString, String> {
    let is_pem = text.starts_with("-----BEGIN ");
    let known = is_pem.then(|| SecretString::from(text));
    known.ok_or_else(|| {
        "is a private key in PEM; C2PA_KEY_FILE names a file that holds it".to_owned()
    })
}

fn certificates(path: &str) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > MAX_BYTES {
        return Err(format!("is longer than {} MiB", MAX_BYTES >> 20));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}
