//! `stillcast doctor` among real neighbours: all of them well, each of them broken, and a bundle for
//! whoever helps.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use child::Spec;
use serde_json::Value;
use stillcast_enqueue::capability::Capability;
use stillcast_enqueue::{ErrorReport, StageName};
use tests::bucket::{ACCESS_KEY, BUCKET, Bucket, SECRET_KEY};
use tests::postgres::Postgres;
use tests::program::{Program, Ran, binary};
use tests::server::Server;
use tests::simulator::{Key, Keys, Options, Simulator};

use crate::support::CommandHarness;

/// The lines that tell how fast or how crowded this machine is; a busy one may earn a warning.
const MEASURED: [&str; 10] = [
    "redis-latency",
    "redis-scripts",
    "cache-latency",
    "cache-hits",
    "database-messages",
    "database-sources",
    "upload",
    "disk",
    "cpu",
    "memory",
];

/// Every neighbour that a fleet can have.
struct Neighbours {
    redis: Server,
    cache: Server,
    postgres: Postgres,
    bucket: Bucket,
    simulator: Simulator,
    program: Program,
}

impl Neighbours {
    async fn well() -> Self {
        let (redis, cache) = tokio::join!(Server::start(), Server::start_everysec());
        let (redis, cache) = (redis.unwrap(), cache.unwrap());
        let (postgres, bucket) = tokio::join!(Postgres::start(), Bucket::moto());
        let (postgres, bucket) = (postgres.unwrap(), bucket.unwrap());
        let keys = Capability::ALL
            .iter()
            .fold(Keys::default(), |keys, capability| keys.with(&key(*capability), Key::default()));
        let options = Options { keys, ..Options::quick(redis.folder()) };
        let simulator = Simulator::start(options).await.unwrap();
        let program = Program::stillcast(&redis.folder().join("home"))
            .providers("openai")
            .env("REDIS_URL", redis.url())
            .env("CACHE_REDIS_URL", cache.url())
            .env("DATABASE_URL", postgres.database("content").await.unwrap())
            .env("STORAGE_URL", format!("s3://{BUCKET}/a/prefix"))
            .env("S3_ENDPOINT", bucket.endpoint())
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("OPENAI_BASE_URL", simulator.base_url());
        let program = Capability::ALL.into_iter().fold(program, |program, capability| {
            program.env(&format!("{capability}_API_KEY"), key(capability))
        });
        let _ = program.run(&["migrate"]).await.unwrap().expect(0);
        Self { redis, cache, postgres, bucket, simulator, program }
    }

    /// This one line is `severity`, and says these words and what to do; no other is worse than well. The
    /// exit code follows.
    async fn told(&self, program: &Program, (about, severity): (&str, &str), words: [&str; 2]) {
        let ran = program.run(&["doctor", "--json"]).await.unwrap();
        let findings = findings(&ran);
        let of = |finding: &Value| finding["about"] == about && finding["severity"] == severity;
        let line = findings.iter().find(|finding| of(finding));
        let line = line.unwrap_or_else(|| panic!("no {severity} of {about}: {findings:#?}"));
        let (found, cure) = (text(line, "found"), text(line, "cure"));
        assert!(found.contains(words[0]) && cure.contains(words[1]), "{line:#}");
        for other in findings.iter().filter(|finding| finding["about"] != about) {
            assert!(is_well(other), "{about} is broken, and of another is said: {other:#}");
        }
        let is_error = severity == "error";
        assert_eq!(
            (ran.code, ran.stderr.contains("1 line is an error")),
            (is_error.into(), is_error)
        );
    }
}

fn key(capability: Capability) -> String {
    format!("sk-canary-{capability}-5521")
}

fn findings(ran: &Ran) -> Vec<Value> {
    let page: Value = ran.json();
    let findings = page["findings"].as_array().unwrap().clone();
    let is_ok = findings.iter().all(|finding| finding["severity"] != "error");
    assert_eq!(page["ok"], is_ok, "{page:#}");
    findings
}

