//! Each thing that is counted has a name in Redis: it is written here, and read here.

use std::fmt;

use stillcast_enqueue::{Format, StageName, State};

use super::buckets::bucket;

/// What a count is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Name {
    /// Waits of a stage for its slot, in this bucket.
    Wait(StageName, u32),
    /// Runs of a stage in this bucket; `encode` by format, since the two differ much.
    Run(StageName, Option<Format>, u32),
    /// Tries of a stage.
    Tries(StageName),
    /// Results of a stage that a checkpoint or cache gave.
    Hit(StageName),
    /// Results of a stage that had to be made.
    Miss(StageName),
    /// Failed calls, by stage, provider and code.
    Error(StageName, String, String),
    /// Attempts after which the job was in this state.
    Job(State),
    /// Attempts that delivered, in this bucket of their whole length.
    Attempt(Format, u32),
    /// Millionths of a US dollar: `spent`, `avoided`, `wasted`.
    Money(Money),
    /// Jobs in this state when the slot began.
    Depth(State),
    /// Seconds that the oldest job had waited for this reason when the slot began.
    Oldest(String),
    /// Workers when the slot began.
    Workers,
}

/// What became of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Money {
    Spent,
    Avoided,
    Wasted,
}

impl Name {
    pub(super) fn wait(stage: StageName, seconds: f64) -> Self {
        Self::Wait(stage, bucket(seconds))
    }

    pub(super) fn run(stage: StageName, format: Format, seconds: f64) -> Self {
        let format = (stage == StageName::Encode).then_some(format);
        Self::Run(stage, format, bucket(seconds))
    }

    pub(super) fn attempt(format: Format, seconds: f64) -> Self {
        Self::Attempt(format, bucket(seconds))
    }

    /// A failed call; what a name cannot hold is a dash.
    pub(super) fn error(stage: StageName, provider: &str, code: &str) -> Self {
        Self::Error(stage, word(provider), word(code))
    }
}

/// At most 32 letters, so that a name fits into what the script takes.
fn word(text: &str) -> String {
    let plain = |letter: char| {
        let letter = letter.to_ascii_lowercase();
        let is_plain = letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if is_plain { letter } else { '-' }
    };
    let word: String = text.chars().take(32).map(plain).collect();
    if word.is_empty() { "-".to_owned() } else { word }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wait(stage, bucket) => write!(f, "wait:{stage}:{bucket}"),
            Self::Run(stage, None, bucket) => write!(f, "run:{stage}:{bucket}"),
            Self::Run(stage, Some(format), bucket) => write!(f, "run:{stage}/{format}:{bucket}"),
            Self::Tries(stage) => write!(f, "tries:{stage}"),
            Self::Hit(stage) => write!(f, "hit:{stage}"),
            Self::Miss(stage) => write!(f, "miss:{stage}"),
            Self::Error(stage, provider, code) => write!(f, "error:{stage}:{provider}:{code}"),
            Self::Job(state) => write!(f, "job:{state}"),
            Self::Attempt(format, bucket) => write!(f, "attempt:{format}:{bucket}"),
            Self::Money(Money::Spent) => f.write_str("spent"),
            Self::Money(Money::Avoided) => f.write_str("avoided"),
            Self::Money(Money::Wasted) => f.write_str("wasted"),
            Self::Depth(state) => write!(f, "depth:{state}"),
            Self::Oldest(reason) => write!(f, "oldest:{reason}"),
            Self::Workers => f.write_str("workers"),
        }
    }
}

impl Name {
    /// What this version knows of a name; a newer one may write others.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let parts: Vec<&str> = rest.split(':').collect();
        Some(match (kind, parts.as_slice()) {
            ("wait", [stage, bucket]) => Self::Wait(StageName::parse(stage)?, bucket.parse().ok()?),
            ("run", [place, bucket]) => {
                let (stage, format) = place.split_once('/').unzip();
                let format = format.map(str::parse).transpose().ok()?;
                Self::Run(StageName::parse(stage.unwrap_or(place))?, format, bucket.parse().ok()?)
            }
            ("tries", [stage]) => Self::Tries(StageName::parse(stage)?),
            ("hit", [stage]) => Self::Hit(StageName::parse(stage)?),
            ("miss", [stage]) => Self::Miss(StageName::parse(stage)?),
            ("error", [stage, provider, code]) => {
                let (provider, code) = ((*provider).to_owned(), (*code).to_owned());
                Self::Error(StageName::parse(stage)?, provider, code)
            }
            ("job", [state]) => Self::Job(State::parse(state)?),
            ("attempt", [format, bucket]) => {
                Self::Attempt(format.parse().ok()?, bucket.parse().ok()?)
            }
            ("spent", _) => Self::Money(Money::Spent),
            ("avoided", _) => Self::Money(Money::Avoided),
            ("wasted", _) => Self::Money(Money::Wasted),
            ("depth", [state]) => Self::Depth(State::parse(state)?),
            ("oldest", [reason]) => Self::Oldest((*reason).to_owned()),
            ("workers", _) => Self::Workers,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_its_text() {
        let long = "Ünknown Voice/".repeat(9);
        for name in [
            Name::wait(StageName::Tts, 3.0),
            Name::run(StageName::Image, Format::Video, 3.0),
            Name::run(StageName::Encode, Format::Video, 3.0),
            Name::Tries(StageName::Upload),
            Name::Hit(StageName::Transcript),
            Name::Miss(StageName::Transcript),
            Name::error(StageName::Tts, "openai", "rate-limited"),
            Name::error(StageName::Tts, "", &long),
            Name::Job(State::Dead),
            Name::attempt(Format::Video, 7.0),
            Name::Money(Money::Spent),
            Name::Money(Money::Avoided),
            Name::Money(Money::Wasted),
            Name::Depth(State::Ready),
            Name::Oldest("back-off".to_owned()),
            Name::Workers,
        ] {
            let text = name.to_string();
            assert_eq!(Name::parse(&text), Some(name), "{text}");
            assert!(text.len() <= 96, "{text}");
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            assert!(text.bytes().all(|byte| plain(byte) || b":/._-".contains(&byte)), "{text}");
        }
        for odd in ["", "wait:tts", "wait:lunch:3", "run:encode/film:3", "hope:7"] {
            assert_eq!(Name::parse(odd), None, "{odd}");
        }
    }
}
