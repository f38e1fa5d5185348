//! What stands on the screen of a queue at work, and of one that nobody works on.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::{Value, json};

use super::view::draw;
use crate::overview::Overview;

const AT: &str = "2030-01-01T06:00:00Z";

fn overview(paused: bool, workers: &Value, running: &Value) -> Overview {
    let states = json!({"delayed": 1, "ready": 12, "parked": 3, "leased": 2, "done": 40, "dead": 5,
        "cancelled": 0, "expired": 0});
    let stats = json!({"queue": "evenings", "at": AT, "paused": paused, "depth": 12,
        "oldest_s": 95.0, "states": states, "due_delayed": 0, "due_parked": 0,
        "workers": 1, "enqueued": 63, "purged": 0, "trash": 0, "gap_at": null,
        "empty_in": {"from_s": 120.0, "to_s": 360.0}});
    let nothing = json!({"count": 0, "p50_s": null, "p95_s": null, "p99_s": null});
    let speech = json!({"stage": "tts", "wait": nothing, "tries": 44, "hits": 7, "misses": 37,
        "errors": 3, "run": {"count": 40, "p50_s": 2.5, "p95_s": 9.0, "p99_s": 11.0}});
    let slot = json!({"at": AT, "depth": states, "oldest_s": {}, "workers": 1, "stages": [speech],
        "jobs": {"done": 40, "dead": 5, "cancelled": 0, "expired": 0, "retried": 2, "parked": 0,
            "released": 0},
        "errors": [], "cache": {"hits": 7, "misses": 37},
        "cost": {"spent_usd": 1.25, "avoided_usd": 0.5, "wasted_usd": 0.125}});
    let history = json!({"at": AT, "step_s": 60, "slots": [slot], "total": slot});
    Overview {
        stats: serde_json::from_value(stats).unwrap(),
        history: serde_json::from_value(history).unwrap(),
        workers: serde_json::from_value(workers.clone()).unwrap(),
        running: serde_json::from_value(running.clone()).unwrap(),
    }
}

/// The screen, line by line.
fn screen(overview: &Overview, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, overview)).unwrap();
    terminal.backend().to_string()
}

fn assert_says(screen: &str, words: &[&str]) {
    for word in words {
        assert!(screen.contains(word), "{word} is missing:\n{screen}");
    }
}

#[test]
fn a_queue_at_work_is_seen_at_a_glance() {
    let worker = json!({"name": "host-17", "seen_at": "2030-01-01T05:59:58Z", "draining": false,
        "slots": 4, "busy": 2,
        "refused": {"stage": "image", "next_probe_at": null}});
    let shown = screen(&overview(false, &json!([worker]), &json!([])), 120, 40);
    let head = ["stillcast · evenings", "12 ready", "2 running", "5 dead", "oldest 1 min 35 s"];
    assert_says(&shown, &head);
    assert_says(&shown, &["empty in 2 min 00 s to 6 min 00 s", "tts", "2.5 s", "9.0 s", "11.0 s"]);
    assert_says(&shown, &["workers: 1", "host-17", "2 of 4", "2.0 s", "refused at image"]);
    assert_says(&shown, &["40 done, 5 dead", "spent 1.2500, avoided 0.5000, wasted 0.1250 USD"]);
    assert!(!shown.contains("PAUSED") && !shown.contains("NO WORKER"), "{shown}");
}

#[test]
fn what_holds_everything_up_stands_in_the_first_line() {
    let shown = screen(&overview(true, &json!([]), &json!([])), 80, 24);
    let first = shown.lines().next().unwrap();
    assert!(first.contains("PAUSED") && first.contains("NO WORKER"), "{shown}");
}

#[test]
fn no_size_of_a_terminal_is_too_small() {
    for (width, height) in [(1, 1), (20, 5), (80, 10), (300, 100)] {
        assert!(!screen(&overview(true, &json!([]), &json!([])), width, height).is_empty());
    }
}
