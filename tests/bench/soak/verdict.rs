//! What was written down in a soak goes in; whether anything is wrong with it comes out.

use std::fmt;

use crate::samples::Sample;

/// Memory that may come on top of what there was, as a share and in bytes: allocators have their days.
const ROOM: (f64, f64) = (0.10, 16.0 * 1024.0 * 1024.0);
/// What `stillcast serve` may take for what is searched, beside.
const SEARCHED: f64 = 160.0 * 1024.0 * 1024.0;
/// Fewer looks tell nothing of growth.
const FEWEST_LOOKS: usize = 12;
/// So many seconds' jobs may wait for their removal: three rounds of a reaper.
const REMOVAL_S: f64 = 15.0;

/// What is known at the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// Jobs that the queue has acknowledged.
    pub(crate) acknowledged: u64,
    /// Those that it counts as done.
    pub(crate) done: u64,
    /// Reports that were accepted, as workers have heard.
    pub(crate) accepted: u64,
    /// Jobs that never ran.
    pub(crate) never_ran: u64,
    /// Jobs that ran more than once.
    pub(crate) ran_again: u64,
    /// Those that may have, since their worker was cut off.
    pub(crate) may_run_again: u64,
    /// What `queue verify` complains of.
    pub(crate) violations: Vec<String>,
    /// Records that are kept, and that there should be at most.
    pub(crate) records: (u64, u64),
    /// All looks.
    pub(crate) samples: Vec<Sample>,
}

impl Found {
    /// Acknowledged, and not done.
    pub(crate) fn lost(&self) -> u64 {
        self.acknowledged.saturating_sub(self.done).max(self.never_ran)
    }

    /// Done twice, or run twice without need.
    pub(crate) fn doubled(&self) -> u64 {
        let twice = self.done.max(self.accepted).saturating_sub(self.acknowledged);
        twice.max(self.ran_again.saturating_sub(self.may_run_again))
    }

    /// Jobs a second while the program ran.
    pub(crate) fn rate(&self) -> f64 {
        let runs = self.samples.chunk_by(|one, other| one.run == other.run);
        let (jobs, seconds) = runs.fold((0.0, 0.0), |(jobs, seconds), run| {
            let (Some(first), Some(last)) = (run.first(), run.last()) else {
                return (jobs, seconds);
            };
            let done = last.done.saturating_sub(first.done) as f64;
            (jobs + done, seconds + last.at_s - first.at_s)
        });
        if seconds > 0.0 { jobs / seconds } else { 0.0 }
    }

    /// The same between the two looks between which it was fastest.
    fn pace(&self) -> f64 {
        let paces = self.samples.windows(2).filter(|pair| pair[0].run == pair[1].run).map(|pair| {
            let done = pair[1].done.saturating_sub(pair[0].done) as f64;
            done / (pair[1].at_s - pair[0].at_s).max(f64::MIN_POSITIVE)
        });
        paces.fold(0.0, f64::max)
    }

    /// Most records that were kept at any look.
    pub(crate) fn most_records(&self) -> u64 {
        self.samples.iter().map(|sample| sample.records).max().unwrap_or_default()
    }

    /// The slowest of the runs.
    pub(crate) fn script_p99_ms(&self) -> f64 {
        self.samples.iter().map(|sample| sample.script_p99_ms).fold(0.0, f64::max)
    }

    /// What each part held in the first and in the second half of the longest run, once as many records were
    /// kept as may be; in bytes.
    pub(crate) fn memory(&self) -> Vec<(String, f64, f64)> {
        let runs = self.samples.chunk_by(|one, other| one.run == other.run);
        let is_full = |sample: &&Sample| sample.done >= 2 * self.records.1;
        let full = runs.map(|run| run.iter().filter(is_full).collect::<Vec<&Sample>>());
        let longest = full.max_by_key(Vec::len).unwrap_or_default();
        if longest.len() < FEWEST_LOOKS {
            return Vec::new();
        }
        let (first, second) = longest.split_at(longest.len() / 2);
        let names = longest[0].memory.parts().into_iter().map(|(name, _)| name).enumerate();
        names.map(|(part, name)| (name, middle(first, part), middle(second, part))).collect()
    }

