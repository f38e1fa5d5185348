//! The operator's queries go in, or those of the sample schema of `migrations/`; statements come out
//! that read no more than a source text can hold.

/// Most rows of one kind that are looked at: with one character each they fill the text.
const MAX_ROWS: usize = 2_000;
/// Characters that a source text can hold.
const MAX_CHARACTERS: usize = 2_000;

const CONVERSATION: &str = "select title from conversations where tenant = $1 and id = $2";
const MESSAGES: &str = "\
    select m.role, m.content from conversations c join messages m on m.conversation_id = c.id \
    where c.tenant = $1 and c.id = $2 and m.role in ('user', 'assistant') order by m.seq desc";
const SOURCES: &str = "\
    select s.title, s.body from conversations c join source_contents s \
    on s.conversation_id = c.id where c.tenant = $1 and c.id = $2 order by s.position, s.id";

/// The statements that read a conversation. Each binds `$1`, the tenant, a text, and `$2`, the
/// conversation, a uuid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queries {
    conversation: Option<String>,
    messages: String,
    sources: Option<String>,
}

/// A query that would show one tenant the conversations of another, or all of them at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must bind $1, the tenant, and $2, the conversation")]
pub struct UnboundQuery;

impl Default for Queries {
    /// Those of the sample schema.
    fn default() -> Self {
        Self {
            conversation: Some(CONVERSATION.to_owned()),
            messages: fitting(MESSAGES),
            sources: Some(fitting(SOURCES)),
        }
    }
}

impl Queries {
    /// Those of another schema. `messages` gives who said what, the latest first; `sources` gives
    /// title and text of what the conversation refers to, the most important first. A conversation
    /// of which neither knows a row is not there.
    pub fn of(messages: &str, sources: Option<&str>) -> Result<Self, UnboundQuery> {
        let bound = |query: &str| if binds(query) { Ok(fitting(query)) } else { Err(UnboundQuery) };
        let sources = sources.map(bound).transpose()?;
        Ok(Self { conversation: None, messages: bound(messages)?, sources })
    }

    /// The statement for the title; `None` in another schema.
    pub fn conversation(&self) -> Option<&str> {
        self.conversation.as_deref()
    }

    /// The statement for what was said.
    pub fn messages(&self) -> &str {
        &self.messages
    }

    /// The statement for what the conversation refers to.
    pub fn sources(&self) -> Option<&str> {
        self.sources.as_deref()
    }
}

/// Whether both parameters occur; that they limit the rows is the operator's word.
fn binds(query: &str) -> bool {
    let mentions = |name: &str| {
        let follows = |(at, _): (usize, &str)| query[at + name.len()..].chars().next();
        query.match_indices(name).any(|hit| !follows(hit).is_some_and(|next| next.is_ascii_digit()))
    };
    mentions("$1") && mentions("$2")
}

/// The rows of `query` as label, text and length, as long as they fit: no more leaves the server.
fn fitting(query: &str) -> String {
    let query = query.trim().trim_end_matches(';');
    format!(
        "select label, excerpt, characters from (\
           select q.label::text, left(q.body::text, {MAX_CHARACTERS}) as excerpt, \
             char_length(q.body::text) as characters, \
             sum(char_length(q.body::text)) over (rows unbounded preceding) as reached \
           from ({query}\n) as q (label, body) limit {MAX_ROWS}\
         ) as read where coalesce(reached - characters, 0) < {MAX_CHARACTERS}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_shows_everybodys_rows_is_refused() {
        let good = "select who, what from said where org = $1 and talk = $2::text; ";
        assert!(Queries::of(good, None).is_ok());
        for bad in ["select 1, 2", "select a, b from c where d = $1", "select $1, $20"] {
            assert_eq!(Queries::of(bad, None), Err(UnboundQuery), "{bad}");
            assert_eq!(Queries::of(good, Some(bad)), Err(UnboundQuery), "{bad}");
        }
    }
}
