//! Names go in; whether each is a setting, a slip, or nobody's business comes out.

use super::*;

#[test]
fn slips_are_named_and_strangers_ignored() {
    for (slip, meant) in [
        ("REDIS_URI", "REDIS_URL"),
        ("redis_url", "REDIS_URL"),
        ("MAX_PARALLELTASK", "MAX_PARALLEL_TASKS"),
    ] {
        let sentence = format!("{slip}: is no setting; did you mean {meant}?");
        assert_eq!(faults(&required().set(slip, "x")), [sentence]);
    }
    // What shells, systemd, Kubernetes and cargo put there.
    for stranger in [
        "PATH",
        "HOME",
        "TMPDIR",
        "LANG",
        "SHLVL",
        "HOSTNAME",
        "REDIS_PORT",
        "REDIS_HOST",
        "REDIS_SERVICE_HOST",
        "RUST_BACKTRACE",
        "RUST_LOG_STYLE",
        "LOG_LEVEL",
        "HTTP_ADDR",
        "INVOCATION_ID",
        "NOTIFY_SOCKET",
        "CARGO_HOME",
        "TTY",
        "EDITOR",
        "QUEUE_URL",
        "STORAGE_CLASS",
        "IMAGE_TAG",
        "IMAGE_NAME",
        "FFMPEG_BIN",
        "API_TOKENS",
        "AWS_PROFILE",
        "AWS_ROLE_ARN",
        "AWS_DEFAULT_REGION",
        "PGPASSWORD",
    ] {
        let config = Config::load(&required().set(stranger, "x")).unwrap();
        assert!(config.settled.notes().is_empty(), "{stranger}: {:?}", config.settled.notes());
    }
}

#[test]
fn what_a_later_version_reads_is_noted_and_strangers_are_not() {
    let sources = required().set("MAX_ATTEMPTS", "x").set("EDITOR", "x").set("REDIS_PORT", "1");
    let settled = Config::load(&sources).unwrap().settled;
    assert_eq!(settled.notes(), ["MAX_ATTEMPTS is set, and does nothing in this version"]);
}

#[test]
fn no_two_settings_could_be_a_slip_of_each_other_unseen() {
    for name in KNOBS.not_yet {
        let sources = required().set(&name.to_ascii_uppercase(), "x");
        let config = Config::load(&sources).unwrap();
        assert_eq!(config.settled.notes().len(), 1, "{name} has landed");
    }
    let json = Config::load(&required()).unwrap().settled.to_json();
    let known: Vec<_> = KNOBS.names().filter(|name| json.get(name).is_some()).collect();
    assert_eq!(known, KNOBS.names().collect::<Vec<_>>());
}

#[test]
fn a_value_that_is_no_text_is_a_fault_of_a_setting_and_nobody_s_elsewhere() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let bytes = OsString::from_vec(b"\xff".to_vec());
    let more = |name: &str| {
        let pair = (OsStr::new(name), bytes.as_os_str());
        let environment = required().environment.iter().chain([pair]).collect();
        Sources { file: None, environment }
    };
    assert_eq!(faults(&more("TTS_VOICE")), ["TTS_VOICE: is not valid UTF-8"]);
    assert!(Config::load(&more("EDITOR")).is_ok());
}
