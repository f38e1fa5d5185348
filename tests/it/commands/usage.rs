//! What a person does wrong, or does not have: each with its exit code and one sentence.

use tests::program::Program;

use crate::support::CommandHarness;

/// Every command, as far as its help.
const COMMANDS: [&[&str]; 21] = [
    &["make"],
    &["dev"],
    &["doctor"],
    &["warm"],
    &["enqueue"],
    &["job", "show"],
    &["job", "watch"],
    &["job", "cancel"],
    &["job", "replay"],
    &["job", "resend-webhook"],
    &["job", "purge"],
    &["jobs"],
    &["queue", "stats"],
    &["queue", "pause"],
    &["queue", "resume"],
    &["queue", "verify"],
    &["outbox", "show"],
    &["outbox", "resend"],
    &["dead", "list"],
    &["dead", "replay"],
    &["dead", "purge"],
];

fn program() -> (tempfile::TempDir, Program) {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::stillcast(folder.path());
    (folder, program)
}

#[tokio::test]
async fn every_command_has_help_with_an_example() {
    let (_folder, program) = program();
    for command in COMMANDS {
        let args: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let help = program.run(&args).await.unwrap().expect(0).stdout;
        let example = format!("\n  stillcast {}", command.join(" "));
        assert!(help.contains("Example") && help.contains(&example), "{command:?}: {help}");
        assert!(help.contains("--json"), "{command:?} has no --json");
    }
}

#[tokio::test]
async fn usage_is_2() {
    let (folder, program) = program();
    let empty = folder.path().join("empty.txt");
    std::fs::write(&empty, " \n").unwrap();
    let empty = empty.to_str().unwrap();
    let text = folder.path().join("text.txt");
    std::fs::write(&text, "Rain.").unwrap();
    let text = text.to_str().unwrap();
    for (args, words) in [
        (vec!["make", "--text", "/no/such/file"], "/no/such/file cannot be read"),
        (vec!["make", "--text", empty], "`source.text` takes words"),
        (vec!["make", "--text", text, "--language", "de"], "--language takes en here"),
        (vec!["make", "--text", text, "--say", "sea"], "it takes WORD=SAID"),
        (vec!["make", "--text", text, "--say", "sea=<b>"], "`options.lexicon` takes for each word"),
        (
            vec!["make", "--text", empty, "--format", "hologram"],
            "`format` takes `audio` or `video`",
        ),
        (vec!["make", "--text", empty, "--timeout", "soon"], "5m"),
        (vec!["make", "--text", empty, "--fresh", "--variant", "3"], "--variant"),
        (vec!["make", "--text", text, "--tenant", "a/b"], "`tenant`"),
        (vec!["enqueue", "--text", empty, "--language", "en US"], "language"),
        (vec!["enqueue", "--json-request", empty, "--tenant", "acme"], "--json-request"),
        (vec!["jobs", "--state", "lost"], "the states are"),
        (vec!["jobs", "--cursor", "x"], "`cursor`"),
        (vec!["enqueue"], "--text"),
        (vec!["dead", "purge"], "--all"),
        (vec!["job", "replay", "a", "--set", "voice"], "OPTION=VALUE"),
        (vec!["frobnicate"], "frobnicate"),
    ] {
        let ran = program.run(&args).await.unwrap().expect(2);
        assert!(ran.stderr.contains(words) && ran.stdout.is_empty(), "{args:?}: {ran:?}");
    }
}

#[tokio::test]
async fn without_a_queue_it_is_69_and_says_what_to_start() {
    let (_folder, program) = program();
    let ran = program.run(&["jobs"]).await.unwrap().expect(69);
    let _ = ran.saying("REDIS_URL is not set").saying("stillcast dev");
    let nobody = program.env("REDIS_URL", "redis://127.0.0.1:1");
    let _ = nobody.run(&["queue", "stats"]).await.unwrap().expect(69).saying("REDIS_URL");
}

#[tokio::test]
async fn a_wrong_setting_is_78() {
    let (_folder, program) = program();
    let address = program.clone().env("REDIS_URL", "http://somewhere");
    let _ = address.run(&["jobs"]).await.unwrap().expect(78).saying("REDIS_URL");
    let program = program.env("REDIS_URL", "redis://127.0.0.1:1");
    let name = program.clone().env("QUEUE_NAME", "a/b");
    let _ = name.run(&["jobs"]).await.unwrap().expect(78).saying("QUEUE_NAME");
    let slip = program.env("REDIS_ULR", "redis://elsewhere");
    let _ = slip.run(&["jobs"]).await.unwrap().expect(78).saying("did you mean REDIS_URL?");
}

#[tokio::test]
async fn all_wrong_settings_are_said_at_once_and_no_secret_with_them() {
    let (_folder, program) = program();
    let wrong = [
        ("REDIS_URL", "http://:canary@somewhere"),
        ("DATABASE_URL", "mysql://canary@somewhere"),
        ("STORAGE_URL", "ftp://canary@somewhere"),
        ("S3_ENDPOINT", "canary:9000"),
        ("AWS_SECRET_ACCESS_KEY", "canary"),
        ("AWS_SESSION_TOKEN_FILE", "/nowhere/canary"),
    ];
    let program = wrong.iter().fold(program, |program, (name, value)| program.env(name, *value));
    for command in [&["jobs"][..], &["queue", "stats"], &["migrate"]] {
        let ran = program.run(command).await.unwrap().expect(78);
        let named = ["REDIS_URL", "DATABASE_URL", "STORAGE_URL", "S3_ENDPOINT"];
        for name in named.iter().chain(&["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN_FILE"]) {
            assert!(ran.stderr.contains(&format!("\n  {name}: ")), "{ran:?}");
        }
        assert!(!ran.stderr.contains("canary") && ran.stdout.is_empty(), "{ran:?}");
    }
}

#[tokio::test]
async fn what_only_the_workers_know_is_nobodys_business_here() {
    let (_folder, program) = program();
    let theirs = [("TTS_SLOTS", "many"), ("ENCODE_TIMEOUT", "9"), ("LLM_PROVIDER", "nobody")];
    let program = theirs.iter().fold(program, |program, (name, value)| program.env(name, *value));
    let _ = program.run(&["jobs"]).await.unwrap().expect(69).saying("REDIS_URL is not set");
}

#[tokio::test]
async fn an_unknown_job_is_1_with_one_sentence() {
    let harness = CommandHarness::start().await;
    for verb in ["show", "watch", "cancel", "replay", "purge"] {
        let ran = harness.run(&["job", verb, "nobody"]).await.expect(1).saying("no job nobody");
        assert_eq!(ran.stdout, "", "{verb}");
    }
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_fault() {
    let harness = CommandHarness::start().await;
    harness.enqueue(&[]).await;
    let mut jobs = harness.program.spawn(&["jobs"]).await.unwrap();
    drop(jobs.stdout.take());
    jobs.wait().await.unwrap();
}
