//! The machine's own word for whoever runs this program.

use nix::unistd::{Uid, User};

/// The name of the user, or their number when the machine has no name for it.
pub(crate) fn name() -> String {
    let user = Uid::current();
    let known = User::from_uid(user).ok().flatten();
    known.map_or_else(|| format!("uid-{user}"), |known| known.name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn somebody_runs_this() {
        let name = super::name();
        assert!(!name.is_empty() && !name.contains(char::is_control), "{name:?}");
    }
}