    /// Whatever is wrong, a sentence each.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = self.violations.clone();
        let mut demand = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };
        demand(self.lost() == 0, format!("{} jobs are lost", self.lost()));
        demand(self.doubled() == 0, format!("{} jobs are doubled", self.doubled()));
        let (kept, most) = self.records;
        demand(kept <= most, format!("{kept} records are kept, and {most} may be"));
        let late = most as f64 + REMOVAL_S * self.pace();
        let seen = self.most_records();
        demand(seen as f64 <= late, format!("{seen} records were kept at once; {most} may be"));
        for (name, before, after) in self.memory() {
            let searched = if name == "serve" { SEARCHED } else { 0.0 };
            let grown = format!("{name} has grown from {} to {}", Mib(before), Mib(after));
            demand(after <= before * (1.0 + ROOM.0) + ROOM.1 + searched, grown);
        }
        faults
    }
}

/// The median of one part of memory.
fn middle(samples: &[&Sample], part: usize) -> f64 {
    let held = samples.iter().filter_map(|sample| Some(sample.memory.parts().get(part)?.1));
    let mut held: Vec<u64> = held.collect();
    held.sort_unstable();
    held.get(held.len() / 2).copied().unwrap_or_default() as f64
}

/// Bytes, as people read them.
pub(crate) struct Mib(pub(crate) f64);

impl fmt::Display for Mib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} MiB", self.0 / 1024.0 / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Memory;

    const MIB: u64 = 1024 * 1024;

    /// A thousand jobs in a hundred seconds, of which at most a hundred are kept.
    fn sound() -> Found {
        let sample = |at: u64| Sample {
            run: 1,
            at_s: at as f64,
            done: 10 * at,
            records: (10 * at).min(100),
            memory: Memory { redis: 50 * MIB, workers: vec![20 * MIB; 2], serve: 60 * MIB },
            script_p99_ms: 1.0,
        };
        Found {
            acknowledged: 1_000,
            done: 1_000,
            accepted: 1_000,
            records: (100, 100),
            samples: (0..=100).map(sample).collect(),
            ..Found::default()
        }
    }

    /// The one thing that is wrong with it.
    fn fault(found: &Found) -> String {
        let faults = found.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].clone()
    }

    /// The same with another memory of each sample.
    fn with_memory(change: impl Fn(u64, &mut Memory)) -> Found {
        let mut found = sound();
        for (at, sample) in (0..).zip(&mut found.samples) {
            change(at, &mut sample.memory);
        }
        found
    }

    #[test]
    fn where_all_is_well_nothing_is_said() {
        assert_eq!(sound().faults(), [""; 0]);
        assert!((sound().rate() - 10.0).abs() < 1e-9);
    }

    #[test]
    fn each_loss_is_seen_by_itself() {
        assert_eq!(fault(&Found { done: 999, ..sound() }), "1 jobs are lost");
        assert_eq!(fault(&Found { never_ran: 2, ..sound() }), "2 jobs are lost");
    }

    #[test]
    fn each_double_is_seen_by_itself_and_one_whose_worker_was_cut_off_is_none() {
        assert_eq!(fault(&Found { accepted: 1_003, ..sound() }), "3 jobs are doubled");
        assert_eq!(fault(&Found { ran_again: 5, ..sound() }), "5 jobs are doubled");
        let cut_off = Found { ran_again: 5, may_run_again: 5, ..sound() };
        assert_eq!(cut_off.faults(), [""; 0]);
    }

    #[test]
    fn growing_memory_is_seen_in_each_part_and_what_is_searched_is_none() {
        let redis = with_memory(|at, memory| memory.redis += at * MIB);
        assert_eq!(fault(&redis), "redis has grown from 90.0 MiB to 130.0 MiB");
        let worker = with_memory(|at, memory| memory.workers[1] += at * MIB);
        assert!(fault(&worker).starts_with("worker 2 has grown"));
        let searched = with_memory(|at, memory| memory.serve += at * MIB);
        assert_eq!(searched.faults(), [""; 0]);
        let serve = with_memory(|at, memory| memory.serve += 6 * at * MIB);
        assert!(fault(&serve).starts_with("serve has grown"));
    }

    #[test]
    fn records_that_stay_are_seen_during_and_after() {
        assert!(fault(&Found { records: (101, 100), ..sound() }).contains("101 records are kept"));
        let mut found = sound();
        found.samples[60].records = 500;
        assert_eq!(fault(&found), "500 records were kept at once; 100 may be");
    }

    #[test]
    fn runs_are_apart() {
        let mut found = sound();
        // The second run began an hour later, with other processes.
        for sample in &mut found.samples[60..] {
            sample.run = 2;
            sample.at_s -= 60.0;
            sample.memory.redis *= 3;
        }
        assert!((found.rate() - 10.0).abs() < 0.2, "{}", found.rate());
        assert_eq!(found.faults(), [""; 0]);
    }
}