fn text(finding: &Value, field: &str) -> String {
    finding[field].as_str().unwrap_or_default().to_owned()
}

/// Each point of the predecessor's list leads to lines, and each of them is there.
fn assert_leads_to(lines: &[String]) {
    let readme = include_str!("../../../README.md");
    let (_, table) = readme.split_once("| its list says | the lines |\n|---|---|\n").unwrap();
    let rows: Vec<&str> = table.lines().take_while(|row| row.starts_with('|')).collect();
    assert_eq!(rows.len(), 5, "the list has five points");
    for row in rows {
        let words: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        let are_there = words.iter().all(|word| lines.iter().any(|line| line == word));
        assert!(!words.is_empty() && are_there, "{row}");
    }
}

/// As it should be, but for what a busy machine makes slow.
fn is_well(finding: &Value) -> bool {
    let is_measured = MEASURED.contains(&&*text(finding, "about"));
    finding["severity"] == "ok" || (is_measured && finding["severity"] == "warning")
}

#[tokio::test]
async fn where_all_is_well_every_line_says_so_and_nothing_is_bought_or_left() {
    let well = Neighbours::well().await;
    let ran = well.program.run(&["doctor", "--json"]).await.unwrap().expect(0);
    let findings = findings(&ran);
    let about: Vec<String> = findings.iter().map(|finding| text(finding, "about")).collect();
    let wanted = "redis redis-latency redis-memory redis-scripts clock cache cache-latency cache-hits \
                  database database-messages database-sources outbox storage upload transcript tts \
                  image ffmpeg hardware c2pa scratch disk files cpu memory";
    assert_eq!(about.join(" "), wanted);
    assert_leads_to(&about);
    for finding in &findings {
        assert!(is_well(finding), "{finding:#}");
        assert_eq!(finding["cure"].is_null(), finding["severity"] == "ok", "{finding:#}");
    }
    // People read the same lines.
    let lines = well.program.run(&["doctor"]).await.unwrap().expect(0).stdout;
    let first_two = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let read: Vec<String> = lines.lines().map(first_two).collect();
    for (line, about) in read.iter().zip(&about) {
        let is_measured = MEASURED.contains(&&**about);
        assert!(line.ends_with(about) && (is_measured || line.starts_with("ok ")), "{lines}");
    }
    assert_eq!(read.len(), about.len(), "{lines}");
    assert_eq!(well.simulator.purchases().len(), 0, "nothing is bought");
    let writer = findings.iter().find(|finding| finding["about"] == "transcript").unwrap();
    assert!(text(writer, "found").contains("the key is accepted"), "{writer:#}");
    assert_eq!(well.bucket.objects().await.unwrap(), [""; 0], "what was put is taken away");
}

#[tokio::test]
async fn a_broken_redis_is_told_by_its_line_and_the_others_stay() {
    let well = Neighbours::well().await;
    let Neighbours { redis, cache, program, .. } = &well;
    redis.configure("maxmemory-policy", "allkeys-lru").await.unwrap();
    well.told(program, ("redis", "error"), ["`allkeys-lru`", "noeviction"]).await;
    redis.configure("maxmemory-policy", "noeviction").await.unwrap();
    redis.configure("appendonly", "no").await.unwrap();
    well.told(program, ("redis", "warning"), ["appendonly is off", "appendonly yes"]).await;
    redis.configure("appendonly", "yes").await.unwrap();
    // Large enough that a few connections more make no difference.
    redis.fill(32 << 20).await.unwrap();
    let full = (redis.told("used_memory").await.unwrap() * 11 / 10).to_string();
    redis.configure("maxmemory", &full).await.unwrap();
    well.told(program, ("redis-memory", "warning"), [" used of ", "maxmemory"]).await;
    redis.configure("maxmemory", "0").await.unwrap();
    cache.stand_still().unwrap();
    well.told(program, ("cache", "error"), ["", "CACHE_REDIS_URL"]).await;
    cache.go_on().unwrap();
    let nobody = program.clone().env("CACHE_REDIS_URL", "redis://127.0.0.1:1");
    well.told(&nobody, ("cache", "error"), ["", "CACHE_REDIS_URL"]).await;
}

