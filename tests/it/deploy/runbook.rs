//! The runbook of `deploy/README.md`: each section's commands are run as they stand there, in a shell, with
//! processes of this machine in the place of units; what they leave behind comes out.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;
use tests::foreign::root;
use tests::ports::free_address;
use tests::postgres::Postgres;
use tests::program::{Program, Ran, binary};
use tests::server::Server;
use tests::simulator::{Key, Keys, Options, Simulator};

use crate::tools::{Copies, text_of};

/// Every section, each with a test below.
const SECTIONS: [&str; 10] = [
    "Scale",
    "Deploy",
    "Roll back",
    "Drain",
    "Replay",
    "Rotate keys",
    "Restore and lose Redis",
    "Raise limits",
    "Upgrade",
    "Incident bundle",
];

/// The commands in front of all sections, and those of each.
fn book() -> (String, BTreeMap<String, String>) {
    let page = text_of("deploy/README.md");
    let (_, book) = page.split_once("\n## Runbook\n").unwrap();
    let book = book.split("\n## ").next().unwrap();
    let mut parts = book.split("\n### ");
    let first = commands(parts.next().unwrap());
    let section = |part: &str| {
        let (title, text) = part.split_once('\n').unwrap();
        (title.to_owned(), commands(text))
    };
    (first, parts.map(section).collect())
}

/// What stands between fences.
fn commands(text: &str) -> String {
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0).collect()
}

/// A host: its settings, its secrets, two releases, and a queue.
struct Host {
    copies: Copies,
    server: Server,
    told: Vec<(String, String)>,
}

impl Host {
    async fn new() -> Self {
        let (copies, server) = (Copies::new(), Server::start().await.unwrap());
        let host = Self { copies, server, told: Vec::new() };
        host.write("etc/secrets/redis-url", &host.server.url());
        host.write("etc/secrets/openai-api-key", "an-old-key");
        host.write("etc/secrets/api-tokens", "admin:0123456789abcdef0123:*:admin");
        let store = format!("STORAGE_URL=file://{}\n", host.at("store").display());
        host.write("etc/serve.env", &store);
        let makers = "LLM_PROVIDER=offline\nTTS_PROVIDER=offline\nIMAGE_PROVIDER=offline\n";
        host.write("etc/worker.env", &format!("{store}{makers}MAX_PARALLEL_TASKS=4\n"));
        host.program("tools/systemctl", &text_of("tests/it/deploy/systemctl.py"));
        for folder in ["prefix/bin", "release/stillcast/bin"] {
            host.release(folder);
        }
        std::fs::create_dir_all(host.at("run")).unwrap();
        host
    }

    /// Tells the shell, or the workers, one thing more.
    fn told(mut self, name: &str, value: &str) -> Self {
        self.told.push((name.to_owned(), value.to_owned()));
        self
    }

    fn tell_workers(&self, line: &str) {
        let known = std::fs::read_to_string(self.at("etc/worker.env")).unwrap();
        self.write("etc/worker.env", &format!("{known}{line}\n"));
    }

    fn at(&self, name: &str) -> PathBuf {
        self.copies.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        self.copies.write(name, text)
    }

