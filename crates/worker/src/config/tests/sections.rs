//! The settings of one section go in; what the worker makes of them comes out.

use secrecy::ExposeSecret;
use stillcast_enqueue::{Format, StageName};

use super::*;

#[test]
fn both_encode_time_outs_reach_the_table() {
    let sources =
        required().set("AUDIO_COMPRESSION_TIMEOUT", "41").set("VIDEO_ENCODING_TIMEOUT", "1.5m");
    let policies = Config::load(&sources).unwrap().policies;
    let timeout = |format| policies.timeout(StageName::Encode, format, Duration::ZERO);
    assert_eq!(timeout(Format::Audio), Duration::from_secs(41));
    assert_eq!(timeout(Format::Video), Duration::from_secs(90));
}

#[test]
fn jobs_share_over_the_queue_s_redis_unless_another_is_named() {
    let caching = Config::load(&required()).unwrap().caching;
    assert_eq!((caching.shares, caching.ttl), (true, Duration::from_hours(1)));
    assert_eq!(caching.redis_url.expose_secret(), "redis://localhost");
    let own = required()
        .set("CACHE_REDIS_URL", "redis://:canary@cache")
        .set("CACHE_TTL", "5m")
        .set("USE_CACHING", "false");
    let config = Config::load(&own).unwrap();
    assert_eq!((config.caching.shares, config.caching.ttl), (false, Duration::from_mins(5)));
    assert_eq!(config.caching.redis_url.expose_secret(), "redis://:canary@cache");
    let printed = format!("{} {} {config:?}", config.settled.to_toml(), config.settled.to_json());
    assert!(!printed.contains(CANARY), "{printed}");
    let wrong = faults(&required().set("CACHE_REDIS_URL", "http://x").set("CACHE_TTL", "0"));
    assert_eq!(wrong.len(), 2, "{wrong:?}");
}

#[test]
fn the_home_is_the_users_unless_it_is_set() {
    let sources = required().set("HOME", "/srv/me").unset("STILLCAST_HOME");
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.storage.scratch, Path::new("/srv/me/.local/share/stillcast/scratch"));
    assert_eq!(config.settled.to_json()["stillcast_home"], "/srv/me/.local/share/stillcast");
}

#[test]
fn what_is_bought_has_an_address_a_key_and_a_model() {
    let keyless = required().set("LLM_PROVIDER", "openai").set("IMAGE_PROVIDER", "openai");
    let message = "is not set; set it, or OPENAI_API_KEY, to the account's key";
    let wanted = ["LLM", "IMAGE"].map(|word| format!("{word}_API_KEY: {message}"));
    assert_eq!(faults(&keyless), wanted);
    let sources = keyless
        .set("TTS_PROVIDER", "openai")
        .set("OPENAI_API_KEY", CANARY)
        .set("TTS_BASE_URL", "http://voice:8880/v1/")
        .set("TTS_API_KEY", "own")
        .set("TTS_MODEL", "kokoro")
        .set("LLM_PRICE_OUTPUT", "0.5")
        .set("LLM_STALL_TIMEOUT", "90s");
    let config = Config::load(&sources).unwrap();
    let WriterConfig::OpenAi { account, words } = &config.providers.writer else { panic!() };
    assert_eq!(account.base_url, "https://api.openai.com/v1");
    assert_eq!(account.key.as_ref().unwrap().expose_secret(), CANARY);
    assert_eq!((account.model.as_str(), words.prices), ("gpt-6-luna", (0.0, 0.5)));
    assert_eq!((words.max_tokens, words.stall_timeout), (1_600, Duration::from_secs(90)));
    let SpeakerConfig::OpenAi { account, voice, .. } = &config.providers.speaker else { panic!() };
    assert_eq!((account.base_url.as_str(), voice.as_str()), ("http://voice:8880/v1", "alloy"));
    assert_eq!(account.key.as_ref().unwrap().expose_secret(), "own");
    for page in
        [config.settled.to_toml(), config.settled.to_json().to_string(), format!("{config:?}")]
    {
        assert!(!page.contains(CANARY), "{page}");
    }
    assert_eq!(config.settled.to_json()["openai_api_key"], "***");
}

#[test]
fn a_server_of_one_s_own_may_need_no_key() {
    let sources =
        required().set("LLM_PROVIDER", "openai").set("OPENAI_BASE_URL", "http://localhost:8000/v1");
    let config = Config::load(&sources).unwrap();
    let WriterConfig::OpenAi { account, .. } = &config.providers.writer else { panic!() };
    assert!(account.key.is_none());
}

#[test]
fn a_command_is_words_and_knows_nothing_secret() {
    let command = required().set("TTS_PROVIDER", "command");
    let message = "TTS_COMMAND: is not set; TTS_PROVIDER=command has it speak each passage";
    assert_eq!(faults(&command), [message]);
    let sources = command
        .set("TTS_COMMAND", "piper --model 'my voice.onnx' $HOME")
        .set("PATH", "/usr/bin")
        .set("OPENAI_API_KEY", CANARY);
    let config = Config::load(&sources).unwrap();
    let SpeakerConfig::Command { words, resident, environment } = &config.providers.speaker else {
        panic!()
    };
    assert!(!resident, "a program speaks once, unless it is said to stay");
    assert_eq!(*words, ["piper", "--model", "my voice.onnx", "$HOME"]);
    assert_eq!(*environment, [("PATH".to_owned(), "/usr/bin".to_owned())]);
}

#[test]
fn a_lexicon_is_a_table_a_tenant_and_its_words_are_never_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lexicon.toml");
    let sources = |text: &str| {
        std::fs::write(&file, text).unwrap();
        required().set("LEXICON_FILE", &file.display().to_string())
    };
    let known = Config::load(&sources("['*']\nsea = 'see'\n[acme]\nX = 'ex'\n")).unwrap();
    assert_eq!(known.pronunciation.lexicons.len(), 2);
    for (text, says) in [
        ("sea = 'canary'", "is no TOML of a table a tenant, with words and what is said instead"),
        ("[acme]\nsea = 7\nx = 'canary'", "said instead at line 2"),
        ("['a canary']\nsea = 'see'", "`tenant` takes letters, digits and"),
        ("[acme]\nsea = '<canary>'", "`acme` takes for each word what is said instead"),
        ("[acme]\nsea = '/canary/'", "TTS_IPA: is not set; LEXICON_FILE tells words by IPA"),
    ] {
        let faults = faults(&sources(text));
        assert!(faults[0].contains(says) && !faults[0].contains("canary"), "{faults:?}");
    }
    let told = sources("[acme]\nsea = '/siː/'").set("TTS_IPA", "[{word}](/{ipa}/)");
    assert!(Config::load(&told).unwrap().pronunciation.ipa.is_some());
}
