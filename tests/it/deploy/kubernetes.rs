//! The fleet on a cluster goes in; what the schemas of Kubernetes, KEDA and the Prometheus operator say
//! of it, and what the house asks of it.

use std::path::Path;
use std::time::Duration;

use child::Spec;
use serde_json::Value;
use stillcast_enqueue::Format;
use tests::foreign::{node_modules, root};

use crate::tools::{Copies, broken, run, seconds, text_of, yaml};

const FOLDER: &str = "deploy/kubernetes";
/// Checks what is no part of Kubernetes itself, by the models that are made of the operators' sources.
const MODELS: &str = r#"
import { readFileSync } from "node:fs";
const [modules, file] = process.argv.slice(2);
const homes = {
  "keda.sh/v1alpha1": "keda/keda.sh/v1alpha1",
  "monitoring.coreos.com/v1": "prometheus-operator/monitoring.coreos.com/v1",
};
let checked = 0;
for (const document of JSON.parse(readFileSync(file))) {
  const home = homes[document.apiVersion];
  if (home === undefined) continue;
  const models = await import(`${modules}/@kubernetes-models/${home}/${document.kind}.js`);
  new models[document.kind](document).validate();
  checked += 1;
}
if (checked < 3) throw new Error(`only ${checked} documents were checked`);
"#;

/// What is sent to the cluster, for one of the two folders below `folder`.
async fn built(folder: &Path, which: &str) -> Result<Vec<Value>, String> {
    let copies = Copies::new();
    let page =
        run(Spec::new("kubectl").arg("kustomize").arg(folder.join(FOLDER).join(which))).await?;
    Ok(yaml(&copies.write("fleet.yaml", &page)).await)
}

fn is_foreign(document: &Value) -> bool {
    let version = document["apiVersion"].as_str().unwrap();
    version.starts_with("keda.sh/") || version.starts_with("monitoring.")
}

/// What the schemas of Kubernetes say of the fleet below `folder`.
async fn known(folder: &Path) -> Result<(), String> {
    let fleet = built(folder, "keda").await?;
    let own: Vec<&Value> = fleet.iter().filter(|document| !is_foreign(document)).collect();
    let copies = Copies::new();
    let write = |(number, document): (usize, &&Value)| {
        copies.write(&format!("{number}.json"), &document.to_string())
    };
    let files: Vec<_> = own.iter().enumerate().map(write).collect();
    assert!(files.len() >= 10, "only {} documents", files.len());
    run(Spec::new("kubernetes-validate").arg("--strict").args(files)).await.map(drop)
}

/// What the models of the operators say of theirs.
async fn modelled(folder: &Path) -> Result<(), String> {
    let foreign = built(folder, "keda").await?.into_iter().filter(is_foreign).collect();
    let copies = Copies::new();
    let file = copies.write("foreign.json", &Value::Array(foreign).to_string());
    let script = copies.write("models.mjs", MODELS);
    let modules = node_modules("@kubernetes-models/keda");
    run(Spec::new("node").arg(script).arg(modules).arg(file)).await.map(drop)
}

/// The fleet with one file broken.
fn with_broken(file: &str, right: &str, wrong: &str) -> Copies {
    let copies = Copies::new();
    copies.folder(FOLDER);
    let path = format!("{FOLDER}/{file}");
    copies.write(&path, &broken(&text_of(&path), right, wrong));
    copies
}

/// The fleet as the cluster gets it, with scaling.
pub(crate) async fn fleet() -> Vec<Value> {
    built(root(), "keda").await.unwrap()
}

