//! Secrets and a message go in; the value of the header `webhook-signature` comes out.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine};
use secrecy::{ExposeSecret, SecretString};

/// Stands for every tenant that has no secret of its own.
const ANYBODY: &str = "*";
/// How long a shared secret is, in bytes.
const SHARED: std::ops::RangeInclusive<usize> = 24..=64;
/// A seed, and a seed with its public key behind it.
const SEED: usize = 32;

/// As it is written, with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(engine::DecodePaddingMode::Indifferent),
);

/// What signs.
pub(crate) enum SigningKey {
    /// `whsec_…`: HMAC-SHA256, known to the receiver too.
    Shared(Box<hmac::Key>),
    /// `whsk_…`: Ed25519, of which the receiver knows the public half.
    Paired(Box<Ed25519KeyPair>),
}

/// A text that is no key. Never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is `whsec_` and the base64 of 24 to 64 bytes, or `whsk_` and that of 32 or 64")]
pub struct InvalidKey;

impl SigningKey {
    /// Reads a key of Standard Webhooks.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidKey> {
        let decode = |base64: &str| BASE64.decode(base64).map_err(|_| InvalidKey);
        if let Some(base64) = text.strip_prefix("whsec_") {
            let bytes = decode(base64)?;
            let is_long_enough = SHARED.contains(&bytes.len());
            return is_long_enough
                .then(|| Self::Shared(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &bytes))))
                .ok_or(InvalidKey);
        }
        let bytes = decode(text.strip_prefix("whsk_").ok_or(InvalidKey)?)?;
        let pair = match bytes.split_at_checked(SEED) {
            Some((seed, [])) => Ed25519KeyPair::from_seed_unchecked(seed),
            Some((seed, public)) => Ed25519KeyPair::from_seed_and_public_key(seed, public),
            None => return Err(InvalidKey),
        };
        pair.map(|pair| Self::Paired(Box::new(pair))).map_err(|_| InvalidKey)
    }

    fn sign(&self, content: &[u8]) -> String {
        match self {
            Self::Shared(key) => format!("v1,{}", BASE64.encode(hmac::sign(key, content))),
            Self::Paired(pair) => format!("v1a,{}", BASE64.encode(pair.sign(content))),
        }
    }
}

/// The active secrets of all tenants: several of one are a rotation, and all of them sign.
#[derive(Default)]
pub(crate) struct Secrets(HashMap<String, Vec<SigningKey>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets(of {} tenants)", self.0.len())
    }
}

impl Secrets {
    /// Reads pairs of a tenant, or `*` for all that have none of their own, and a key.
    pub(crate) fn new<'pair>(
        pairs: impl IntoIterator<Item = (&'pair str, &'pair SecretString)>,
    ) -> Result<Self, InvalidKey> {
        let mut secrets = Self::default();
        for (tenant, key) in pairs {
            let key = SigningKey::parse(key.expose_secret())?;
            secrets.0.entry(tenant.to_owned()).or_default().push(key);
        }
        Ok(secrets)
    }

    /// Whether there is none at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The header's value for a body that `id` names and that is sent at `timestamp`, in seconds: one
    /// signature a secret, by spaces. `None` when the tenant has no secret.
    pub(crate) fn sign(
        &self,
        tenant: &str,
        id: &str,
        timestamp: u64,
        body: &str,
    ) -> Option<String> {
        let keys = self.0.get(tenant).or_else(|| self.0.get(ANYBODY))?;
        let content = format!("{id}.{timestamp}.{body}");
        let signatures: Vec<String> = keys.iter().map(|key| key.sign(content.as_bytes())).collect();
        Some(signatures.join(" "))
    }
}
