//! A certificate and its key go in; files with a signed manifest come out.

use std::fs::{File, OpenOptions};
use std::io::{Cursor, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::c2pa::{
    BoxedSigner, Builder, BuilderIntent, Context, DigitalSourceType, Error, create_signer,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::SigningFault;
use super::certificate::Certificate;

/// As what the maker of a file is named in its manifest.
const GENERATOR: &str = "Stillcast";
/// Mebibytes of a file that wait in memory while it is signed; more than that waits in a file.
const IN_MEMORY: usize = 16;
/// A sound of two samples as WAV: what is signed to see whether anything can be.
const SAMPLE: &[u8] =
    b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xbb\0\0\0\x77\x01\0\x02\0\x10\0\
    data\x04\0\0\0\0\0\0\0";

/// With what is signed.
pub struct SigningOptions {
    /// The signer's certificate in PEM, and behind it those of its issuers, without the root.
    pub certificates: String,
    /// Its private key in PEM (PKCS #8).
    pub key: SecretString,
    /// Where a large file waits while it is signed: the folder of all temporary files of this process.
    pub temporary: PathBuf,
}

/// Signs files.
pub struct Signer {
    signer: BoxedSigner,
    certificate: Certificate,
}

impl Signer {
    /// Tries a certificate and its key on a sound of two samples. What is wrong with them shows here, and not
    /// at the first job.
    pub fn open(options: &SigningOptions) -> Result<Self, SigningFault> {
        let certificate = Certificate::read(&options.certificates)?;
        certificate.check()?;
        let (certificates, key) = (options.certificates.as_bytes(), options.key.expose_secret());
        let signer =
            create_signer::from_keys(certificates, key.as_bytes(), certificate.algorithm, None)?;
        // Whoever was here first has chosen the same one.
        let _ = tempfile::env::override_temp_dir(&options.temporary);
        let signer = Self { signer, certificate };
        signer.write(&context()?, "wav", &mut Cursor::new(SAMPLE), &mut Cursor::new(Vec::new()))?;
        Ok(signer)
    }

    /// Who signs, how, and for how many days still, for people.
    pub fn describe(&self) -> String {
        let Certificate { subject, algorithm, .. } = &self.certificate;
        format!("{subject} signs by {algorithm:?}, for {} more days", self.certificate.days_left())
    }

    /// What decides the signature, besides the file.
    pub(super) fn digest(&self) -> &str {
        &self.certificate.digest
    }

    /// Writes the file at `from`, whose kind its ending says, with a manifest to `to`, and reads it again.
    /// Blocks; ends soon when `context` is cancelled.
    pub(super) fn sign(
        &self,
        context: &Arc<Context>,
        from: &Path,
        to: &Path,
    ) -> Result<(), SigningFault> {
        self.certificate.check()?;
        let kind = from.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        let mut source = File::open(from)?;
        let mut signed =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(to)?;
        self.write(context, kind, &mut source, &mut signed)
    }

    fn write(
        &self,
        context: &Arc<Context>,
        kind: &str,
        source: &mut (impl Read + Seek + Send),
        signed: &mut (impl Read + Write + Seek + Send),
    ) -> Result<(), SigningFault> {
        let generator = json!({ "name": GENERATOR, "version": env!("CARGO_PKG_VERSION") });
        let manifest = json!({ "claim_generator_info": [generator] });
        let mut builder = Builder::from_shared_context(context).with_definition(manifest)?;
        builder.set_intent(BuilderIntent::Create(DigitalSourceType::TrainedAlgorithmicMedia));
        match builder.sign(self.signer.as_ref(), kind, source, signed) {
            Ok(_) => Ok(()),
            Err(Error::OperationCancelled) => Err(SigningFault::GivenUp),
            Err(error) => Err(error.into()),
        }
    }
}

/// How one file is signed: it is read again behind that, every byte of it. Whom a reader trusts is its own
/// affair.
pub(super) fn context() -> Result<Arc<Context>, SigningFault> {
    let settings = json!({
        "core": { "backing_store_memory_threshold_in_mb": IN_MEMORY },
        "verify": {
            "verify_after_sign": true,
            "verify_after_sign_hash": true,
            "verify_trust": false,
        },
    });
    Ok(Context::new().with_settings(settings)?.into_shared())
}
