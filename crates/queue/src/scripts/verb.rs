//! The table of verbs: each has one word, one script of that name under `lua/`, and one sentence.

use stillcast_enqueue::lua;

/// Names one script. The words in italics are transitions of the crate's README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// *claim*: a ready job goes to a worker.
    Claim,
    /// The first write of an attempt.
    Begin,
    /// *renew*: the leases of a worker go on.
    Renew,
    /// *checkpoint*: a finished paid call is remembered.
    Checkpoint,
    /// Stage and percent, for those who watch.
    Progress,
    /// *done*, *retry*, *park*, *dead*, *release* or *crash*: the holder ends its leases.
    Report,
    /// Reports, and a claim for the slots that they free.
    Exchange,
    /// *reap*, *promote*, *unpark*, *expire*, and retention: what time alone decides.
    Reap,
    /// *cancel*: a person ends a job.
    Cancel,
    /// *replay*: a person sends a dead job round again.
    Replay,
    /// The record of an ended job goes.
    Purge,
    /// Into a flight.
    Join,
    /// Out of a flight, with its result.
    Land,
    /// A worker leaves.
    Drain,
    /// Claims stop or go on.
    Pause,
    /// One consistent look.
    Stats,
    /// The fleet's next probe behind a refusal.
    Probe,
    /// Due deliveries of webhooks go to a sender.
    Notify,
    /// What became of an attempt to deliver one.
    Notified,
    /// A person has a webhook sent again.
    Resend,
    /// Why a job does not run.
    Why,
    /// One wish for many jobs begins, gathers them, sets out or is stopped.
    Bulk,
    /// *cancel*, *replay* or *purge* for the next jobs of a bulk action.
    BulkStep,
    /// What a worker has counted goes into the history.
    Tally,
    /// May a call begin under the limits of a provider's account?
    Admit,
    /// What became of such calls.
    Settle,
    /// What a tenant spends in a day.
    Spend,
    /// Who waits for the next day and need not any more.
    Afford,
}

/// What the scripts of workers share, in parts as the preamble.
pub(crate) const PARTS: &str = concat!(
    "\n",
    include_str!("../../lua/lease_preamble.lua"),
    "\n",
    include_str!("../../lua/report_preamble.lua"),
    "\n",
    include_str!("../../lua/claim_preamble.lua"),
    "\n",
    include_str!("../../lua/limit_preamble.lua"),
);

/// What the scripts of bulk actions share.
const BULK_PREAMBLE: &str = include_str!("../../lua/bulk_preamble.lua");
/// In front of the verbs that a bulk action calls: who wishes it stands in the action's own line.
const UNNOTED: &str = "local function actor() end\nlocal function note() end\n";

impl Verb {
    /// Every verb and its script, in the order of the enum.
    const TABLE: [(Self, &'static str); 28] = [
        (Self::Claim, include_str!("../../lua/claim.lua")),
        (Self::Begin, include_str!("../../lua/begin.lua")),
        (Self::Renew, include_str!("../../lua/renew.lua")),
        (Self::Checkpoint, include_str!("../../lua/checkpoint.lua")),
        (Self::Progress, include_str!("../../lua/progress.lua")),
        (Self::Report, include_str!("../../lua/report.lua")),
        (Self::Exchange, include_str!("../../lua/exchange.lua")),
        (Self::Reap, include_str!("../../lua/reap.lua")),
        (Self::Cancel, lua::CANCEL),
        (Self::Replay, include_str!("../../lua/replay.lua")),
        (Self::Purge, include_str!("../../lua/purge.lua")),
        (Self::Join, include_str!("../../lua/join.lua")),
        (Self::Land, include_str!("../../lua/land.lua")),
        (Self::Drain, include_str!("../../lua/drain.lua")),
        (Self::Pause, include_str!("../../lua/pause.lua")),
        (Self::Stats, include_str!("../../lua/stats.lua")),
        (Self::Probe, include_str!("../../lua/probe.lua")),
        (Self::Notify, include_str!("../../lua/notify.lua")),
        (Self::Notified, include_str!("../../lua/notified.lua")),
        (Self::Resend, include_str!("../../lua/resend.lua")),
        (Self::Why, include_str!("../../lua/why.lua")),
        (Self::Bulk, include_str!("../../lua/bulk.lua")),
        (Self::BulkStep, include_str!("../../lua/bulk_step.lua")),
        (Self::Tally, include_str!("../../lua/tally.lua")),
        (Self::Admit, include_str!("../../lua/admit.lua")),
        (Self::Settle, include_str!("../../lua/settle.lua")),
        (Self::Spend, include_str!("../../lua/spend.lua")),
        (Self::Afford, include_str!("../../lua/afford.lua")),
    ];

    /// Every verb.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        Self::TABLE.into_iter().map(|(verb, _)| verb)
    }