    fn program(&self, name: &str, text: &str) {
        let file = self.write(name, text);
        std::fs::set_permissions(file, PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// Both programs of this build, below a line that says of which release they are.
    fn release(&self, folder: &str) {
        for name in ["stillcast", "stillcast-worker"] {
            let start = format!("exec '{}' \"$@\"\n", binary(name).display());
            self.program(&format!("{folder}/{name}"), &format!("#!/bin/sh\n# {folder}\n{start}"));
        }
    }

    /// Runs a section, behind and before commands of the test, in one shell that must end well; its
    /// processes end with it.
    async fn follow(&self, section: &str, [before, after]: [&str; 2]) -> Ran {
        let (first, sections) = book();
        let pack = "tar --create --gzip --file \"$RELEASE\" --directory ../release stillcast";
        let script = [first.as_str(), pack, before, &sections[section], after].join("\n");
        let path = format!("{}:{}", self.at("prefix/bin").display(), self.at("tools").display());
        let folder = self.at("run");
        let shell = format!("cd '{}'; PATH={path}:$PATH\n{script}", folder.display());
        let program = [
            ("ETC", "etc"),
            ("PREFIX", "prefix"),
            ("BACKUP", "backup"),
            ("RELEASE", "stillcast.tar.gz"),
            ("NEW", "new"),
            ("RUN", "run"),
            ("STILLCAST_HOME", "home"),
        ]
        .into_iter()
        .fold(Program::at("bash"), |program, (name, place)| program.env(name, self.at(place)));
        let told = self.told.iter();
        let program = told.fold(program, |program, (name, value)| program.env(name, value));
        let ran = program.run(&["-euo", "pipefail", "-c", &shell]).await.unwrap();
        assert_eq!(ran.code, 0, "{section}: {ran:#?}\n{}", self.logs());
        ran
    }

    /// What the processes have said.
    fn logs(&self) -> String {
        let files = std::fs::read_dir(self.at("run")).unwrap().map(|entry| entry.unwrap().path());
        let logs = files.filter(|path| path.extension().is_some_and(|end| end == "log"));
        logs.map(|path| std::fs::read_to_string(path).unwrap_or_default()).collect()
    }

    fn says(&self, name: &str, words: &str) -> bool {
        std::fs::read_to_string(self.at(name)).unwrap().contains(words)
    }
}

const TEXT: &str = "The tide came in, and the boats turned around slowly.";
const START: &str = "systemctl start stillcast-worker@1";
const START_ALL: &str = "systemctl start stillcast-worker@1 stillcast-worker@2 stillcast-serve";

/// Enqueues so many jobs; `$IDS` are they.
fn enqueue(jobs: usize) -> String {
    format!(
        "IDS=$(for number in $(seq {jobs}); do echo \"$number. {TEXT}\" | \
         stillcast enqueue --text - --json | grep --only-matching '[0-9a-f-]\\{{36\\}}'; done)"
    )
}

/// Waits for the end of each; the last lines are their records.
const RECORDS: &str = "for id in $IDS; do stillcast job watch \"$id\" >/dev/null; done\n\
                       for id in $IDS; do stillcast job show \"$id\" --json; done";

/// The last so many lines, each a document.
fn last(ran: &Ran, count: usize) -> Vec<Value> {
    let lines: Vec<&str> = ran.stdout.trim_end().lines().collect();
    let lines = lines[lines.len() - count..].iter();
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{ran:#?}"))).collect()
}

fn assert_done_undisturbed(records: &[Value]) {
    for record in records {
        let course = (&record["state"], &record["attempt"], &record["crashes"]);
        assert_eq!(course, (&"done".into(), &1.into(), &0.into()), "{record:#}");
    }
}

#[test]
fn every_section_of_the_runbook_is_followed() {
    let (_, sections) = book();
    let mut wanted = SECTIONS.map(ToOwned::to_owned).to_vec();
    wanted.sort();
    assert_eq!(sections.keys().cloned().collect::<Vec<_>>(), wanted);
    let here = std::fs::read_to_string(root().join("tests/it/deploy/runbook.rs")).unwrap();
    for (section, commands) in sections {
        assert!(here.contains(&format!(".follow(\"{section}\"")), "{section} is not followed");
        assert!(!commands.trim().is_empty(), "{section} has no commands");
    }
}

#[tokio::test]
async fn scaling_adds_a_worker_that_counts() {
    let host = Host::new().await;
    let ran = host.follow("Scale", [START, ""]).await;
    let counted = ran.stdout.lines().find(|line| line.starts_with("workers")).unwrap();
    assert!(counted.ends_with(" 2"), "{ran:#?}");
}

#[tokio::test]
async fn a_deploy_disturbs_no_job_and_keeps_the_old_programs() {
    let host = Host::new().await;
    let before = format!("{START_ALL}\n{}", enqueue(3));
    let ran = host.follow("Deploy", [&before, RECORDS]).await;
    assert_done_undisturbed(&last(&ran, 3));
    assert!(host.says("prefix/bin/stillcast-worker", "# release"), "the new one is there");
    assert!(host.says("backup/stillcast-worker", "# prefix"), "the old one is kept");
}

#[tokio::test]
async fn rolling_back_brings_the_kept_programs_and_disturbs_no_job() {
    let host = Host::new().await;
    host.release("backup");
    let before = format!("{START_ALL}\n{}", enqueue(3));
    let ran = host.follow("Roll back", [&before, RECORDS]).await;
    assert_done_undisturbed(&last(&ran, 3));
    assert!(host.says("prefix/bin/stillcast-worker", "# backup"), "the kept one is there");
}

#[tokio::test]
async fn a_drain_ends_what_is_under_way_and_uses_up_no_attempt() {
    let host = Host::new().await;
    let before = format!("{START_ALL}\n{}", enqueue(3));
    let after = format!("{RECORDS}\nstillcast queue stats --json");
    let ran = host.follow("Drain", [&before, &after]).await;
    let told = last(&ran, 4);
    assert_done_undisturbed(&told[..3]);
    assert_eq!((&told[3]["workers"], &told[3]["paused"]), (&1.into(), &false.into()));
}

#[tokio::test]
async fn a_replay_has_the_dead_begin_again() {
    let host = Host::new().await;
    let before = format!(
        "{START}\necho '{TEXT}' | stillcast enqueue --text - --voice nobody --wait || true\n\
         systemctl stop stillcast-worker@1"
    );
    let ran = host.follow("Replay", [&before, "stillcast queue stats --json"]).await;
    let stats = &last(&ran, 1)[0]["states"];
    assert_eq!((&stats["dead"], &stats["ready"]), (&0.into(), &1.into()), "{ran:#?}");
}

#[tokio::test]
async fn a_new_key_is_taken_where_the_old_one_is_refused() {
    let host = Host::new().await.told("NEW_KEY", "a-new-key");
    let host = host.told("NEW_TOKEN", "0123456789abcdef4567");
    let keys = Keys::default().with("a-new-key", Key::default());
    let options = Options { keys, ..Options::quick(host.copies.path()) };
    let simulator = Simulator::start(options).await.unwrap();
    host.tell_workers("LLM_PROVIDER=openai");
    host.tell_workers(&format!("OPENAI_BASE_URL={}", simulator.base_url()));
    let refused = "stillcast doctor | grep '^error.*transcript' >/dev/null";
    let before = format!("{START}\nset +o pipefail\n{refused}\nset -o pipefail");
    let ran = host.follow("Rotate keys", [&before, ""]).await;
    let line = ran.stdout.lines().find(|line| line.contains("  transcript ")).unwrap();
    assert!(line.starts_with("ok ") && line.contains("the key is accepted"), "{ran:#?}");
    assert!(host.says("etc/secrets/api-tokens", "0123456789abcdef4567"));
}

#[tokio::test]
async fn a_lost_redis_begins_with_its_copy() {
    let host = Host::new().await;
    let port = free_address().await.unwrap().port();
    let data = host.at("redis");
    std::fs::create_dir_all(&data).unwrap();
    // It leaves no copy of its own when it is stopped.
    let conf = format!(
        "save \"\"\nport {port}\nbind 127.0.0.1\ndir {}\nappendonly yes\nappendfsync always\n\
         maxmemory-policy noeviction\nsupervised auto\n",
        data.display()
    );
    let conf = host.write("redis.conf", &conf);
    host.write("etc/secrets/redis-url", &format!("redis://127.0.0.1:{port}"));
    let host = host.told("REDIS_CONF", conf.to_str().unwrap());
    let host = host.told("REDIS_DATA", data.to_str().unwrap());
    let before = format!("systemctl start redis-server\n{}\n{START}", enqueue(2));
    let ran = host.follow("Restore and lose Redis", [&before, RECORDS]).await;
    let records = last(&ran, 2);
    assert!(records.iter().all(|record| record["state"] == "done"), "{ran:#?}");
    assert!(host.says("redis.conf", "appendonly yes"), "what comes now is kept again");
    assert!(data.join("appendonlydir").is_dir(), "and lies there");
}

#[tokio::test]
async fn raised_limits_are_those_of_the_next_start() {
    let host = Host::new().await;
    let ran = host.follow("Raise limits", [START, ""]).await;
    assert_eq!(last(&ran, 1)[0]["workers"][0]["slots"], 8, "{ran:#?}");
}

#[tokio::test]
async fn an_upgrade_asks_the_new_programs_first() {
    let host = Host::new().await;
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database("content").await.unwrap();
    let host = host.told("DATABASE_URL", &url);
    let ran = host.follow("Upgrade", [START, ""]).await;
    assert!(ran.stdout.contains("applied  20261123000001"), "{ran:#?}");
    assert!(host.says("new/settings.toml", "max_parallel_tasks = 4"));
}

#[tokio::test]
async fn a_bundle_is_packed_for_whoever_helps() {
    let host = Host::new().await;
    let ran = host.follow("Incident bundle", [START, ""]).await;
    for part in ["findings", "versions", "settings", "queue"] {
        assert!(ran.stdout.contains(&format!("stillcast-incident/{part}.json")), "{ran:#?}");
    }
}
