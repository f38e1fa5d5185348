//! What a release brings beside its programs goes in; what those say of it who read it elsewhere.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use child::Spec;
use serde_json::{Value, json};
use tests::foreign::{python, root};
use tests::program::binary;

use crate::tools::{Copies, run, text_of};

/// Checks a bill of materials by the library of its standard.
const VALIDATE: &str = "\
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read()) and 1)
";

async fn is_bill(file: &Path) -> bool {
    run(Spec::new(python()).args(["-c", VALIDATE]).arg(file)).await.is_ok()
}

/// What the programs of this build are made of, as `deploy/dist` tells it: bill and licences.
async fn materials(copies: &Copies) -> (Value, String) {
    let cargo = |words: &[&str]| Spec::new(env!("CARGO")).args(words).folder(root());
    let tree = ["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none"];
    let tree =
        run(cargo(&[&tree[..], &["--package", "ops", "--package", "worker"]].concat())).await;
    let compiled = copies.write("compiled", &tree.unwrap());
    let metadata = cargo(&["metadata", "--offline", "--locked", "--format-version", "1"]);
    let (metadata, _) = metadata.output(64 << 20).await.unwrap();
    let metadata = copies.write("metadata", &String::from_utf8(metadata).unwrap());
    let making =
        Spec::new(python()).arg("deploy/materials.py").arg("Cargo.lock").arg(copies.path());
    let stdin = child::Stream::File(std::fs::File::open(metadata).unwrap());
    run(making.arg(compiled).folder(root()).stdin(stdin)).await.unwrap();
    let read = |name: &str| std::fs::read_to_string(copies.path().join(name)).unwrap();
    (serde_json::from_str(&read("sbom.cdx.json")).unwrap(), read("THIRD-PARTY.txt"))
}

#[tokio::test]
async fn the_bill_of_materials_holds_what_is_compiled_and_nothing_else() {
    let copies = Copies::new();
    let (bill, licences) = materials(&copies).await;
    assert!(is_bill(&copies.path().join("sbom.cdx.json")).await);
    let parts = bill["components"].as_array().unwrap();
    let names: BTreeSet<&str> = parts.iter().map(|part| part["name"].as_str().unwrap()).collect();
    assert!(names.len() > 250, "only {} parts", names.len());
    for part in
        ["ops", "worker", "stillcast-enqueue", "tokio", "redis", "aws-lc-sys", "serde_derive"]
    {
        assert!(names.contains(part), "{part} is missing");
    }
    // Optional parts of others, and what only tests need.
    for stranger in ["ring", "sqlx-mysql", "tests", "proptest", "s3s", "apalis-redis"] {
        assert!(!names.contains(stranger), "{stranger} is not compiled in");
    }
    for part in parts.iter().filter(|part| part["type"] == "library") {
        assert!(part["licenses"][0]["expression"].is_string(), "{part} has no licence");
        let name =
            format!("{} {} (", part["name"].as_str().unwrap(), part["version"].as_str().unwrap());
        assert!(
            part["hashes"].is_null() || licences.contains(&name),
            "no licence is told of {name}"
        );
    }
    // A short one, since the reader is a slow one.
    let mut short = bill.clone();
    short["components"].as_array_mut().unwrap().truncate(3);
    short["dependencies"] = json!([]);
    assert!(is_bill(&copies.write("short.json", &short.to_string())).await);
    for wrong in
        [json!({"version": "one"}), json!({"components": "many"}), json!({"colour": "red"})]
    {
        let mut copy = short.clone();
        copy.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let file = copies.write("wrong.json", &copy.to_string());
        assert!(!is_bill(&file).await, "nothing is said of {wrong}");
    }
}

#[tokio::test]
async fn the_same_sources_have_the_same_bill() {
    let (one, other) = (Copies::new(), Copies::new());
    assert_eq!(materials(&one).await, materials(&other).await);
}

/// The programs are stood in for by what starts them, so that nothing large is packed.
fn programs(copies: &Copies) {
    for name in ["stillcast", "stillcast-worker"] {
        let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", binary(name).display());
        let file = copies.write(&format!("programs/{name}"), &script);
        std::fs::set_permissions(file, PermissionsExt::from_mode(0o755)).unwrap();
    }
}

