//! `API_TOKENS` goes in; who a bearer is comes out. What is kept of a token is its digest.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use queue::Interface;
use sha2::{Digest, Sha256};
use stillcast_enqueue::Identifier;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::caller::{Caller, Role};

/// Shortest token: 16 characters out of 64 are 96 bits.
const MIN_LENGTH: usize = 16;
/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why tokens cannot be used; never holds one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokensError {
    /// An entry is not as it must be.
    #[error(
        "API_TOKENS: entry {number} {problem}; an entry is `name:token:tenant:roles`, the tenant `*` \
         for all, the roles of enqueue, read, operate and admin with `+` between them"
    )]
    Entry {
        /// Which, from 1.
        number: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The file cannot be read.
    #[error("API_TOKENS_FILE: {path} cannot be read: {kind}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        kind: std::io::ErrorKind,
    },
}

/// Who may ask. Cheap to clone; all clones see a change of the file.
#[derive(Clone)]
pub struct Tokens {
    file: Option<Arc<Path>>,
    entries: Arc<RwLock<Arc<Vec<Entry>>>>,
}

struct Entry {
    digest: [u8; 32],
    caller: Caller,
}

impl Tokens {
    /// Nobody but this machine.
    pub fn none() -> Self {
        Self::of(None, Vec::new())
    }

    /// Entries with commas, spaces or lines between them.
    pub fn parse(text: &str) -> Result<Self, TokensError> {
        Ok(Self::of(None, parse(text)?))
    }

    /// The entries of a file, read again whenever it has changed.
    pub fn of_file(path: &Path) -> Result<Self, TokensError> {
        Ok(Self::of(Some(path.into()), parse(&read(path)?)?))
    }

    fn of(file: Option<Arc<Path>>, entries: Vec<Entry>) -> Self {
        Self { file, entries: Arc::new(RwLock::new(Arc::new(entries))) }
    }

    /// Whether anybody but this machine may ask.
    pub fn is_empty(&self) -> bool {
        self.file.is_none() && self.entries().is_empty()
    }

    /// Who bears `token`.
    pub(crate) fn caller(&self, token: &str) -> Option<Caller> {
        let digest = digest(token);
        self.find(|known| known.ct_eq(&digest))
    }

    /// Who bears the token whose digest is the one. Asks of every token, in the same time for each.
    pub(crate) fn find(&self, is_it: impl Fn(&[u8; 32]) -> Choice) -> Option<Caller> {
        let entries = self.entries();
        let mut found = u64::MAX;
        for (at, entry) in (0u64..).zip(entries.iter()) {
            found.conditional_assign(&at, is_it(&entry.digest));
        }
        let at = usize::try_from(found).ok()?;
        entries.get(at).map(|entry| entry.caller.clone())
    }

