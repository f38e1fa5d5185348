//! How often each step is tried, and with what.

use proptest::prelude::*;
use stillcast_enqueue::StageName;

use super::{BODIES, CHECKPOINTS, FLIGHTS, IDS, Op, Pick, RandomReport, RandomRequest, WORKERS};
use crate::fixture::{LEASE, Standing};
use crate::model::webhooks::SENDER_LEASE;

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let worker = 0..WORKERS.len();
    let id = 0..IDS.len();
    let flight = 0..FLIGHTS.len();
    prop_oneof![
        8 => prop::collection::vec(request(), 1..3).prop_map(Op::Enqueue),
        12 => (worker.clone(), 1..5_usize).prop_map(|(worker, free)| Op::Claim { worker, free }),
        2 => worker.clone().prop_map(|worker| Op::ClaimAgain { worker }),
        2 => Just(Op::PopWake),
        8 => pick().prop_map(Op::Begin),
        4 => (worker.clone(), prop::option::of(any::<usize>()), standing())
            .prop_map(|(worker, stale, standing)| Op::Renew { worker, stale, standing }),
        3 => (pick(), 0..CHECKPOINTS.len()).prop_map(|(pick, name)| Op::Checkpoint(pick, name)),
        1 => (pick(), 0..100_u8).prop_map(|(pick, percent)| Op::Progress(pick, percent)),
        9 => (pick(), report()).prop_map(|(pick, report)| Op::Report(pick, report)),
        6 => (prop::collection::vec((pick(), report()), 1..4), worker.clone(), 1..5_usize)
            .prop_map(|(reports, worker, free)| Op::Exchange(reports, (worker, free))),
        8 => prop::bool::weighted(0.1).prop_map(|everything| Op::Reap { everything }),
        3 => id.clone().prop_map(Op::Cancel),
        3 => id.clone().prop_map(Op::Replay),
        2 => (id.clone(), 0..StageName::ALL.len()).prop_map(|(id, from)| Op::ReplayFrom(id, from)),
        2 => id.prop_map(Op::Purge),
        8 => (pick(), flight.clone()).prop_map(|(pick, key)| Op::Join(pick, key)),
        3 => (pick(), flight.clone(), 0..3_usize).prop_map(|(pick, key, how)| Op::Land(pick, key, how)),
        2 => prop::bool::weighted(0.4).prop_map(Op::Pause),
        3 => (worker.clone(), any::<bool>()).prop_map(|(worker, gone)| Op::Drain { worker, gone }),
        6 => (0..4_usize).prop_map(Op::Notify),
        6 => (pick(), 0..5_usize, 0..2 * SENDER_LEASE)
            .prop_map(|(pick, outcome, delay)| Op::Notified(pick, outcome, delay)),
        2 => (0..IDS.len()).prop_map(Op::Resend),
        4 => Just(Op::Again),
        12 => time().prop_map(Op::Time),
        14 => worker.clone().prop_map(|worker| Op::Start { worker }),
        6 => Just(Op::Outlive),
        6 => (pick(), pick(), flight.clone())
            .prop_map(|(first, second, key)| Op::Follow { first, second, key }),
        2 => worker.prop_map(|worker| Op::Vanish { worker }),
    ]
}

fn pick() -> impl Strategy<Value = Pick> {
    (prop::bool::weighted(0.9), any::<usize>()).prop_map(|(current, at)| Pick { current, at })
}

/// Slots that are full or not, and now and then a refusal.
fn standing() -> impl Strategy<Value = Standing> {
    let refused = prop_oneof![4 => Just(""), 1 => Just("tts"), 1 => Just("any")];
    (1..3_i64, 0..4_i64, refused, 0..2 * LEASE).prop_map(|(slots, busy, refused, probe)| Standing {
        slots,
        busy,
        refused,
        probe,
    })
}

/// Steps of time: moments, stalls beyond each limit, and the clock set back.
fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => 1..LEASE / 6,
        6 => Just(LEASE / 3),
        3 => LEASE / 2..LEASE,
        4 => LEASE + 1..2 * LEASE,
        2 => 20_000..80_000_i64,
        1 => Just(7 * 24 * 3_600_000),
        2 => -2 * LEASE..0,
    ]
}

fn request() -> impl Strategy<Value = RandomRequest> {
    let run_in = prop_oneof![3 => Just(0), 1 => 1..3 * LEASE];
    let deadline_in = prop_oneof![4 => Just(0), 2 => 1..10 * LEASE];
    let priority = prop_oneof![Just(5), Just(6), Just(0)];
    let id = 0..IDS.len();
    (
        id,
        0..BODIES.len(),
        prop::bool::weighted(0.2),
        0..4_usize,
        priority,
        run_in,
        deadline_in,
        1..4_i64,
    )
        .prop_map(|(id, body, tenant, key, priority, run_in, deadline_in, max_attempts)| {
            RandomRequest { id, body, tenant, key, priority, run_in, deadline_in, max_attempts }
        })
}

fn report() -> impl Strategy<Value = RandomReport> {
    let outcome = prop_oneof![
        3 => Just(("done", "")),
        3 => Just(("retry", "")),
        3 => Just(("dead", "")),
        2 => Just(("park", "provider")),
        5 => Just(("park", "flight")),
        3 => Just(("release", "")),
        4 => Just(("crash", "")),
    ];
    let flights = prop::collection::vec(prop::bool::weighted(0.5), FLIGHTS.len());
    (outcome, 0..2 * LEASE, flights).prop_map(|((outcome, reason), delay, flights)| RandomReport {
        outcome,
        delay,
        reason,
        flights,
    })
}
