//! Who did what: each command that changes something leaves its line, under the user's name.

use serde_json::json;

use crate::support::CommandHarness;

#[tokio::test]
async fn each_command_that_changes_something_has_its_line() {
    let harness = CommandHarness::start().await;
    let none = harness.run(&["queue", "audit"]).await.expect(0);
    assert_eq!(none.stdout.trim(), "nobody has changed anything");
    let id = harness.enqueue(&[]).await;
    harness.fail_next(&id).await;
    harness.json(&["job", "replay", &id]).await;
    harness.fail_next(&id).await;
    harness.json(&["dead", "replay", &id, "--why", "a test"]).await;
    harness.json(&["job", "cancel", &id]).await;
    harness.json(&["queue", "pause", "--why", "maintenance"]).await;
    harness.json(&["queue", "resume"]).await;
    harness.json(&["job", "purge", &id]).await;
    let audit = harness.json(&["queue", "audit"]).await;
    let entries = audit["entries"].as_array().unwrap();
    let did: Vec<_> = entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(did, ["purge", "resume", "pause", "cancel", "replay", "replay"]);
    let (user, why) = (&entries[0]["by"], |at: usize| &entries[at]["why"]);
    assert!(!user.as_str().unwrap().is_empty());
    assert!(entries.iter().all(|entry| entry["by"] == *user && entry["interface"] == "cli"));
    assert_eq!((why(2), why(4), why(5)), (&json!("maintenance"), &json!("a test"), &json!(null)));
    let words = harness.run(&["queue", "audit", "--limit", "1"]).await.expect(0).stdout;
    assert!(words.contains(&id) && words.contains("purged"), "{words}");
    let _ = harness.run(&["queue", "pause", "--why", "two\nlines"]).await.expect(2);
}