    /// One digest of all of them.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut all = Sha256::new_with_prefix("stillcast tokens");
        self.entries().iter().for_each(|entry| all.update(entry.digest));
        all.finalize().into()
    }

    fn entries(&self) -> Arc<Vec<Entry>> {
        Arc::clone(&self.entries.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the file until it is dropped. A file that cannot be read changes nothing, and is told
    /// once.
    pub(crate) async fn follow_file(self) {
        let Some(path) = self.file.clone() else { return };
        let mut seen = None;
        loop {
            let path = Arc::clone(&path);
            let look = tokio::task::spawn_blocking(move || changes(&path, seen));
            // A look that panicked has seen nothing.
            let Ok((now, changed)) = look.await else { return };
            match changed.filter(|_| seen.is_some()) {
                Some(Ok(entries)) => {
                    tracing::info!(tokens = entries.len(), "the tokens were read anew");
                    let mut kept = self.entries.write().unwrap_or_else(PoisonError::into_inner);
                    *kept = Arc::new(entries);
                }
                Some(Err(error)) => tracing::error!("the tokens stay as they were: {error}"),
                None => {}
            }
            seen = now;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// When a file was written, and how long it is.
type Facts = Option<(SystemTime, u64)>;

/// What a file is now, and its entries where that is something else than before.
fn changes(path: &Path, before: Facts) -> (Facts, Option<Result<Vec<Entry>, TokensError>>) {
    let now = facts(path);
    let changed = (now != before).then(|| read(path).and_then(|text| parse(&text)));
    (now, changed)
}

fn facts(path: &Path) -> Facts {
    let facts = std::fs::metadata(path).ok()?;
    Some((facts.modified().ok()?, facts.len()))
}

fn read(path: &Path) -> Result<String, TokensError> {
    let file = |error: std::io::Error| TokensError::File { path: path.into(), kind: error.kind() };
    std::fs::read_to_string(path).map_err(file)
}

fn parse(text: &str) -> Result<Vec<Entry>, TokensError> {
    let entries = text.split([',', ' ', '\t', '\r', '\n']).filter(|entry| !entry.is_empty());
    let parsed = entries.zip(1..).map(|(entry, number)| {
        parse_entry(entry).map_err(|problem| TokensError::Entry { number, problem })
    });
    parsed.collect()
}

fn parse_entry(entry: &str) -> Result<Entry, &'static str> {
    let mut parts = entry.split(':');
    let mut part = || parts.next().filter(|part| !part.is_empty());
    let (name, token) = (part().ok_or("has no name")?, part().ok_or("has no token")?);
    let (tenant, roles) = (part().ok_or("has no tenant")?, part().ok_or("has no roles")?);
    if parts.next().is_some() {
        return Err("has more than four parts");
    }
    if token.len() < MIN_LENGTH {
        return Err("has a token of fewer than 16 characters");
    }
    let name = Identifier::parse("name", name).map_err(|_| "has a name that is no identifier")?;
    let tenant = match tenant {
        "*" => None,
        tenant => {
            let parsed = Identifier::parse("tenant", tenant);
            Some(parsed.map_err(|_| "has a tenant that is no identifier")?)
        }
    };
    let role = |word| Role::ALL.into_iter().find(|role| role.as_str() == word);
    let roles: Option<Vec<Role>> = roles.split('+').map(role).collect();
    let roles = roles.ok_or("has a role that is none")?;
    let caller = Caller { name: name.to_string(), tenant, roles, interface: Interface::Api };
    Ok(Entry { digest: digest(token), caller })
}

pub(crate) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_is_who_the_entry_says() {
        let text = "app:0123456789abcdef:acme:enqueue\nops:fedcba9876543210:*:read+operate,";
        let tokens = Tokens::parse(text).unwrap();
        let app = tokens.caller("0123456789abcdef").unwrap();
        assert_eq!((app.name.as_str(), app.roles.as_slice()), ("app", &[Role::Enqueue][..]));
        assert!(app.sees("acme") && !app.sees("b"));
        let ops = tokens.caller("fedcba9876543210").unwrap();
        assert_eq!(ops.roles, [Role::Read, Role::Operate]);
        assert!(ops.sees("acme"));
        for wrong in ["", "0123456789abcdeg", "0123456789abcde", "0123456789abcdef "] {
            assert!(tokens.caller(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn each_fault_names_its_entry_and_never_the_token() {
        for (entry, says) in [
            ("app", "has no token"),
            ("app:0123456789canary", "has no tenant"),
            ("app:0123456789canary:*", "has no roles"),
            ("app:0123456789canary:*:", "has no roles"),
            ("app:0123456789canary:*:read:x", "more than four"),
            ("app:canary:*:read", "fewer than 16"),
            ("a/b:0123456789canary:*:read", "name that is no"),
            ("app:0123456789canary:a/b:read", "tenant that is no"),
            ("app:0123456789canary:*:root", "role that is none"),
        ] {
            let text = format!("ok:0123456789abcdef:*:read {entry}");
            let error = Tokens::parse(&text).err().unwrap().to_string();
            assert!(error.contains(says) && error.contains("entry 2"), "{entry}: {error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
