//! A filter goes in; its one text comes out, which is read as the same filter.

use std::fmt::{self, Display, Formatter};

use super::terms::{Filter, Order, Term, Test, Text};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            let space = if at > 0 { " " } else { "" };
            write!(f, "{space}{term}")?;
        }
        Ok(())
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sign = if self.negated { "-" } else { "" };
        write!(f, "{sign}{}", self.test)
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(words) => list(f, "state", words),
            Self::Stage(words) => list(f, "stage", words),
            Self::Format(words) => list(f, "format", words),
            Self::Tenant(texts) => list(f, "tenant", texts),
            Self::Code(texts) => list(f, "code", texts),
            Self::Provider(texts) => list(f, "provider", texts),
            Self::Id(texts) => list(f, "id", texts),
            Self::Age(order, span) => write!(f, "age{order}{span}"),
            Self::Priority(order, number) => write!(f, "priority{order}{number}"),
            Self::Meta(key, texts) => list(f, &format!("meta.{}", quoted(key)), texts),
        }
    }
}

impl Display for Order {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sign = Self::SIGNS.into_iter().find(|(_, order)| order == self);
        f.write_str(sign.map_or(":", |(sign, _)| sign))
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let star = if self.is_prefix { "*" } else { "" };
        write!(f, "{}{star}", quoted(&self.text))
    }
}

fn list(f: &mut Formatter<'_>, field: &str, values: &[impl Display]) -> fmt::Result {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    write!(f, "{field}:{}", values.join(","))
}

/// In quotes, unless it reads the same without.
fn quoted(text: &str) -> String {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if !text.is_empty() && text.chars().all(is_word) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
