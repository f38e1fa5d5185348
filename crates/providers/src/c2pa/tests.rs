//! Certificates and keys of each kind go in; a signer that signs comes out, or the sentence why there is none.

use std::path::PathBuf;

use secrecy::SecretString;
use tests::authority::Authority;

use super::{Signer, SigningFault, SigningOptions};

const EC: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

/// With the certificate and the key at these places.
fn open([certificate, key]: [PathBuf; 2]) -> Result<Signer, SigningFault> {
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    let key = SecretString::from(read(key));
    let temporary = std::env::temp_dir();
    Signer::open(&SigningOptions { certificates: read(certificate), key, temporary })
}

#[tokio::test]
async fn each_kind_of_key_signs_and_its_certificate_tells_which_it_is() {
    let authority = Authority::new().await.unwrap();
    let kinds: [(&[&str], &str); 5] = [
        (&EC, "Es256"),
        (&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"], "Es384"),
        (&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"], "Es512"),
        (&["-newkey", "ed25519"], "Ed25519"),
        (&["-newkey", "rsa:2048"], "Ps256"),
    ];
    for (kind, algorithm) in kinds {
        let signer = open(authority.signer(kind, 90).await.unwrap());
        let said = signer.unwrap_or_else(|fault| panic!("{algorithm}: {fault}")).describe();
        assert!(said.contains("CN=A signer"), "{said}");
        let days = [89, 90].map(|days| format!("signs by {algorithm}, for {days} more days"));
        assert!(days.iter().any(|days| said.ends_with(days)), "{said}");
    }
}

#[tokio::test]
async fn what_cannot_sign_is_told_before_the_first_job_and_nothing_of_the_key() {
    let authority = Authority::new().await.unwrap();
    let [good, key] = authority.signer(&EC, 2).await.unwrap();
    let [ended, ended_key] = authority.signer(&EC, -1).await.unwrap();
    let [_, other] = authority.signer(&["-newkey", "ed25519"], 2).await.unwrap();
    let [server, server_key] = authority.server();
    let said = |pair| open(pair).err().map(|fault| fault.to_string());
    let has_ended = said([ended, ended_key]).unwrap();
    assert!(has_ended.contains("CN=A signer") && has_ended.contains("1 days ago"), "{has_ended}");
    let none = said([key.clone(), key.clone()]).unwrap();
    assert!(none.starts_with("it holds no certificate in PEM"), "{none}");
    for pair in [[good.clone(), other], [server, server_key], [good.clone(), good.clone()]] {
        let text = std::fs::read_to_string(&pair[1]).unwrap();
        let secret = text.lines().nth(1).unwrap();
        let said = said(pair).expect("it cannot sign");
        assert!(!said.is_empty() && !said.contains(secret), "{said}");
    }
    assert_eq!(said([good, key]), None);
}