#[tokio::test]
async fn a_broken_store_or_database_is_told_by_its_line_and_the_others_stay() {
    let well = Neighbours::well().await;
    let Neighbours { postgres, program, .. } = &well;
    let empty = postgres.database("empty").await.unwrap();
    let unmigrated = program.clone().env("DATABASE_URL", &empty);
    well.told(&unmigrated, ("database", "error"), ["lacks 20261123000001", "stillcast migrate"])
        .await;
    let many = "create table said (org text, talk uuid, who text, what text); \
                insert into said select 'acme', gen_random_uuid(), 'user', repeat('word ', 20) \
                from generate_series(1, 60000); analyze said";
    postgres.execute("empty", many).await.unwrap();
    let query = "select who, what from said where org = $1 and talk = $2";
    let unindexed = unmigrated.env("MESSAGES_QUERY", query);
    let words = ["reading all of said", "create an index"];
    well.told(&unindexed, ("database-messages", "warning"), words).await;
    postgres.execute("empty", "create index on said (talk)").await.unwrap();
    let ran = unindexed.run(&["doctor", "--json"]).await.unwrap().expect(0);
    let is_read_whole = |finding: &Value| text(finding, "found").contains("reading all");
    assert!(!findings(&ran).iter().any(is_read_whole), "{ran:?}");
    let bucketless = program.clone().env("STORAGE_URL", "s3://nobody-has-made-it");
    well.told(&bucketless, ("storage", "error"), ["NoSuchBucket", "make the bucket"]).await;
}

#[tokio::test]
async fn a_broken_provider_or_encoder_is_told_by_its_line_and_the_others_stay() {
    let well = Neighbours::well().await;
    let Neighbours { redis, simulator, program, .. } = &well;
    simulator.set_revoked(&key(Capability::Tts), true);
    well.told(program, ("tts", "error"), ["TTS_API_KEY", "correct the key"]).await;
    simulator.set_revoked(&key(Capability::Tts), false);
    let poor = poor_ffmpeg(redis.folder());
    let poor = program.clone().env("FFMPEG_PATH", poor);
    well.told(&poor, ("ffmpeg", "error"), ["libx264", "install a full build"]).await;
    let nowhere = program.clone().env("FFMPEG_PATH", "/nowhere/ffmpeg");
    well.told(&nowhere, ("ffmpeg", "error"), ["was not found", "apt-get install -y ffmpeg"]).await;
    let wrong = program.clone().env("TTS_SLOTS", "many");
    let ran = wrong.run(&["doctor"]).await.unwrap().expect(1);
    let line = ran.stdout.lines().find(|line| line.contains("TTS_SLOTS")).unwrap();
    assert!(line.starts_with("error") && line.contains("mend this setting"), "{line}");
}

