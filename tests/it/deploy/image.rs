//! The recipe of the images goes in; what a linter of such recipes says, and what the house asks of them.

use std::path::Path;

use child::Spec;
use tests::foreign::root;

use crate::tools::{Copies, broken, run, text_of};

const RECIPE: &str = "deploy/Dockerfile";

async fn linted(file: &Path) -> Result<String, String> {
    run(Spec::new("hadolint").args(["--no-color", "--failure-threshold", "style"]).arg(file)).await
}

#[tokio::test]
async fn the_linter_of_recipes_finds_nothing_and_finds_each_broken_copy() {
    linted(&root().join(RECIPE)).await.unwrap();
    let whole = text_of(RECIPE);
    let copies = Copies::new();
    for (right, wrong) in [
        // Whoever breaks out of the program is root.
        (
            "USER 10001:10001\nENTRYPOINT [\"/usr/bin/tini\", \"--\", \"/usr/bin/stillcast-worker\"]",
            "USER root\nENTRYPOINT [\"/usr/bin/stillcast-worker\"]",
        ),
        // A shell takes the signals, and a worker is killed instead of drained.
        (
            "ENTRYPOINT [\"/usr/bin/tini\", \"--\", \"/usr/bin/stillcast\"]",
            "ENTRYPOINT /usr/bin/stillcast",
        ),
        // Half of a desktop comes along with FFmpeg.
        ("install -y --no-install-recommends ffmpeg", "install -y ffmpeg"),
        ("WORKDIR /src", "WORKDIR src"),
        ("FROM base AS ops", "FORM base AS ops"),
    ] {
        let file = copies.write("Dockerfile", &broken(&whole, right, wrong));
        assert!(linted(&file).await.is_err(), "nothing is said of `{wrong}`");
    }
}

/// The lines of one stage, by its name.
fn stage<'text>(recipe: &'text str, name: &str) -> Vec<&'text str> {
    let head = format!(" AS {name}");
    let lines =
        recipe.lines().skip_while(|line| !(line.starts_with("FROM ") && line.ends_with(&head)));
    let lines: Vec<&str> = lines.collect();
    assert!(!lines.is_empty(), "there is no stage {name}");
    let end = lines[1..].iter().position(|line| line.starts_with("FROM "));
    lines[..end.map_or(lines.len(), |end| end + 1)].to_vec()
}

#[test]
fn both_images_are_nobody_s_below_an_init_and_only_the_worker_s_has_ffmpeg() {
    let recipe = text_of(RECIPE);
    for (name, program) in [("ops", "stillcast"), ("worker", "stillcast-worker")] {
        let lines = stage(&recipe, name);
        assert_eq!(lines[0], format!("FROM base AS {name}"));
        assert!(lines.contains(&"USER 10001:10001"), "{name} is root");
        let copies = format!("COPY --from=build /out/{program} /usr/bin/");
        assert!(lines.contains(&copies.as_str()), "{name} has other programs: {lines:?}");
        let starts = format!("ENTRYPOINT [\"/usr/bin/tini\", \"--\", \"/usr/bin/{program}\"]");
        assert!(lines.contains(&starts.as_str()), "{name} starts otherwise: {lines:?}");
        let has_ffmpeg = lines.iter().any(|line| line.contains("ffmpeg"));
        assert_eq!(has_ffmpeg, name == "worker", "{name}");
    }
    let last = recipe.lines().rfind(|line| line.starts_with("FROM ")).unwrap();
    assert_eq!(last, "FROM base AS worker", "a build without a target makes something else");
}

#[test]
fn the_image_is_built_by_the_oldest_rust_that_the_workspace_takes() {
    let wanted = text_of("Cargo.toml");
    let wanted = wanted.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    let found = text_of(RECIPE);
    let found = found.lines().find_map(|line| line.strip_prefix("ARG RUST=")).unwrap();
    assert_eq!(found, wanted.trim_matches('"'), "{RECIPE} (left), Cargo.toml (right)");
}

/// What `cargo build` reads must not be left out of what the builder is sent.
#[test]
fn the_builder_is_sent_the_workspace_and_no_secret() {
    let sent = text_of("deploy/Dockerfile.dockerignore");
    let lines: Vec<&str> = sent.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines[0], "*", "all that is not named stays out");
    for needed in
        ["!Cargo.toml", "!Cargo.lock", "!crates", "!deploy/*.toml", "!migrations", "!tests"]
    {
        assert!(lines.contains(&needed), "`{needed}` is missing");
    }
    assert!(!lines.contains(&"!deploy"), "deploy/secrets would be sent");
}
