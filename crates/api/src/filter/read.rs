//! A filter's text goes in, letter by letter; terms come out, or the place of the first fault.

use stillcast_enqueue::{Format, StageName, State};

use super::span::Span;
use super::terms::{FIELDS, Filter, Order, Term, Test, Text};

/// Longest text, in bytes: the identifiers of a hundred jobs.
pub(super) const MAX_TEXT: usize = 4096;

/// Where a filter cannot be read, and what it takes there; never the text itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The character, from 1.
    pub(crate) at: usize,
    /// What may stand there.
    pub(crate) takes: String,
}

/// What is left of a text.
struct Reader<'text> {
    rest: &'text str,
    /// Characters that were read.
    read: usize,
}

type Read<T> = Result<T, Fault>;

/// The filter that a text means.
pub(super) fn read(text: &str) -> Read<Filter> {
    let mut reader = Reader { rest: text, read: 0 };
    if text.len() > MAX_TEXT {
        return Err(reader.fault(format!("at most {MAX_TEXT} bytes")));
    }
    let mut terms = Vec::new();
    loop {
        reader.take_while(char::is_whitespace);
        if reader.rest.is_empty() {
            return Ok(Filter { terms });
        }
        terms.push(reader.term()?);
        if !(reader.rest.is_empty() || reader.rest.starts_with(char::is_whitespace)) {
            return Err(reader.fault("a space or a comma"));
        }
    }
}

impl Reader<'_> {
    fn term(&mut self) -> Read<Term> {
        let negated = self.eat("-");
        let begin = self.read;
        let field = self.take_while(|letter| letter.is_ascii_alphabetic());
        let test = match &*field {
            "state" => Test::State(self.words(State::parse, State::ALL.map(State::as_str))?),
            "stage" => {
                Test::Stage(self.words(StageName::parse, StageName::ALL.map(StageName::as_str))?)
            }
            "format" => {
                let all = [Format::Audio, Format::Video].map(Format::as_str);
                Test::Format(self.words(|word| word.parse().ok(), all)?)
            }
            "tenant" => Test::Tenant(self.texts()?),
            "code" => Test::Code(self.texts()?),
            "provider" => Test::Provider(self.texts()?),
            "id" => Test::Id(self.texts()?),
            "age" => self.number(Span::TAKES, Span::parse, Test::Age)?,
            "priority" => self.number("a whole number from 0 to 9", digit, Test::Priority)?,
            "meta" => self.meta()?,
            _ => return Err(Fault { at: begin + 1, takes: fields() }),
        };
        Ok(Term { negated, test })
    }

    fn meta(&mut self) -> Read<Test> {
        if !self.eat(".") {
            return Err(self.fault("`.` and a key, such as `meta.show`"));
        }
        let key = if self.rest.starts_with('"') {
            self.quoted()?
        } else {
            self.take_while(|letter| !letter.is_whitespace() && !":=<>\"".contains(letter))
        };
        if key.is_empty() {
            return Err(self.fault("a key, such as `meta.show`"));
        }
        Ok(Test::Meta(key, self.texts()?))
    }

    /// `:` or `=`, and words of a fixed set.
    fn words<T, const N: usize>(
        &mut self,
        parse: impl Fn(&str) -> Option<T>,
        all: [&str; N],
    ) -> Read<Vec<T>> {
        self.values(|text| {
            let word = (!text.is_prefix).then(|| parse(&text.text)).flatten();
            word.ok_or_else(|| format!("one of {}", all.join(", ")))
        })
    }

    fn texts(&mut self) -> Read<Vec<Text>> {
        self.values(Ok)
    }

    fn values<T>(&mut self, read: impl Fn(Text) -> Result<T, String>) -> Read<Vec<T>> {
        if !(self.eat(":") || self.eat("=")) {
            return Err(self.fault("`:` and a value"));
        }
        let mut values = Vec::new();
        loop {
            let begin = self.read;
            let text = self.text()?;
            values.push(read(text).map_err(|takes| Fault { at: begin + 1, takes })?);
            if !self.eat(",") {
                return Ok(values);
            }
        }
    }

    /// A sign of order, and a number.
    fn number<T>(
        &mut self,
        takes: &str,
        parse: impl Fn(&str) -> Option<T>,
        test: impl Fn(Order, T) -> Test,
    ) -> Read<Test> {
        let sign = Order::SIGNS.into_iter().find(|(sign, _)| self.eat(sign));
        let (_, order) = sign.ok_or_else(|| self.fault("`>`, `>=`, `<`, `<=` or `:`"))?;
        let begin = self.read;
        let Text { text, is_prefix } = self.text()?;
        let number = (!is_prefix).then(|| parse(&text)).flatten();
        let number = number.ok_or_else(|| Fault { at: begin + 1, takes: takes.to_owned() })?;
        Ok(test(order, number))
    }

    /// A value, in quotes or without, and a star behind it if its beginning is enough.
    fn text(&mut self) -> Read<Text> {
        if self.rest.starts_with('"') {
            let text = self.quoted()?;
            return Ok(Text { text, is_prefix: self.eat("*") });
        }
        let mut text =
            self.take_while(|letter| !letter.is_whitespace() && letter != ',' && letter != '"');
        let is_prefix = text.ends_with('*');
        if is_prefix {
            text.pop();
        }
        if text.is_empty() && !is_prefix {
            return Err(self.fault("a value; one with spaces stands in quotes"));
        }
        Ok(Text { text, is_prefix })
    }

    /// A text in quotes; `\` keeps the quote or backslash behind it.
    fn quoted(&mut self) -> Read<String> {
        let mut text = String::new();
        self.eat("\"");
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.extend(self.next()),
                Some(letter) => text.push(letter),
                None => return Err(self.fault("the quote that ends the text")),
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let letter = letters.next()?;
        self.rest = letters.as_str();
        self.read += 1;
        Some(letter)
    }

    /// Whether `sign` stands here; reads it.
    fn eat(&mut self, sign: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(sign) else { return false };
        self.rest = rest;
        self.read += sign.len();
        true
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|letter| !is_part(letter)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.read += taken.chars().count();
        taken.to_owned()
    }

    fn fault(&self, takes: impl Into<String>) -> Fault {
        Fault { at: self.read + 1, takes: takes.into() }
    }
}

fn digit(text: &str) -> Option<u8> {
    text.parse().ok().filter(|digit| *digit <= 9)
}

fn fields() -> String {
    let words = FIELDS.map(|(word, _, _)| word).join(", ");
    format!("a field, one of {words}, then `:` and a value")
}
