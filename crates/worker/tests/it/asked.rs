//! `--check --probe` asks who writes, speaks and paints, and buys nothing.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use stillcast_enqueue::capability::Capability;
use tests::simulator::{Endpoint, Fault, Latency};

use crate::harness::{Ended, WorkerHarness, free_address, get, until};
use crate::paid_harness::{PaidHarness, key};

/// The exit code, and what is said of these three.
async fn probe(harness: &WorkerHarness) -> (i32, [(bool, String); 3]) {
    let Ended { code, stdout, stderr } = harness.run(&["--check", "--probe", "--json"]).await;
    for secret in Capability::ALL.map(key) {
        assert!(!stdout.contains(&secret) && !stderr.contains(&secret), "{stdout}{stderr}");
    }
    let page: Value = serde_json::from_str(&stdout).unwrap();
    let findings = page["probes"].as_array().unwrap();
    let of = |part: &str| {
        let found = findings.iter().find(|finding| finding["part"] == part).unwrap();
        (found["ok"].as_bool().unwrap(), found["message"].as_str().unwrap().to_owned())
    };
    (code, Capability::ALL.map(|capability| of(capability.stage().as_str())))
}

#[tokio::test]
async fn good_keys_are_found_good_and_refused_ones_by_the_name_of_their_setting() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let harness = paid.harness().set("TTS_MODEL", "a-voice-of-ours");
    let (code, [writer, speaker, painter]) = probe(&harness).await;
    assert_eq!(code, 0, "{writer:?} {speaker:?} {painter:?}");
    let manner = "asked with `max_completion_tokens` = 1600 (LLM_MAX_TOKENS), `stream`, \
                  `stream_options`, `reasoning_effort`; at most 60s of silence (LLM_STALL_TIMEOUT)";
    let found = format!("the key is accepted, and gpt-6-luna is there; {manner}");
    assert_eq!(writer, (true, found));
    assert!(speaker.1.contains("is TTS_MODEL right?"), "{speaker:?}");
    for capability in Capability::ALL {
        paid.simulator.set_revoked(&key(capability), true);
    }
    let (code, found) = probe(&harness).await;
    assert_eq!(code, 69);
    for ((ok, message), capability) in found.iter().zip(Capability::ALL) {
        assert!(!ok && message.contains(&format!("set {capability}_API_KEY")), "{message}");
    }
    let none: Vec<_> = paid.simulator.purchases();
    assert!(none.is_empty(), "a probe has bought {none:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_is_shut_down_some_day_is_named_at_the_start_and_shown() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let address = free_address().await;
    let harness = paid.harness().set("WORKER_ADDR", &address.to_string());
    let (_, [writer, speaker, _]) = probe(&paid.harness()).await;
    assert!(!writer.1.contains("shut down"), "{writer:?}");
    assert!(
        speaker.1.contains("until 2027-01-06") && speaker.1.contains("TTS_MODEL"),
        "{speaker:?}"
    );
    let worker = harness.start(&[]).await;
    let line = until("it is shown", async || {
        let page = get(address, "/metrics").await?;
        let is_shown =
            |line: &&str| line.starts_with("stillcast_model_shutdown_timestamp_seconds{");
        let lines: Vec<&str> = page.lines().filter(is_shown).collect();
        assert!(lines.len() < 2, "{lines:?}");
        lines.first().map(|line| (*line).to_owned())
    })
    .await;
    assert!(line.contains("stage=\"tts\",model=\"gpt-4o-mini-tts\"} 1799193600"), "{line}");
    let log = worker.log();
    assert!(log.contains("gpt-4o-mini-tts (TTS_MODEL)") && log.contains("2027-01-06"), "{log}");
    assert!(!log.contains("gpt-6-luna (LLM_MODEL)"), "{log}");
}

#[tokio::test]
async fn each_answer_of_a_server_means_what_it_should() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let denied = Fault::status(403, "");
    let says = |status| Fault::status(status, "");
    for (fault, code, words) in [
        (says(404), 0, "no list of models"),
        (says(405), 0, "no list of models"),
        (says(429), 0, "too many calls"),
        (denied, 69, "LLM_API_KEY or OPENAI_API_KEY the right to list models"),
        (says(503), 69, "a fault of its own"),
        (Fault::Html, 69, "is a web page, not JSON; is LLM_BASE_URL right?"),
        (Fault::InvalidUtf8, 69, "not valid UTF-8"),
        (Fault::Stall, 69, "no answer within 10 s"),
    ] {
        let harness =
            paid.harness().set("TTS_PROVIDER", "offline").set("IMAGE_PROVIDER", "offline");
        paid.simulator.script(Endpoint::Models, [Some(fault.clone())]);
        let (ended, [writer, speaker, _]) = probe(&harness).await;
        assert!(ended == code && writer.1.contains(words), "{fault:?}: {ended} {writer:?}");
        assert_eq!((writer.0, speaker), (code == 0, (true, "offline".to_owned())));
    }
    // Nobody listens there.
    let (code, [writer, ..]) =
        probe(&paid.harness().set("LLM_BASE_URL", "http://127.0.0.1:9")).await;
    assert!(code == 69 && !writer.0 && writer.1.contains("cannot be reached"), "{writer:?}");
}

#[tokio::test]
async fn a_voice_of_this_machine_is_looked_for_and_not_started() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let harness = paid.harness();
    let program = harness.folder().join("voice");
    let started = harness.folder().join("started");
    std::fs::write(&program, format!("#!/bin/sh\ntouch {}\n", started.display())).unwrap();
    let command = format!("{} --fast", program.display());
    let harness = harness.set("TTS_PROVIDER", "command").set("TTS_COMMAND", &command);
    let (code, [_, voice, _]) = probe(&harness).await;
    assert!(code == 69 && voice.1.contains("is it executable?"), "{voice:?}");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let (code, [_, voice, _]) = probe(&harness).await;
    assert_eq!((code, voice), (0, (true, program.display().to_string())));
    assert!(!started.exists());
    let (code, [_, voice, _]) = probe(&harness.set("TTS_COMMAND", "no-such-voice")).await;
    assert!(code == 69 && voice.1.contains("no-such-voice was not found"), "{voice:?}");
    let (code, [_, voice, _]) =
        probe(&paid.harness().set("TTS_PROVIDER", "command").set("TTS_COMMAND", "sh -c true"))
            .await;
    assert!(code == 0 && voice.1.ends_with("/sh"), "found in PATH: {voice:?}");
}