/// An FFmpeg that was built without the encoder of films.
fn poor_ffmpeg(folder: &Path) -> PathBuf {
    let path = folder.join("poor-ffmpeg");
    let script = "#!/bin/sh\ncase \"$*\" in *libx264*)\n\
                  echo \"Unknown encoder 'libx264'\" >&2; exit 1;; esac\nexec ffmpeg \"$@\"\n";
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn without_a_worker_beside_it_it_says_what_was_not_asked() {
    let harness = CommandHarness::start().await;
    let program = binary("stillcast");
    let alone = tempfile::tempdir_in(program.parent().unwrap()).unwrap();
    let alone = alone.path().join("stillcast");
    std::fs::hard_link(program, &alone).unwrap();
    let store = format!("file://{}/store", harness.server.folder().display());
    let program = Program::at(&alone)
        .env("STILLCAST_HOME", harness.server.folder().join("home"))
        .env("PATH", "/usr/bin:/bin")
        .env("REDIS_URL", harness.server.url())
        .env("STORAGE_URL", store);
    let ran = program.run(&["doctor"]).await.unwrap().expect(0);
    let line =
        ran.stdout.lines().find(|line| line.contains("stillcast-worker is not here")).unwrap();
    assert!(line.starts_with("warning") && line.contains("where workers run"), "{line}");
    // A Redis that is away takes no other line along.
    let nobody = program.env("REDIS_URL", "redis://127.0.0.1:1");
    let ran = nobody.run(&["doctor", "--json"]).await.unwrap().expect(1);
    for (about, severity) in [("redis", "error"), ("storage", "ok"), ("files", "ok")] {
        let findings = findings(&ran);
        let line = findings.iter().find(|finding| finding["about"] == about).unwrap();
        assert_eq!(line["severity"], severity, "{line:#}");
    }
}

/// Everything that must not leave the house, and how it gets to where a bundle is made of.
async fn planted(harness: &CommandHarness) -> Program {
    let user = ["ACL", "SETUSER", "operator", "on", ">canary-redis", "~*", "&*", "+@all"];
    harness.server.say(&user).await.unwrap();
    // From here on Redis remembers every call with its words.
    harness.server.configure("slowlog-log-slower-than", "0").await.unwrap();
    let id = harness.enqueue(&["--metadata", "who=canary-metadata"]).await;
    let error = ErrorReport {
        stage: Some(StageName::Tts),
        provider: Some("command".to_owned()),
        code: "voice-unknown".to_owned(),
        message: "it could not say `canary-words`".to_owned(),
    };
    harness.fail_next_of(&id, error).await;
    let port = harness.server.port();
    let secrets = [
        ("LLM_API_KEY", "canary-llm".to_owned()),
        ("OPENAI_API_KEY", "canary-openai".to_owned()),
        ("DATABASE_URL", "postgres://me:canary-database@127.0.0.1:1/content".to_owned()),
        ("CACHE_REDIS_URL", format!("redis://operator:canary-redis@127.0.0.1:{port}")),
        ("REDIS_URL", format!("redis://operator:canary-redis@127.0.0.1:{port}")),
        ("AWS_ACCESS_KEY_ID", "an-identifier".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "canary-aws".to_owned()),
        ("API_TOKENS", "admin:canary-token-of-length:*:admin".to_owned()),
        ("ALERT_WEBHOOK_URL", "https://hooks.example.org/canary-hook".to_owned()),
        ("ALERT_WEBHOOK_SECRET", "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5".to_owned()),
        ("NOBODYS_PASSWORD", "canary-foreign".to_owned()),
    ];
    let program = harness.program.clone().providers("offline");
    secrets.into_iter().fold(program, |program, (name, value)| program.env(name, value))
}

#[tokio::test]
async fn a_bundle_holds_what_helps_and_no_secret_and_no_private_text() {
    let harness = CommandHarness::start().await;
    let program = planted(&harness).await;
    let file = harness.server.folder().join("incident.tar.gz");
    let ran = program.run(&["doctor", "--bundle", file.to_str().unwrap()]).await.unwrap();
    // The database is nobody's.
    let ran = ran.expect(1);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only its owner reads it");
    let unpacking =
        Spec::new("tar").args(["--extract", "--gzip", "--to-stdout", "--file"]).arg(&file);
    let (bytes, _) = unpacking.output(8 << 20).await.unwrap();
    let all = String::from_utf8(bytes).unwrap();
    let whole = format!("{all}{ran:?}");
    for private in ["canary", "Y2FuYXJ5", "along the shore"] {
        assert!(!whole.contains(private), "{private} got out: {whole}");
    }
    for part in [
        "\"about\": \"redis\"",
        "\"severity\": \"error\"",
        "\"stillcast-worker\"",
        "\"voice-unknown\"",
        "\"max_parallel_tasks\": 4",
        "redis://***@127.0.0.1",
        "\"history\"",
    ] {
        assert!(all.contains(part), "{part} is missing in {all}");
    }
}
