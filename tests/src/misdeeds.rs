//! A handler's script goes in; what it asks for is done: abort, block, eat, hang, panic or fail.

use std::time::Duration;

use crate::script::Script;

/// Does what `script` asks for in `call`; whether the call's provider fails.
pub async fn misbehave(script: &Script, call: u32) -> bool {
    if call == script.abort_at {
        // Late enough for its neighbours to have begun.
        tokio::time::sleep(Duration::from_millis(script.ms)).await;
        std::process::abort();
    }
    if call == script.block_at {
        block_the_runtime().await;
    }
    if call == script.eat_at {
        eat_memory();
    }
    if call == script.hang_at {
        std::future::pending::<()>().await;
    }
    assert_ne!(call, script.panic_at, "asked to panic");
    call == script.fail_at
}

/// Until nobody gives any more.
fn eat_memory() {
    let mut eaten = Vec::new();
    loop {
        // Touched, so that it counts wherever memory is counted.
        eaten.push(vec![1_u8; 16 << 20]);
        std::hint::black_box(&eaten);
    }
}

/// Every thread of the runtime, for longer than any lease.
#[expect(
    clippy::disallowed_methods,
    reason = "doing what the lint forbids is the fault under test"
)]
async fn block_the_runtime() {
    let mut blockers = tokio::task::JoinSet::new();
    for _ in 0..2 {
        blockers.spawn(async { std::thread::sleep(Duration::from_mins(10)) });
    }
    while blockers.join_next().await.is_some() {}
}
