//! The soak in short: it goes on after a kill, and sees what is lost and doubled.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::process::mentioning;
use tests::program::{Program, Ran, binary};
use tests::wait::until;

const JOBS: &str = "3000";
/// Jobs that may have run when the first run was cut off: two workers of sixteen slots.
const UNDER_WAY: u32 = 32;

fn program() -> Program {
    Program::at(binary("soak_bench"))
}

async fn run(folder: &str) -> Ran {
    program().run(&["--folder", folder, "--jobs", JOBS]).await.unwrap()
}

/// Adds numbers of jobs to what a worker has written of its runs.
fn write_runs(folder: &Path, numbers: impl Iterator<Item = u32>) {
    let path = folder.join("run-2-worker-1.runs");
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    let bytes: Vec<u8> = numbers.flat_map(u32::to_le_bytes).collect();
    file.write_all(&bytes).unwrap();
}

#[tokio::test]
async fn a_soak_goes_on_after_a_kill_and_sees_what_is_lost_and_doubled() {
    let place = tempfile::Builder::new().prefix("sc-").tempdir().unwrap();
    let folder = place.path().to_str().unwrap();
    let begun = program().spawn(&["--folder", folder, "--jobs", JOBS]).await.unwrap();
    until("ten calls were acknowledged", async || {
        let written = std::fs::metadata(place.path().join("acknowledged")).ok()?.len();
        (written >= 40).then_some(())
    })
    .await;
    kill(Pid::from_raw(begun.pid()), Signal::SIGKILL).unwrap();
    drop(begun);
    until("its Redis and its workers are gone", async || {
        mentioning(folder).is_empty().then_some(())
    })
    .await;
    let other = program().run(&["--folder", folder, "--jobs", "4000"]).await.unwrap();
    assert!(other.expect(69).stderr.contains("was begun with --jobs 3000"));

    let whole = run(folder).await.expect(0);
    assert!(whole.stdout.contains("run 2: ") && whole.stdout.contains("lost"), "{whole:?}");
    assert!(!whole.stdout.contains("run 2: 0 of"), "it began anew: {whole:?}");

    write_runs(place.path(), 0..=2 * UNDER_WAY);
    let doubled = run(folder).await.expect(1);
    assert!(doubled.stdout.contains(" jobs are doubled"), "{doubled:?}");

    // One more is acknowledged than was ever sent.
    let path = place.path().join("acknowledged");
    let mut acknowledged = OpenOptions::new().append(true).open(path).unwrap();
    acknowledged.write_all(&3_001_u32.to_le_bytes()).unwrap();
    let lost = run(folder).await.expect(1);
    assert!(lost.stdout.contains("✗ 1 jobs are lost"), "{lost:?}");
}