#[tokio::test]
async fn a_release_holds_what_its_page_promises_under_digests_that_fit() {
    let copies = Copies::new();
    programs(&copies);
    let [given, out] = ["programs", "release"].map(|name| copies.path().join(name));
    let packing = || Spec::new("bash").arg("deploy/dist").arg(&given).arg(&out).folder(root());
    run(packing()).await.unwrap();
    let sums = std::fs::read_to_string(out.join("SHA256SUMS")).unwrap();
    let archive = sums.lines().find(|line| line.ends_with(".tar.gz")).unwrap();
    let (digest, archive) = archive.split_once("  ").unwrap();
    run(Spec::new("sha256sum").args(["--check", "SHA256SUMS"]).folder(&out)).await.unwrap();
    let listed =
        run(Spec::new("tar").args(["--list", "--file", archive]).folder(&out)).await.unwrap();
    for part in [
        "bin/stillcast",
        "bin/stillcast-worker",
        "share/man/man1/stillcast.1",
        "share/man/man1/stillcast-worker.1",
        "share/bash-completion/completions/stillcast",
        "share/zsh/site-functions/_stillcast-worker",
        "share/fish/vendor_completions.d/stillcast.fish",
        "lib/systemd/system/stillcast-worker@.service",
        "share/doc/stillcast/worker.env",
        "share/doc/stillcast/worker.toml",
        "share/doc/stillcast/sbom.cdx.json",
        "share/doc/stillcast/THIRD-PARTY.txt",
        "share/doc/stillcast/LICENSE",
    ] {
        let is_there =
            listed.lines().any(|line| line.split_once('/').is_some_and(|(_, at)| at == part));
        assert!(is_there, "{part} is not in {listed}");
    }
    let digest = digest.to_owned();
    run(packing()).await.unwrap();
    let again = std::fs::read_to_string(out.join("SHA256SUMS")).unwrap();
    assert!(again.contains(&digest), "the same programs make another archive");
}

/// Both programs' manuals, in a folder.
async fn manual() -> Copies {
    let copies = Copies::new();
    run(Spec::new(binary("stillcast")).arg("manual").arg(copies.path())).await.unwrap();
    run(Spec::new(binary("stillcast-worker")).arg("--manual").arg(copies.path())).await.unwrap();
    copies
}

#[tokio::test]
async fn the_manual_has_a_page_for_each_command_and_a_reader_of_manuals_finds_no_fault() {
    let folder = manual().await;
    let pages = std::fs::read_dir(folder.path()).unwrap();
    let pages: BTreeSet<String> =
        pages.map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    for page in ["stillcast.1", "stillcast-make.1", "stillcast-queue-pause.1", "stillcast-worker.1"]
    {
        assert!(pages.contains(page), "{page} is not in {pages:?}");
    }
    let lint = |file: &Path| run(Spec::new("mandoc").args(["-T", "lint", "-W", "error"]).arg(file));
    for page in &pages {
        lint(&folder.path().join(page)).await.unwrap();
    }
    let broken = folder.write(
        "broken.1",
        &std::fs::read_to_string(folder.path().join("stillcast.1"))
            .unwrap()
            .replace(".SH", ".NOTHING"),
    );
    assert!(lint(&broken).await.is_err(), "the reader finds no fault in anything");
    for unit in ["stillcast-worker@.service", "stillcast-serve.service"] {
        let unit = text_of(&format!("deploy/systemd/{unit}"));
        let page = unit.lines().find_map(|line| line.strip_prefix("Documentation=man:")).unwrap();
        assert!(pages.contains(&page.replace('(', ".").replace(')', "")), "{page} is not there");
    }
}

/// What bash offers behind these words, the last of which has been begun.
async fn offered(completion: &str, words: &[&str]) -> String {
    let line = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let (program, last) = (words[0], words.len() - 1);
    let (word, before) = (words[last], words[last - 1]);
    let script = format!(
        "{completion}\nCOMP_WORDS=({line}) COMP_CWORD={last}\n\
         registered=($(complete -p {program}))\n\
         for at in \"${{!registered[@]}}\"; do [ \"${{registered[at]}}\" != -F ] || function=${{registered[at+1]}}; done\n\
         \"$function\" '{program}' '{word}' '{before}'\necho \"${{COMPREPLY[*]}}\"",
    );
    run(Spec::new("bash").args(["-c", &script])).await.unwrap()
}

#[tokio::test]
async fn a_shell_completes_the_commands_of_both_programs() {
    let printed =
        async |name: &str, words: &[&str]| run(Spec::new(binary(name)).args(words)).await.unwrap();
    let bash = printed("stillcast", &["completions", "bash"]).await;
    assert!(offered(&bash, &["stillcast", "que"]).await.contains("queue"));
    let verbs = offered(&bash, &["stillcast", "queue", ""]).await;
    assert!(verbs.contains("pause") && verbs.contains("verify"), "{verbs}");
    let bash = printed("stillcast-worker", &["--completions", "bash"]).await;
    let flags = offered(&bash, &["stillcast-worker", "--"]).await;
    assert!(flags.contains("--until-empty"), "{flags}");
    for shell in ["zsh", "fish"] {
        assert!(
            printed("stillcast", &["completions", shell]).await.contains("stillcast"),
            "{shell}"
        );
    }
}

/// A program that is described needs no setting, and a wrong one harms nobody.
#[tokio::test]
async fn what_a_program_is_needs_no_setting() {
    for (name, words) in
        [("stillcast", ["completions", "bash"]), ("stillcast-worker", ["--completions", "bash"])]
    {
        let asked = Spec::new(binary(name)).args(words).env_clear().env("REDIS_URL", "nonsense");
        assert!(run(asked).await.unwrap().contains("complete"), "{name}");
    }
}
