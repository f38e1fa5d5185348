//! Dead letters: found, understood, sent round again, or removed with their files.

use crate::support::CommandHarness;

#[tokio::test]
async fn a_dead_job_is_listed_with_its_cause_and_replayed() {
    let harness = CommandHarness::start().await;
    let id = harness.enqueue(&[]).await;
    harness.fail_next(&id).await;
    let words = harness.run(&["dead", "list"]).await.expect(0).stdout;
    let cause = "tts, provider offline: there is no such voice; choose slt (voice-unknown)";
    assert!(words.contains(&id) && words.contains(cause), "{words}");
    let _ = harness.run(&["job", "watch", &id]).await.expect(1).saying(cause);
    assert_eq!(harness.json(&["job", "replay", &id]).await["answer"], "ready");
    let again = harness.run(&["job", "replay", &id, "--json"]).await.expect(1).saying("not dead");
    assert_eq!(again.json::<serde_json::Value>()["state"], "ready");
    assert_eq!(harness.json(&["dead", "list"]).await["jobs"], serde_json::json!([]));
}

#[tokio::test]
async fn a_dead_job_is_replayed_from_a_stage_with_other_options() {
    let harness = CommandHarness::start().await;
    let id = harness.enqueue(&["--voice", "slt"]).await;
    harness.fail_next(&id).await;
    for (args, says) in [
        (["--from", "lunch"], "`from` takes a stage, one of `collection`"),
        (["--set", "mood=calm"], "`options.mood` is not a field; there are `voice`"),
        (["--set", "variant=-1"], "`options.variant` takes a whole number"),
    ] {
        let args = [&["job", "replay", &id][..], &args].concat();
        let _ = harness.run(&args).await.expect(2).saying(says);
    }
    let args = ["job", "replay", &id, "--from", "tts", "--set", "voice=", "--set", "variant=3"];
    assert_eq!(harness.json(&args).await["answer"], "ready");
    let line = harness.json(&["queue", "audit"]).await["entries"][0].clone();
    assert_eq!(line["changes"], "from tts, variant=3, voice unset");
    let words = harness.run(&["queue", "audit"]).await.expect(0).stdout;
    assert!(words.contains("replay, from tts, variant=3, voice unset"), "{words}");
}

#[tokio::test]
async fn all_dead_jobs_are_replayed_at_once_and_others_refused() {
    let harness = CommandHarness::start().await;
    let (first, second) = (harness.enqueue(&[]).await, harness.enqueue(&[]).await);
    harness.fail_next(&first).await;
    harness.fail_next(&second).await;
    let waiting = harness.enqueue(&[]).await;
    let mixed = harness.run(&["dead", "replay", &first, &waiting, "--json"]).await.expect(1);
    let mixed: serde_json::Value = mixed.json();
    assert_eq!(mixed["granted"], serde_json::json!([first]));
    assert_eq!(mixed["refused"][0]["answer"], "not-dead");
    let rest = harness.json(&["dead", "replay", "--all"]).await;
    assert_eq!(rest["granted"], serde_json::json!([second]));
    let none = harness.run(&["dead", "replay", "--all"]).await.expect(0);
    assert!(none.saying("there are no dead jobs").stdout.is_empty());
}

#[tokio::test]
async fn a_purge_removes_files_and_records_and_nothing_alive() {
    let harness = CommandHarness::start().await;
    let (dead, alive) = (harness.enqueue(&[]).await, harness.enqueue(&["--priority", "0"]).await);
    harness.fail_next(&dead).await;
    let (gone, kept) = (harness.file_of(&dead), harness.file_of(&alive));
    let named = harness.run(&["dead", "purge", &alive]).await.expect(1).saying("not-dead (ready)");
    assert_eq!(named.stdout, "");
    let purged = harness.json(&["dead", "purge", "--all"]).await;
    assert_eq!(purged["granted"], serde_json::json!([dead]));
    assert!(!gone.exists() && kept.exists());
    let stats = harness.json(&["queue", "stats"]).await;
    assert_eq!((&stats["purged"], &stats["states"]["dead"]), (&1.into(), &0.into()));
}

#[tokio::test]
async fn a_purge_ends_what_a_job_has_left_and_may_be_repeated() {
    let harness = CommandHarness::start().await;
    let id = harness.enqueue(&[]).await;
    let _ = harness.run(&["job", "purge", &id]).await.expect(1).saying("cancel it first");
    harness.json(&["job", "cancel", &id]).await;
    let foreign = harness.run(&["job", "purge", &id, "--tenant", "another"]).await.expect(1);
    let _ = foreign.saying("another tenant");
    let (file, work) = (harness.file_of(&id), harness.work_of(&id));
    assert_eq!(harness.json(&["job", "purge", &id]).await["answer"], "purged");
    assert!(!file.exists() && !work.exists());
    let _ = harness.run(&["job", "purge", &id]).await.expect(1).saying("--tenant");
    // As after a purge that was cut short, and a record that retention has removed since.
    let (file, work) = (harness.file_of(&id), harness.work_of(&id));
    for _ in 0..2 {
        let again = harness.json(&["job", "purge", &id, "--tenant", "default"]).await;
        assert_eq!(again["answer"], "purged");
        assert!(!file.exists() && !work.exists());
    }
    let _ = harness.run(&["job", "purge", "../etc", "--tenant", "default"]).await.expect(2);
}

#[tokio::test]
async fn a_purge_without_a_store_touches_nothing() {
    let mut harness = CommandHarness::start().await;
    let id = harness.enqueue(&[]).await;
    harness.json(&["job", "cancel", &id]).await;
    harness.program = harness.program.env("STORAGE_URL", "");
    let _ = harness.run(&["job", "purge", &id]).await.expect(78).saying("STORAGE_URL");
    harness.program = harness.program.env("STORAGE_URL", "ftp://elsewhere");
    let _ = harness.run(&["job", "purge", &id]).await.expect(78).saying("STORAGE_URL");
    harness.program = harness.program.env("STORAGE_URL", "");
    assert_eq!(harness.json(&["job", "show", &id]).await["state"], "cancelled");
}