    /// Whether people call it, to change a job or the queue: then its values 3 to 5 say who and why,
    /// and each change leaves its line in the audit.
    pub fn is_of_people(self) -> bool {
        match self {
            Self::Cancel | Self::Replay | Self::Purge | Self::Pause | Self::Resend => true,
            Self::Claim
            | Self::Begin
            | Self::Renew
            | Self::Checkpoint
            | Self::Progress
            | Self::Report
            | Self::Exchange
            | Self::Reap
            | Self::Join
            | Self::Land
            | Self::Drain
            | Self::Stats
            | Self::Probe
            | Self::Notify
            | Self::Notified
            | Self::Why
            // It says who and why elsewhere among its values, and has one line for all of its jobs.
            | Self::Bulk
            | Self::BulkStep
            | Self::Tally
            | Self::Admit
            | Self::Settle
            | Self::Spend
            | Self::Afford => false,
        }
    }

    pub(crate) fn source(self) -> &'static str {
        Self::TABLE[self.index()].1
    }

    /// The whole script, with this preamble.
    pub(super) fn assembled(self, preamble: &str) -> lua::Assembled {
        lua::assemble(&format!("{preamble}{PARTS}"), &self.whole())
    }

    /// What stands behind the preamble: the script, and in front of it what it shares with others.
    fn whole(self) -> String {
        let shared = match self {
            Self::Bulk => BULK_PREAMBLE.to_owned(),
            Self::BulkStep => format!("{BULK_PREAMBLE}{}", Self::wishes()),
            _ => String::new(),
        };
        shared + self.source()
    }

    /// The scripts that a bulk action calls, as functions.
    fn wishes() -> String {
        let wish = |verb: Self, word| format!("{word} = function(ARGV)\n{}\nend,\n", verb.source());
        let verbs = [(Self::Cancel, "cancel"), (Self::Replay, "replay"), (Self::Purge, "purge")];
        let wishes = verbs.map(|(verb, word)| wish(verb, word)).concat();
        format!("{UNNOTED}local wishes = {{\n{wishes}}}\n")
    }

    /// The verb's place in the table.
    pub(super) fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_order_of_the_verbs() {
        for (index, verb) in Verb::all().enumerate() {
            assert_eq!(verb.index(), index, "{verb:?}");
        }
    }

    #[test]
    fn every_verb_names_its_keys_in_its_head() {
        for verb in Verb::all() {
            let mut head = verb.source().lines().skip_while(|line| !line.starts_with("-- KEYS "));
            let first = head.next().expect("each head names its keys");
            let rest = head.take_while(|line| line.starts_with("--       "));
            let words = [first].into_iter().chain(rest).flat_map(str::split_whitespace);
            let named: Vec<_> = words.filter(|word| !["--", "KEYS"].contains(word)).collect();
            let keys = verb.assembled(lua::PREAMBLE).keys;
            assert_eq!(named, keys, "{verb:?}: its head (left), what it uses (right)");
        }
    }
}
