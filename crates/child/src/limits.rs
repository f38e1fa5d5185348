//! Resource limits go in; what the child does to itself between fork and exec comes out.

use std::io;
use std::time::Duration;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getpid, getppid};
use tokio::process::Command;

/// Steps of priority by which a child gives way: a third of the others' share. A tenth would starve it on
/// a machine that others keep busy.
const WAY: i32 = 5;

/// Upper bounds that the kernel holds for one child; an unset one is inherited, and so is one that is
/// lower in this process: nobody may raise their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Address space in bytes; allocation fails beyond it.
    pub address_space: Option<u64>,
    /// Memory that it alone may write, in bytes: heap and stacks, not what is only reserved. Allocation
    /// fails beyond it.
    pub data: Option<u64>,
    /// CPU time, in whole seconds rounded up; SIGXCPU at the limit, SIGKILL a second later.
    pub cpu: Option<Duration>,
    /// Largest file it may write, in bytes; SIGXFSZ beyond it.
    pub file_size: Option<u64>,
    /// File descriptors it may hold.
    pub open_files: Option<u64>,
    /// Largest core dump in bytes; 0 for none.
    pub core: Option<u64>,
}

impl Limits {
    /// The limits as the kernel's pairs of soft and hard bound.
    fn rows(&self) -> Vec<(Resource, rlim_t, rlim_t)> {
        let cpu = self.cpu.map(|time| time.as_secs() + u64::from(time.subsec_nanos() > 0));
        let same = |limit: u64| (limit, limit);
        [
            (Resource::RLIMIT_AS, self.address_space.map(same)),
            (Resource::RLIMIT_DATA, self.data.map(same)),
            (Resource::RLIMIT_CPU, cpu.map(|seconds| (seconds, seconds + 1))),
            (Resource::RLIMIT_FSIZE, self.file_size.map(same)),
            (Resource::RLIMIT_NOFILE, self.open_files.map(same)),
            (Resource::RLIMIT_CORE, self.core.map(same)),
        ]
        .into_iter()
        .filter_map(|(resource, bounds)| bounds.map(|(soft, hard)| (resource, soft, hard)))
        .map(|(resource, soft, hard)| {
            let own = own_bound(resource);
            (resource, soft.min(own), hard.min(own))
        })
        .collect()
    }
}

/// What this process may have of it at most. One that cannot be read bounds nothing: the child's own
/// call then says what is wrong.
fn own_bound(resource: Resource) -> rlim_t {
    getrlimit(resource).map_or(rlim_t::MAX, |(_, hard)| hard)
}

/// Makes the child apply its limits, give way where it shall, and ask to be killed when its parent dies,
/// before it execs.
pub(crate) fn harden(command: &mut Command, limits: &Limits, gives_way: bool) {
    let rows = limits.rows();
    let parent = getpid();
    #[expect(
        unsafe_code,
        reason = "limits, priority and the parent-death signal can only be set in the child"
    )]
    // SAFETY: between fork and exec the closure only makes system calls on memory that was filled
    // before the fork (nice, setrlimit, prctl, getppid); it neither allocates nor takes a lock.
    unsafe {
        command.pre_exec(move || {
            if gives_way {
                // Whoever cannot give way any further is fine.
                let _ = nix::libc::nice(WAY);
            }
            prepare(&rows, parent)
        });
    }
}

fn prepare(rows: &[(Resource, rlim_t, rlim_t)], parent: Pid) -> io::Result<()> {
    for &(resource, soft, hard) in rows {
        setrlimit(resource, soft, hard)?;
    }
    set_pdeathsig(Signal::SIGKILL)?;
    // The parent may have died before the call above: then no signal will ever come.
    if getppid() != parent {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(())
}
