//! Why nothing is signed.

/// Why a certificate and its key do not sign, or a file is not signed. Holds nothing of the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningFault {
    /// The text holds no certificate.
    #[error(
        "it holds no certificate in PEM; it begins with that of the signer, and its issuers follow"
    )]
    NoCertificate,
    /// A key of a kind with which no manifest is signed.
    #[error("its key is none with which C2PA signs: P-256, P-384, P-521, Ed25519 or RSA")]
    Algorithm,
    /// It is not good any more.
    #[error("the certificate of {subject} has ended {days} days ago; have it renewed")]
    Ended {
        /// Whose it is.
        subject: String,
        /// For how many whole days it has not been good any more.
        days: i64,
    },
    /// It is not good yet.
    #[error("the certificate of {subject} is not good yet; is the clock of this machine right?")]
    NotYet {
        /// Whose it is.
        subject: String,
    },
    /// The certificate, the key or the file is none of which a valid manifest can be made.
    #[error("{0}")]
    Refused(#[from] ::c2pa::Error),
    /// A file cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It was given up.
    #[error("it was given up in the middle")]
    GivenUp,
}
