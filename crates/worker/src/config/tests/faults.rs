//! Settings that cannot be used go in; the sentence of each comes out, and all of them at once.

use super::*;

/// A setting, a value that it does not take, and what is said of it.
const FAULTS: &[(&str, &str, &str)] = &[
    ("MAX_PARALLEL_TASKS", "0", "is a whole number from 1 to 1024"),
    ("TTS_SLOTS", "many", "is a whole number from 1 to 1024, or auto"),
    ("UPLOAD_TRIES", "-1", "is a whole number from 1 to 100"),
    ("LEASE_TTL", "soon", "is a time from 1s to 3600s, such as \"90s\", \"20m\" or 90"),
    ("OPTIMIZE_FOR_SPEED", "yes", "is true or false"),
    ("AUDIO_BITRATE", "96", "is a rate from 32k to 320k"),
    ("OUTPUT_LOUDNESS", "loud", "is one of podcast, streaming, broadcast"),
    ("QUEUE_NAME", "a b", "is letters, digits, `.`, `_`, `-`"),
    ("LLM_PROVIDER", "command", "is openai or offline"),
    ("TTS_PROVIDER", "piper", "is openai, realtime, command or offline"),
    ("TTS_PROVIDER", "", "is not set; set it to openai, realtime, command or offline"),
    ("TTS_COMMAND", "piper 'x", "has a quote that is never closed"),
    ("TTS_IPA", "{word}", "is a text that holds {ipa}, such as [{word}](/{ipa}/)"),
    ("LEXICON_FILE", "/nowhere", "cannot be read: No such file or directory (os error 2)"),
    ("IMAGE_SIZE", "1920", "is width x height from 512 to 4096, such as 1920x1088"),
    ("TTS_FORMAT", "ogg", "is one of auto, pcm, wav, mp3, flac, opus, aac"),
    (
        "IMAGE_LINK_HOSTS",
        "https://img.example.org",
        "is names of hosts between commas, such as img.example.org, *.example.net",
    ),
    ("IMAGE_PRICE", "-1", "is an amount of US dollars, such as 0.5; 0 for not known"),
    ("LLM_MAX_TOKENS", "63", "is a whole number from 64 to 1000000"),
    ("LLM_STALL_TIMEOUT", "2h", "is a time from 1s to 3600s, such as \"90s\", \"20m\" or 90"),
    ("LLM_API_KEY", "two words", "is letters, digits and marks without blanks"),
    (
        "TTS_BASE_URL",
        "https://me:pass@host/v1",
        "is an address without a password, such as https://api.openai.com/v1",
    ),
    ("STORAGE_URL", "/srv", "is file:// and an absolute path without `%`, or s3://bucket/prefix"),
    (
        "DATABASE_URL",
        "mysql://host",
        "is an address such as postgres://user:password@host/database",
    ),
    (
        "MESSAGES_QUERY",
        "select a, b from c where d = $1",
        "must bind $1, the tenant, and $2, the conversation",
    ),
    (
        "SOURCES_QUERY",
        "select $1, $2",
        "is read with MESSAGES_QUERY only; set both, or none for the sample schema",
    ),
    ("S3_ENDPOINT", "localhost:9000", "is an address such as http://127.0.0.1:9000"),
    ("PUBLIC_BASE_URL", "media", "is an address such as https://media.example.org"),
    ("WORKER_ADDR", "8091", "is an address such as 127.0.0.1:8091, or off"),
    ("LOG_FORMAT", "yaml", "a log format is `auto`, `json` or `pretty`"),
    (
        "REDIS_CA_FILE",
        "/nowhere.pem",
        "the certificates to trust - InvalidClientConfig: /nowhere.pem cannot be read: No such file or directory (os error 2)",
    ),
    (
        "ENCODE_TIMEOUT",
        "9",
        "is two settings: AUDIO_COMPRESSION_TIMEOUT and VIDEO_ENCODING_TIMEOUT",
    ),
    ("REDIS_URI", "x", "is no setting; did you mean REDIS_URL?"),
    ("FFMPEG_PTH", "x", "is no setting; did you mean FFMPEG_PATH?"),
];