/// The document of this kind and name.
pub(crate) fn one<'fleet>(fleet: &'fleet [Value], kind: &str, name: &str) -> &'fleet Value {
    let found = fleet
        .iter()
        .find(|document| document["kind"] == kind && document["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

#[tokio::test]
async fn the_schemas_know_the_fleet_and_refuse_each_broken_copy() {
    known(root()).await.unwrap();
    for (file, right, wrong) in [
        ("base/worker.yaml", "maxUnavailable: 1\n  selector", "maxMissing: 1\n  selector"),
        ("base/worker.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true"),
        ("base/worker.yaml", "failureThreshold: 45", "failureThreshold: often"),
        ("base/network.yaml", "policyTypes: [Egress]", "policyTypes: Egress"),
    ] {
        let copies = with_broken(file, right, wrong);
        assert!(known(copies.path()).await.is_err(), "nothing is said of `{wrong}`");
    }
}

#[tokio::test]
async fn the_operators_models_know_their_parts_and_refuse_each_broken_copy() {
    modelled(root()).await.unwrap();
    for (file, right, wrong) in [
        ("keda/scaling.yaml", "currentReplicasIfHigher", "currentReplicasIfLarger"),
        ("keda/scaling.yaml", "minReplicaCount: 2", "minReplicaCount: two"),
        ("keda/scaling.yaml", "triggers:", "trigger:"),
        ("keda/monitors.yaml", "endpoints:", "endpoint:"),
    ] {
        let copies = with_broken(file, right, wrong);
        assert!(modelled(copies.path()).await.is_err(), "nothing is said of `{wrong}`");
    }
}

#[tokio::test]
async fn kustomize_finds_every_part() {
    for (file, right, wrong) in [
        ("base/kustomization.yaml", "  - network.yaml\n", "  - networks.yaml\n"),
        ("base/kustomization.yaml", "envs: [fleet.env]", "envs: [fleets.env]"),
        ("keda/kustomization.yaml", "path: /spec/replicas", "path: /spec/copies"),
    ] {
        let copies = with_broken(file, right, wrong);
        assert!(built(copies.path(), "keda").await.is_err(), "nothing is said of `{wrong}`");
    }
}

#[tokio::test]
async fn pods_have_no_right_and_are_asked_how_they_are() {
    let fleet = fleet().await;
    for (kind, name) in [
        ("Deployment", "stillcast-worker"),
        ("Deployment", "stillcast-serve"),
        ("Job", "stillcast-migrate"),
    ] {
        let pod = &one(&fleet, kind, name)["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        assert_eq!(pod["securityContext"]["runAsUser"], 10001, "{name}: as the image has it");
        assert_eq!(pod["automountServiceAccountToken"], false, "{name}");
        let container = &pod["containers"][0];
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{name}");
        assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false, "{name}");
        assert!(container["resources"]["limits"]["memory"].is_string(), "{name}");
        if kind == "Deployment" {
            let probe = |which: &str| container[which]["httpGet"]["path"].as_str().unwrap();
            let asked = ["startupProbe", "livenessProbe", "readinessProbe"].map(probe);
            assert_eq!(asked, ["/healthz", "/healthz", "/readyz"], "{name}");
            one(&fleet, "PodDisruptionBudget", name);
            one(&fleet, "ServiceMonitor", name);
            one(&fleet, "NetworkPolicy", name);
        }
    }
    let policy = one(&fleet, "NetworkPolicy", "stillcast");
    assert_eq!(policy["spec"]["podSelector"], serde_json::json!({}), "the rest is refused");
    assert!(policy["spec"]["ingress"].is_null());
}

#[tokio::test]
async fn a_pod_that_goes_has_the_time_to_end_what_it_has_begun() {
    let fleet = fleet().await;
    let settings = crate::settings::of_pod(&fleet, "stillcast-worker");
    let drain = seconds(&settings["DRAIN_TIMEOUT"]);
    let policies = pipeline::standard(4, 2);
    let longest = [Format::Audio, Format::Video]
        .map(|format| policies.attempt_budget(format, Duration::ZERO).as_secs())
        .into_iter()
        .max()
        .unwrap();
    assert!(drain >= longest, "an attempt takes {longest} s, a drain {drain} s");
    let pod = &one(&fleet, "Deployment", "stillcast-worker")["spec"]["template"]["spec"];
    let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(grace >= drain + 30, "a drain of {drain} s has {grace} s");
    let scratch = pod["volumes"].as_array().unwrap();
    let scratch = scratch.iter().find(|volume| volume["name"] == "scratch").unwrap();
    assert!(scratch["emptyDir"]["sizeLimit"].is_string());
}
