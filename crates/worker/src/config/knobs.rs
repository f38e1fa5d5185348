//! The names of all settings, and what is said of names that are nearly one of them.

/// Every setting with its default and its sentence.
pub(super) const DEFAULTS: &str = include_str!("../../../../deploy/worker.toml");

/// Settings of the house's plan whose feature this version does not have.
const NOT_YET: [&str; 2] = ["max_attempts", "otel_exporter_otlp_endpoint"];

/// Letters by which a foreign name must differ from a setting's.
const NEAR: usize = 2;

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// A setting, by its name in the file.
    Known(&'static str),
    /// The time-out that is two.
    EncodeTimeout,
    /// A setting of a later version.
    NotYet,
    /// Nearly a setting: most likely a slip.
    Near(&'static str),
    /// Somebody else's.
    Foreign,
}

/// The settings' names in the file's order.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    DEFAULTS.lines().filter_map(setting_of)
}

/// The setting that a line of the file holds.
pub(super) fn setting_of(line: &'static str) -> Option<&'static str> {
    let (name, _) = line.split_once(" = ")?;
    (!name.starts_with('#')).then_some(name)
}

/// The file that may hold `name` instead, when `name` is a secret.
pub(super) fn secret_file_of(name: &str) -> Option<&'static str> {
    names().find(|other| other.strip_suffix("_file") == Some(name))
}

/// Judges a name of the environment, where settings are written in capitals.
pub(super) fn judge_variable(variable: &str) -> Name {
    let name = variable.to_ascii_lowercase();
    match judge(&name) {
        Name::Known(known) if variable != known.to_ascii_uppercase() => Name::Near(known),
        judged => judged,
    }
}

/// Judges a name of the file.
pub(super) fn judge(name: &str) -> Name {
    if let Some(known) = names().find(|known| *known == name) {
        return Name::Known(known);
    }
    if name == "encode_timeout" {
        return Name::EncodeTimeout;
    }
    if NOT_YET.contains(&name) {
        return Name::NotYet;
    }
    let near = names().find(|known| distance(known, name) <= NEAR);
    near.map_or(Name::Foreign, Name::Near)
}

/// Letters to put in, take out or replace to make one word the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (at, found) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *found);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_book() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("redis_url", "redis_uri"), 1);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn slips_are_named_and_strangers_ignored() {
        assert_eq!(judge_variable("REDIS_URL"), Name::Known("redis_url"));
        assert_eq!(judge_variable("REDIS_URI"), Name::Near("redis_url"));
        assert_eq!(judge_variable("redis_url"), Name::Near("redis_url"));
        assert_eq!(judge_variable("MAX_PARALLELTASK"), Name::Near("max_parallel_tasks"));
        assert_eq!(judge_variable("ENCODE_TIMEOUT"), Name::EncodeTimeout);
        assert_eq!(judge_variable("MAX_ATTEMPTS"), Name::NotYet);
        // What shells, systemd, Kubernetes and cargo put there.
        for stranger in [
            "PATH",
            "HOME",
            "TMPDIR",
            "LANG",
            "SHLVL",
            "HOSTNAME",
            "REDIS_PORT",
            "REDIS_HOST",
            "REDIS_SERVICE_HOST",
            "RUST_BACKTRACE",
            "RUST_LOG_STYLE",
            "LOG_LEVEL",
            "HTTP_ADDR",
            "INVOCATION_ID",
            "NOTIFY_SOCKET",
            "CARGO_HOME",
            "TTY",
            "EDITOR",
            "QUEUE_URL",
            "STORAGE_CLASS",
            "IMAGE_TAG",
            "IMAGE_NAME",
            "FFMPEG_BIN",
            "API_TOKENS",
            "AWS_PROFILE",
            "AWS_ROLE_ARN",
            "AWS_DEFAULT_REGION",
            "PGPASSWORD",
        ] {
            assert_eq!(judge_variable(stranger), Name::Foreign, "{stranger}");
        }
    }

    #[test]
    fn no_two_settings_could_be_a_slip_of_each_other_unseen() {
        for name in NOT_YET {
            assert_eq!(judge(name), Name::NotYet, "{name} has landed");
        }
        assert!(names().all(|name| judge(name) == Name::Known(name)));
    }

    #[test]
    fn secrets_may_lie_in_files() {
        assert_eq!(secret_file_of("redis_url"), Some("redis_url_file"));
        assert_eq!(secret_file_of("queue_name"), None);
    }
}
