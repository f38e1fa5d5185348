//! Secrets go in by value or by file; no page, no fault and no debug print holds one.

use secrecy::ExposeSecret;

use super::*;

#[test]
fn a_secret_may_lie_in_a_file() {
    let folder = folder();
    let secret = folder.path().join("redis");
    std::fs::write(&secret, "redis://:canary@host\n").unwrap();
    let sources = required().set("REDIS_URL_FILE", &secret.display().to_string());
    let both = faults(&sources);
    assert_eq!(both, ["REDIS_URL_FILE: and REDIS_URL are both set; keep one"]);
    let sources = sources.unset("REDIS_URL");
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.queue.redis_url.expose_secret(), "redis://:canary@host");
    let missing = faults(&sources.set("REDIS_URL_FILE", "/nowhere"));
    assert!(missing[0].starts_with("REDIS_URL_FILE: cannot be read"), "{missing:?}");
}

#[test]
fn no_secret_is_ever_printed() {
    let url = "redis://canary:canary@host:6379/0";
    let sources = required()
        .set("REDIS_URL", url)
        .set("DATABASE_URL", "postgres://canary:canary@host/content")
        .set("AWS_ACCESS_KEY_ID", "the-name-of-a-key")
        .set("AWS_SECRET_ACCESS_KEY", CANARY)
        .set("AWS_SESSION_TOKEN", CANARY);
    let config = Config::load(&sources).unwrap();
    let printed =
        [config.settled.to_toml(), config.settled.to_json().to_string(), format!("{config:?}")];
    for page in printed {
        assert!(!page.contains(CANARY), "{page}");
    }
    assert!(config.settled.to_toml().contains("redis_url = \"redis://***@host:6379/0\"\n"));
    assert!(config.settled.to_toml().contains("database_url = \"postgres://***@host/content\"\n"));
    let token = config.storage.bucket.key.unwrap().session_token.unwrap();
    assert_eq!(token.expose_secret(), CANARY);
    let folder = folder();
    for sources in [
        required().set("REDIS_URL", "http://canary"),
        required().file(&folder, "redis_url = \"redis://:canary@host"),
        required().set("REDIS_URI", "redis://:canary@host"),
    ] {
        let said = format!("{} {:?}", faults(&sources).join(" "), Config::load(&sources));
        assert!(!said.contains(CANARY), "{said}");
    }
}
