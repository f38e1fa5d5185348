//! The fleet on one machine goes in; what Compose itself says of it, and what the house asks of it.

use std::path::Path;

use child::Spec;
use serde_json::{Value, json};
use tests::foreign::root;

use crate::tools::{Copies, broken, run, seconds, text_of};

const FILE: &str = "deploy/compose.yaml";

fn compose(file: &Path) -> Spec {
    // Nothing of the tester's own: a provider in the environment would be filled in.
    Spec::new("docker-compose").env_clear().env("HOME", "/nonexistent").arg("--file").arg(file)
}

/// The file as Compose understands it.
pub(crate) async fn understood() -> Value {
    let asking = compose(&root().join(FILE)).args(["config", "--format", "json"]);
    serde_json::from_str(&run(asking).await.unwrap()).unwrap()
}

#[tokio::test]
async fn compose_understands_the_fleet_and_refuses_each_broken_copy() {
    understood().await;
    let whole = text_of(FILE);
    let copies = Copies::new();
    for (right, wrong) in [
        ("condition: service_healthy", "condition: service_health"),
        ("secrets: [redis_password]", "secrets: [redis_passwort]"),
        ("networks: [inside]", "networks: [within]"),
        ("read_only: true", "readonly: true"),
        ("replicas: 2", "replicas: two"),
        ("    depends_on: [store]", "    depends_on: [shop]"),
        ("[redis:/data]", "[rediss:/data]"),
    ] {
        let file = copies.write("deploy/compose.yaml", &broken(&whole, right, wrong));
        let said = run(compose(&file).args(["config", "--quiet"])).await;
        assert!(said.is_err(), "nothing is said of `{wrong}`");
    }
}

#[tokio::test]
async fn our_programs_have_no_right_and_nothing_to_write_to_but_their_folder() {
    let fleet = understood().await;
    for name in ["worker", "serve", "migrate"] {
        let service = &fleet["services"][name];
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]), "{name}");
        for volume in service["volumes"].as_array().into_iter().flatten() {
            assert_eq!(volume["target"], "/var/lib/stillcast", "{name}");
        }
        let environment = service["environment"].as_object().unwrap();
        let bare = environment.keys().find(|key| key.ends_with("_KEY") || key.ends_with("_URL"));
        let is_secret = |key: &str| key != "STORAGE_URL";
        assert!(!bare.is_some_and(|key| is_secret(key)), "{name}: {bare:?} stands in the open");
    }
    for (name, service) in fleet["services"].as_object().unwrap() {
        for port in service["ports"].as_array().into_iter().flatten() {
            assert_eq!(port["host_ip"], "127.0.0.1", "{name} is open to the network");
        }
    }
}

#[tokio::test]
async fn its_redis_keeps_what_it_has_acknowledged_and_its_workers_end_in_order() {
    let fleet = understood().await;
    let redis = fleet["services"]["redis"]["command"].to_string();
    for words in ["--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"] {
        assert!(redis.contains(words), "{redis}");
    }
    let worker = &fleet["services"]["worker"];
    assert_eq!(worker["deploy"]["replicas"], 2);
    let grace = seconds(worker["stop_grace_period"].as_str().unwrap());
    let drain = crate::settings::default("worker", "drain_timeout");
    assert!(grace >= seconds(&drain) + 15, "a drain of {drain} has {grace} s");
}

/// What is mounted must be there, or Docker makes an empty folder in its place.
#[tokio::test]
async fn every_file_that_is_mounted_is_there() {
    let fleet = understood().await;
    let services = fleet["services"].as_object().unwrap().values();
    let mounts = services.flat_map(|service| service["volumes"].as_array().into_iter().flatten());
    let sources: Vec<&str> = mounts
        .filter(|mount| mount["type"] == "bind")
        .map(|mount| mount["source"].as_str().unwrap())
        .collect();
    assert!(sources.len() >= 5, "{sources:?}");
    for source in sources {
        assert!(Path::new(source).is_file(), "{source}");
    }
}

#[tokio::test]
async fn each_secret_is_drawn_once_and_stays() {
    let fleet = understood().await;
    let copies = Copies::new();
    let script = copies.write("deploy/compose-secrets", &text_of("deploy/compose-secrets"));
    let draw = async || run(Spec::new("bash").arg(&script)).await.unwrap();
    let first = draw().await;
    let read = |name: &str| {
        std::fs::read_to_string(copies.path().join("deploy/secrets").join(name)).unwrap()
    };
    let names: Vec<&String> = fleet["secrets"].as_object().unwrap().keys().collect();
    let drawn: Vec<String> = names.iter().map(|name| read(name)).collect();
    assert_eq!(draw().await, first, "the login changes");
    assert_eq!(names.iter().map(|name| read(name)).collect::<Vec<_>>(), drawn);
    let password = read("redis_password");
    assert!(password.len() >= 32 && read("redis_url").contains(&password));
    assert!(read("database_url").contains(&read("postgres_password")));
    assert!(read("api_tokens").contains(&read("metrics_token")), "no scrape would be answered");
}

#[tokio::test]
async fn prometheus_understands_what_it_scrapes() {
    let check = |file: &Path| {
        run(Spec::new("promtool").args(["check", "config", "--syntax-only"]).arg(file))
    };
    let file = "deploy/prometheus/prometheus.yml";
    check(&root().join(file)).await.unwrap();
    let copies = Copies::new();
    for (right, wrong) in [("type: A", "type: B"), ("rule_files:", "rules:")] {
        let copy = copies.write("prometheus.yml", &broken(&text_of(file), right, wrong));
        assert!(check(&copy).await.is_err(), "nothing is said of `{wrong}`");
    }
}