#[test]
fn each_fault_has_its_sentence() {
    for (name, value, sentence) in FAULTS {
        assert_eq!(faults(&required().set(name, value)), [format!("{name}: {sentence}")]);
    }
}

#[test]
fn a_file_has_the_same_faults_under_its_own_names() {
    for (text, fault) in [
        ("lease_tl = 3", "lease_tl: is no setting; did you mean lease_ttl?"),
        ("dream = 3", "dream: is no setting of the worker"),
        ("max_attempts = 3", "max_attempts: is not in this version; remove it"),
        ("tts_tries = [1]", "tts_tries: is a text, a number, true or false"),
        ("tts_tries = 0", "tts_tries: is a whole number from 1 to 100"),
        (
            "encode_timeout = 3",
            "encode_timeout: is two settings: audio_compression_timeout and video_encoding_timeout",
        ),
    ] {
        let folder = folder();
        assert_eq!(faults(&required().file(&folder, text)), [fault], "{text}");
    }
}

#[test]
fn all_faults_come_at_once() {
    let folder = folder();
    let none = Sources::default().file(&folder, "dream = 1\nimage_tries = 0");
    let said = faults(&none.set("ENCODE_TIMEOUT", "1").set("REDIS_URI", "1"));
    let named: Vec<&str> = said.iter().filter_map(|line| line.split(':').next()).collect();
    let wanted = [
        "dream",
        "ENCODE_TIMEOUT",
        "REDIS_URI",
        "REDIS_URL",
        "image_tries",
        "LLM_PROVIDER",
        "TTS_PROVIDER",
        "IMAGE_PROVIDER",
        "STORAGE_URL",
        "STILLCAST_HOME",
    ];
    assert_eq!(named, wanted, "{said:#?}");
}

#[test]
fn half_a_key_is_a_fault() {
    for (known, other) in [
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
    ] {
        let said = faults(&required().set(known, CANARY));
        let sentence = format!("{other}: is not set; and {known} is; set both or none");
        assert_eq!(said, [sentence]);
    }
}

#[test]
fn a_certificate_without_its_key_is_a_fault_and_a_key_without_its_certificate() {
    let folder = folder();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (chain, secret) = (file("chain.pem", "any"), file("key.pem", "-----BEGIN canary"));
    let certificate = required().set("C2PA_CERTIFICATE_FILE", &chain);
    let key = required().set("C2PA_KEY_FILE", &secret);
    let without =
        |other: &str, known: &str| format!("{other}: is not set; and {known} is; set both or none");
    assert_eq!(faults(&certificate), [without("C2PA_KEY", "C2PA_CERTIFICATE_FILE")]);
    assert_eq!(faults(&key), [without("C2PA_CERTIFICATE_FILE", "C2PA_KEY")]);
    let neither = required().set("C2PA_CERTIFICATE_FILE", "/nowhere").set("C2PA_KEY", "canary.pem");
    let said = faults(&neither);
    assert!(said[0].starts_with("C2PA_CERTIFICATE_FILE: cannot be read: No such file"), "{said:?}");
    assert!(said[1].starts_with("C2PA_KEY: is a private key in PEM; C2PA_KEY_FILE"), "{said:?}");
    assert!(said.len() == 2 && !said[1].contains(CANARY), "{said:?}");
    let both = Config::load(&certificate.set("C2PA_KEY_FILE", &secret)).unwrap();
    assert!(both.signing.is_some());
    assert!(!format!("{both:?} {}", both.settled.to_toml()).contains(CANARY));
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let folder = folder();
    let sources = required().file(&folder, "lease_ttl = 3\n\nqueue_name = \"x\ntts_tries = 1");
    let said = faults(&sources);
    assert!(said[0].ends_with("worker.toml: is no TOML at line 3"), "{said:?}");
    let nowhere = Sources { file: Some(Path::new("/nowhere.toml").to_owned()), ..required() };
    assert!(faults(&nowhere)[0].starts_with("/nowhere.toml: cannot be read"));
}
