//! What the files of `deploy/` set goes in; what the programs say of it comes out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tests::program::{Program, binary};

use crate::compose;
use crate::kubernetes::{fleet, one};
use crate::tools::{Copies, text_of};

/// An environment, as a program of the house gets it.
pub(crate) type Settings = BTreeMap<String, String>;

/// The default of a setting of `worker` or `ops`, as its file says.
pub(crate) fn default(program: &str, name: &str) -> String {
    let file = text_of(&format!("deploy/{program}.toml"));
    let line = file.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
    line.unwrap_or_else(|| panic!("deploy/{program}.toml has no {name}"))
        .trim_matches('"')
        .to_owned()
}

/// The settings that `worker` or `ops` knows, in capitals.
fn known(program: &str) -> BTreeSet<String> {
    let file = text_of(&format!("deploy/{program}.toml"));
    let names = file.lines().filter(|line| !line.starts_with('#'));
    names.filter_map(|line| Some(line.split_once(" = ")?.0.to_ascii_uppercase())).collect()
}

/// What a pod of this deployment is given.
pub(crate) fn of_pod(fleet: &[Value], name: &str) -> Settings {
    let container = &one(fleet, "Deployment", name)["spec"]["template"]["spec"]["containers"][0];
    let mut settings = Settings::new();
    for source in container["envFrom"].as_array().into_iter().flatten() {
        let map = source["configMapRef"]["name"].as_str().unwrap();
        for (name, value) in one(fleet, "ConfigMap", map)["data"].as_object().unwrap() {
            settings.insert(name.clone(), value.as_str().unwrap().to_owned());
        }
    }
    for pair in container["env"].as_array().into_iter().flatten() {
        let text = |key: &str| pair[key].as_str().unwrap().to_owned();
        settings.insert(text("name"), text("value"));
    }
    settings
}

fn of_service(fleet: &Value, name: &str) -> Settings {
    let pairs = fleet["services"][name]["environment"].as_object().unwrap().iter();
    pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

/// What a unit gives its program, the file for its settings included.
fn of_unit(unit: &str, file: &str) -> Settings {
    let unit = text_of(&format!("deploy/systemd/{unit}"));
    let lines = unit.lines().filter_map(|line| line.strip_prefix("Environment="));
    let file = text_of(&format!("deploy/systemd/{file}"));
    let pairs = lines.flat_map(|line| line.split(' ')).chain(file.lines());
    let pairs = pairs.filter(|line| !line.starts_with('#'));
    pairs
        .filter_map(|pair| pair.split_once('='))
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect()
}

/// Each place that starts a program, which one it is, and what it gives it.
async fn places() -> Vec<(&'static str, &'static str, Settings)> {
    let (compose, cluster) = (compose::understood().await, fleet().await);
    vec![
        ("compose, worker", "worker", of_service(&compose, "worker")),
        ("compose, serve", "ops", of_service(&compose, "serve")),
        ("compose, migrate", "ops", of_service(&compose, "migrate")),
        ("kubernetes, worker", "worker", of_pod(&cluster, "stillcast-worker")),
        ("kubernetes, serve", "ops", of_pod(&cluster, "stillcast-serve")),
        ("systemd, worker", "worker", of_unit("stillcast-worker@.service", "worker.env")),
        ("systemd, serve", "ops", of_unit("stillcast-serve.service", "serve.env")),
    ]
}

#[tokio::test]
async fn every_name_that_is_set_is_a_setting_of_its_program() {
    for (place, program, settings) in places().await {
        let known = known(program);
        for name in settings.keys() {
            assert!(known.contains(name), "{place}: {name} is no setting in deploy/{program}.toml");
        }
        assert!(!settings.is_empty(), "{place} sets nothing");
    }
}

/// A copy of the settings whose secrets lie in a folder of the test, with an unreachable Redis.
fn with_secrets(settings: &Settings, copies: &Copies) -> Settings {
    let secret = |name: &str| match name {
        "REDIS_URL_FILE" => "redis://:secret@127.0.0.1:1/0",
        "DATABASE_URL_FILE" => "postgres://stillcast:secret@127.0.0.1:1/stillcast",
        "API_TOKENS_FILE" => "admin:0123456789abcdef0123:*:admin",
        _ => "a-secret-of-some-length",
    };
    let own = |(name, value): (&String, &String)| {
        let value = match name.as_str() {
            name if name.ends_with("_FILE") => {
                copies.write(name, secret(name)).display().to_string()
            }
            "STILLCAST_HOME" => copies.path().join("home").display().to_string(),
            _ => value.clone(),
        };
        (name.clone(), value)
    };
    settings.iter().map(own).collect()
}

/// The words are not only known: the programs of this build take every value.
#[tokio::test]
async fn each_program_takes_what_it_is_given() {
    for (place, program, settings) in places().await {
        let copies = Copies::new();
        let given = with_secrets(&settings, &copies);
        let asked = |name: &str, words: Settings| {
            let program =
                Program::at(binary(name)).env("STILLCAST_HOME", copies.path().join("home"));
            words.into_iter().fold(program, |program, (name, value)| program.env(&name, value))
        };
        if program == "worker" {
            let ran = asked("stillcast-worker", given).run(&["--check", "--json"]).await.unwrap();
            assert_eq!(ran.code, 0, "{place}: {} {}", ran.stdout, ran.stderr);
            continue;
        }
        // Its Redis is away, which is found out behind the settings.
        let ran = asked("stillcast", given.clone()).run(&["queue", "stats"]).await.unwrap();
        assert_eq!(ran.code, 69, "{place}: {}", ran.stderr);
        let mut wrong = given;
        wrong.insert("QUEUE_NAME".to_owned(), "a/b".to_owned());
        let ran = asked("stillcast", wrong).run(&["queue", "stats"]).await.unwrap();
        assert_eq!(ran.code, 78, "{place}: nothing is looked at: {}", ran.stderr);
    }
}

/// Ports that are told in several places are the code's own.
#[tokio::test]
async fn ports_and_folders_are_those_of_the_code() {
    let port = |address: &str| address.rsplit(':').next().unwrap().to_owned();
    let (worker, http) =
        (port(&default("worker", "worker_addr")), port(&default("ops", "http_addr")));
    for (place, _, settings) in places().await {
        for (name, wanted) in [("WORKER_ADDR", &worker), ("HTTP_ADDR", &http)] {
            let found = settings.get(name).map(|address| port(address));
            assert!(found.is_none_or(|found| found == *wanted), "{place}: {name}");
        }
    }
    let cluster = fleet().await;
    for (name, wanted) in [("stillcast-worker", &worker), ("stillcast-serve", &http)] {
        let pod = &one(&cluster, "Deployment", name)["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(pod["ports"][0]["containerPort"].to_string(), *wanted, "{name}");
        let policy = &one(&cluster, "NetworkPolicy", name)["spec"]["ingress"][0]["ports"][0];
        assert_eq!(policy["port"].to_string(), *wanted, "{name}");
    }
    let scraped = text_of("deploy/prometheus/prometheus.yml");
    assert!(
        scraped.contains(&format!("port: {worker}\n"))
            && scraped.contains(&format!("serve:{http}"))
    );
    let recipe = text_of("deploy/Dockerfile");
    assert!(
        recipe.contains("STILLCAST_HOME=/var/lib/stillcast ")
            && recipe.contains("VOLUME /var/lib/stillcast\n")
    );
}
