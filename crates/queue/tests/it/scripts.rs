//! The scripts as texts: they agree with the key names, and none can run away.

use std::path::Path;

use queue::Verb;
use stillcast_enqueue::{keys, lua};

use crate::fixture::{Queue, Request, START};

/// Most steps of one loop, and most values of one `unpack`.
const LIMIT: u32 = 500;

fn sources() -> Vec<(String, String)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder of all crates");
    let folders = ["queue/lua", "enqueue/lua"].map(|folder| crates.join(folder));
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a script");
        (path.file_name().expect("a name").to_string_lossy().into_owned(), text)
    };
    files.map(read).collect()
}

#[test]
fn the_preamble_names_the_fixed_keys_in_their_order() {
    let (_, rest) = lua::PREAMBLE.split_once("local ready").expect("the names of the keys");
    let (names, _) = rest.split_once("= unpack(KEYS)").expect("their unpacking");
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    assert_eq!(["ready"].iter().chain(&names[1..]).copied().collect::<Vec<_>>(), keys::FIXED);
    assert_eq!(names[0], "");
}

#[test]
fn every_script_opens_with_its_contract() {
    let all = sources();
    assert_eq!(all.len(), Verb::all().len() + 2, "each verb, enqueue and the preamble");
    for (name, text) in all {
        let head: Vec<&str> =
            text.lines().take_while(|line| line.starts_with(['-', '#'])).collect();
        let says = |word: &str| head.iter().any(|line| line.starts_with(&format!("-- {word}")));
        assert!(head.len() >= 3, "{name} has no head");
        assert!(says("ARGV") || !text.contains("ARGV["), "{name}: no ARGV");
        assert!(says("Returns") || says("KEYS"), "{name}: neither returns nor keys");
    }
}

/// Every range that a script reads is bounded, or is of one job or one call.
#[test]
fn no_script_reads_a_whole_index() {
    for (name, text) in sources() {
        for word in ["'KEYS'", "'SMEMBERS'", "'HKEYS'", "'HVALS'", "'SORT'", "0, -1"] {
            assert!(!text.contains(word), "{name} uses {word}");
        }
        for line in text.lines().filter(|line| line.contains("ZRANGEBYSCORE")) {
            assert!(line.contains("'LIMIT', 0, "), "{name}: {line}");
        }
        for line in text.lines().filter(|line| line.trim_start().starts_with("for _ = 1, ")) {
            let bound = line.trim_start().trim_start_matches("for _ = 1, ").trim_end_matches(" do");
            let known = bound.parse::<u32>().is_ok_and(|bound| bound <= LIMIT);
            assert!(known || bound == "WAITERS_A_SCRIPT", "{name}: {line}");
        }
        for line in text.lines().filter(|line| line.contains("'HGETALL'")) {
            assert!(line.contains("job_key(id)"), "{name}: {line}");
        }
        for constant in ["WAITERS_A_SCRIPT = ", "A_SCRIPT, GONE_AFTER_LEASES = "] {
            let Some((_, rest)) = text.split_once(constant) else { continue };
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            assert!(number.parse::<u32>().is_ok_and(|n| n <= LIMIT), "{name}: {constant}{number}");
        }
    }
}

#[test]
fn the_worst_reap_stays_within_its_steps() {
    let mut queue = Queue::start();
    for batch in 0..4 {
        let one =
            |at: usize| Request { deadline: START + 10, ..Request::new(format!("j{batch}-{at}")) };
        queue.enqueue(&(0..500).map(one).collect::<Vec<_>>());
    }
    queue.advance(10);
    let expired: Vec<i64> = (0..5).map(|_| queue.reap("", false).expired).collect();
    assert_eq!(expired, [500, 500, 500, 500, 0]);
}
