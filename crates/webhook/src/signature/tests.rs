//! Keys and messages of the standard's own examples.

use aws_lc_rs::signature::{ED25519, KeyPair, UnparsedPublicKey};

use super::*;

const SHARED_KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_KEY: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

fn secrets(pairs: &[(&str, &str)]) -> Secrets {
    let pairs: Vec<(&str, SecretString)> =
        pairs.iter().map(|(tenant, key)| (*tenant, SecretString::from(*key))).collect();
    Secrets::new(pairs.iter().map(|(tenant, key)| (*tenant, key))).unwrap()
}

fn signed(secrets: &Secrets, tenant: &str) -> Option<String> {
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    secrets.sign(tenant, id, 1_614_265_330, r#"{"test": 2432232314}"#)
}

#[test]
fn the_example_of_the_standard_is_signed_as_it_says() {
    let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    assert_eq!(signed(&secrets(&[("*", SHARED_KEY)]), "a").as_deref(), Some(signature));
}

#[test]
fn all_active_secrets_of_a_tenant_sign_and_no_others() {
    let both = secrets(&[("acme", SHARED_KEY), ("acme", OTHER_KEY), ("*", OTHER_KEY)]);
    let (acme, others) = (signed(&both, "acme").unwrap(), signed(&both, "else").unwrap());
    assert_eq!(acme.split(' ').count(), 2);
    assert!(acme.ends_with(&others), "{acme} {others}");
    assert_eq!(signed(&secrets(&[("acme", SHARED_KEY)]), "else"), None);
    assert!(!format!("{both:?}").contains("MfKQ"));
}

#[test]
fn a_pair_signs_and_its_public_half_verifies() {
    let seed = [7_u8; 32];
    let public = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let public = public.public_key().as_ref().to_vec();
    for bytes in [seed.to_vec(), [seed.to_vec(), public.clone()].concat()] {
        let key = format!("whsk_{}", BASE64.encode(bytes));
        let signature = signed(&secrets(&[("*", &key)]), "a").unwrap();
        let signature = BASE64.decode(signature.strip_prefix("v1a,").unwrap()).unwrap();
        let content = br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
        UnparsedPublicKey::new(&ED25519, &public).verify(content, &signature).unwrap();
    }
}

#[test]
fn what_is_no_key_is_refused_and_never_repeated() {
    let of = |prefix: &str, bytes: usize| format!("{prefix}{}", BASE64.encode(vec![1; bytes]));
    for text in [
        String::new(),
        "secret".to_owned(),
        "whsec_".to_owned(),
        "whsec_secret!".to_owned(),
        of("whsec_", 23),
        of("whsec_", 65),
        of("whsk_", 31),
        of("whsk_", 33),
        of("whsk_", 64),
        of("whpk_", 32),
    ] {
        let error = SigningKey::parse(&text).err().unwrap();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
    for good in [of("whsec_", 24), of("whsec_", 64), of("whsk_", 32)] {
        assert!(SigningKey::parse(&good).is_ok());
        assert!(SigningKey::parse(good.trim_end_matches('=')).is_ok(), "without padding");
    }
}
