//! Certificates in PEM go in; what the first one says of itself comes out: whose it is, until when, and with
//! what its key signs.

use std::time::{SystemTime, UNIX_EPOCH};

use ::c2pa::SigningAlg;
use sha2::{Digest, Sha256};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521,
    OID_PKCS1_RSAENCRYPTION, OID_PKCS1_RSASSAPSS, OID_SIG_ED25519,
};
use x509_parser::pem::Pem;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::SigningFault;

const LABEL: &str = "CERTIFICATE";
const DAY: i64 = 86_400;

/// What is known of whoever signs.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    /// Whose it is, such as `CN=Example`.
    pub(super) subject: String,
    /// With what its key signs.
    pub(super) algorithm: SigningAlg,
    /// The SHA-256 of all certificates, in hexadecimal.
    pub(super) digest: String,
    /// From when to when it is good, in seconds since 1970.
    begins: i64,
    ends: i64,
}

impl Certificate {
    /// Reads the first of some certificates: that of the signer.
    pub(super) fn read(pem: &str) -> Result<Self, SigningFault> {
        let mut blocks = Pem::iter_from_buffer(pem.as_bytes()).flatten();
        let block = blocks.find(|block| block.label == LABEL).ok_or(SigningFault::NoCertificate)?;
        let certificate = block.parse_x509().map_err(|_| SigningFault::NoCertificate)?;
        let validity = certificate.validity();
        Ok(Self {
            subject: certificate.subject().to_string(),
            algorithm: algorithm(certificate.public_key()).ok_or(SigningFault::Algorithm)?,
            digest: hex::encode(Sha256::digest(pem.trim().as_bytes())),
            begins: validity.not_before.timestamp(),
            ends: validity.not_after.timestamp(),
        })
    }

    /// Whether it is good at this moment.
    pub(super) fn check(&self) -> Result<(), SigningFault> {
        let (now, subject) = (now(), self.subject.clone());
        if now > self.ends {
            return Err(SigningFault::Ended { subject, days: (now - self.ends) / DAY });
        }
        if now < self.begins {
            return Err(SigningFault::NotYet { subject });
        }
        Ok(())
    }

    /// Whole days for which it is still good.
    pub(super) fn days_left(&self) -> i64 {
        (self.ends - now()) / DAY
    }
}

fn algorithm(key: &SubjectPublicKeyInfo<'_>) -> Option<SigningAlg> {
    let (kind, parameters) = (&key.algorithm.algorithm, key.algorithm.parameters.as_ref());
    if *kind == OID_SIG_ED25519 {
        return Some(SigningAlg::Ed25519);
    }
    if *kind == OID_PKCS1_RSAENCRYPTION || *kind == OID_PKCS1_RSASSAPSS {
        return Some(SigningAlg::Ps256);
    }
    let curve = parameters.filter(|_| *kind == OID_KEY_TYPE_EC_PUBLIC_KEY)?.as_oid().ok()?;
    let curves = [
        (OID_EC_P256, SigningAlg::Es256),
        (OID_NIST_EC_P384, SigningAlg::Es384),
        (OID_NIST_EC_P521, SigningAlg::Es512),
    ];
    curves.into_iter().find_map(|(known, algorithm)| (known == curve).then_some(algorithm))
}

/// What readers hold a certificate against is the time of day.
#[expect(clippy::disallowed_methods, reason = "it is good until a day, and no queue is asked")]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
