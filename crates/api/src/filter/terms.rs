//! What a filter says, term by term, and whether a job is meant.

use stillcast_enqueue::{Format, Identifier, StageName, State};

use super::span::Span;
use crate::facts::Facts;

/// Each field: its word, what it takes, and an example.
pub(crate) const FIELDS: [(&str, &str, &str); 10] = [
    ("state", "where the job stands", "state:ready,parked"),
    ("stage", "the stage that it last began, or at which it failed", "stage:tts"),
    ("format", "what is made", "format:video"),
    ("tenant", "whose it is", "tenant:acme"),
    ("code", "the code of its last failure", "code:speech-*"),
    ("provider", "the provider that failed", "provider:openai"),
    ("id", "the job itself", "id:0191d0c4*"),
    ("age", "time since it was accepted, in s, m, h and d", "age>1h30m"),
    ("priority", "0 to 9", "priority>=7"),
    ("meta.KEY", "a string of its metadata", "meta.show=\"evening walk\""),
];

/// Which jobs are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(super) terms: Vec<Term>,
}

/// One thing that must hold, or must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) negated: bool,
    pub(super) test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Test {
    State(Vec<State>),
    Stage(Vec<StageName>),
    Format(Vec<Format>),
    Tenant(Vec<Text>),
    Code(Vec<Text>),
    Provider(Vec<Text>),
    Id(Vec<Text>),
    Age(Order, Span),
    Priority(Order, u8),
    Meta(String, Vec<Text>),
}

/// A text, or the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) is_prefix: bool,
}

/// How a number is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    AtMost,
    Is,
    AtLeast,
    More,
}

impl Filter {
    /// The same, and one of these states.
    pub(crate) fn in_states(mut self, states: impl IntoIterator<Item = State>) -> Self {
        let test = Test::State(states.into_iter().collect());
        self.terms.push(Term { negated: false, test });
        self
    }

    /// The same, of one tenant's jobs alone, if one is given: looked at before anything else.
    pub(crate) fn of_tenant(mut self, tenant: Option<&Identifier>) -> Self {
        if let Some(tenant) = tenant {
            let own = Text { text: tenant.to_string(), is_prefix: false };
            self.terms.insert(0, Term { negated: false, test: Test::Tenant(vec![own]) });
        }
        self
    }

    /// Whether a job is meant, at `now_ms` since 1970.
    pub(crate) fn matches(&self, job: &Facts, now_ms: i64) -> bool {
        self.terms.iter().all(|term| term.test.holds(job, now_ms) != term.negated)
    }
}

impl Test {
    fn holds(&self, job: &Facts, now_ms: i64) -> bool {
        let failure = job.failure.as_deref();
        match self {
            Self::State(states) => states.contains(&job.state),
            Self::Format(formats) => job.format.is_some_and(|format| formats.contains(&format)),
            Self::Stage(stages) => {
                let of_job = [job.stage, failure.and_then(|failure| failure.stage)];
                of_job.into_iter().flatten().any(|stage| stages.contains(&stage))
            }
            Self::Tenant(texts) => any(texts, Some(&job.tenant)),
            Self::Id(texts) => any(texts, Some(&job.id)),
            Self::Code(texts) => any(texts, failure.map(|failure| &*failure.code)),
            Self::Provider(texts) => any(texts, failure.and_then(|it| it.provider.as_deref())),
            Self::Age(order, span) => order.holds(now_ms - job.enqueued_ms, span.ms()),
            Self::Priority(order, priority) => order.holds(job.priority, *priority),
            Self::Meta(key, texts) => {
                let mut pairs = job.metadata.iter();
                any(texts, pairs.find(|(known, _)| **known == **key).map(|(_, value)| &**value))
            }
        }
    }
}

fn any(texts: &[Text], of_job: Option<&str>) -> bool {
    of_job.is_some_and(|word| texts.iter().any(|text| text.holds(word)))
}

impl Text {
    fn holds(&self, word: &str) -> bool {
        if self.is_prefix { word.starts_with(&self.text) } else { word == self.text }
    }
}

impl Order {
    /// Each with its sign, longer ones first.
    pub(super) const SIGNS: [(&str, Self); 6] = [
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("<", Self::Less),
        (">", Self::More),
        (":", Self::Is),
        ("=", Self::Is),
    ];

    fn holds<N: Ord + Copy>(self, is: N, wanted: N) -> bool {
        match self {
            Self::Less => is < wanted,
            Self::AtMost => is <= wanted,
            Self::Is => is == wanted,
            Self::AtLeast => is >= wanted,
            Self::More => is > wanted,
        }
    }
}
