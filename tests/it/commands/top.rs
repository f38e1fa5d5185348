//! The queue at a glance: for programs, and in a terminal until a key is pressed.

use tests::program::{Program, binary};

use crate::support::CommandHarness;

#[tokio::test]
async fn a_program_is_told_once() {
    let harness = CommandHarness::start().await;
    let id = harness.enqueue(&[]).await;
    harness.fail_next(&id).await;
    harness.enqueue(&[]).await;
    let overview = harness.json(&["top"]).await;
    let states = &overview["stats"]["states"];
    assert_eq!((&states["ready"], &states["dead"]), (&1.into(), &1.into()), "{overview}");
    for list in ["workers", "running"] {
        assert!(overview[list].is_array(), "{overview}");
    }
    let words = harness.run(&["top", "--once"]).await.expect(0).stdout;
    assert!(words.contains("ready") && words.contains("dead"), "{words}");
}

#[tokio::test]
async fn a_terminal_shows_it_and_a_key_gives_the_terminal_back() {
    let harness = CommandHarness::start().await;
    let top = format!("stty cols 120 rows 40; exec {} top", binary("stillcast").display());
    let terminal = Program::at("script").env("REDIS_URL", harness.server.url());
    let terminal = terminal.env("TERM", "xterm-256color").env("STILLCAST_HOME", "/nowhere");
    let ran = terminal.run_with(&["-qec", &top, "/dev/null"], "q").await.unwrap().expect(0);
    assert!(ran.stdout.contains("NO WORKER"), "{ran:?}");
    let (enter, leave) = ("\x1b[?1049h", "\x1b[?1049l");
    assert!(ran.stdout.contains(enter) && ran.stdout.trim_end().contains(leave), "{ran:?}");
}
