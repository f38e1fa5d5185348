//! An envelope goes in; the digest comes out by which `lua/enqueue.lua` tells whether two requests are the
//! same: the one that the script itself makes of a body that comes without.

use serde_json::Value;

use crate::Envelope;

/// Parts of a body that are looked at: `NODES` of the script. What has more is its bytes.
const NODES: i64 = 500;

/// 40 hex digits; `body` is what `envelope` encodes to.
pub(crate) fn digest(envelope: &Envelope, body: &str) -> String {
    let value =
        serde_json::to_value(envelope).expect("strings, numbers and enums always serialize");
    digest_of(&value, body)
}

/// Of any JSON; `body` is its text.
pub fn digest_of(value: &Value, body: &str) -> String {
    let mut reading = Reading { left: NODES };
    let text = reading.text_of(value).filter(|_| reading.left > 0);
    sha1_smol::Sha1::from(text.as_deref().unwrap_or(body)).digest().to_string()
}

struct Reading {
    left: i64,
}

impl Reading {
    /// One text for all ways to write the same JSON; `None` for what means nothing.
    fn text_of(&mut self, value: &Value) -> Option<String> {
        self.left -= 1;
        match value {
            Value::String(text) => Some(format!("s{}:{text}", text.len())),
            Value::Bool(value) => Some(format!("b{value}")),
            Value::Number(number) => {
                let number = number.as_f64().unwrap_or_default();
                (number != 0.0).then(|| format!("n{}", shortest_17(number)))
            }
            Value::Null => None,
            Value::Array(_) | Value::Object(_) if self.left <= 0 => None,
            Value::Array(values) if values.is_empty() => None,
            Value::Array(values) => Some(self.text_of_list(values)),
            Value::Object(fields) => self.text_of_fields(fields),
        }
    }

    fn text_of_list(&mut self, values: &[Value]) -> String {
        let most = usize::try_from(self.left).unwrap_or_default();
        let texts = values.iter().take(most).map(|value| self.text_of(value));
        let texts: Vec<String> = texts.map(|text| text.unwrap_or_else(|| "-".to_owned())).collect();
        format!("a{}{}", values.len(), texts.concat())
    }

    fn text_of_fields(&mut self, fields: &serde_json::Map<String, Value>) -> Option<String> {
        self.left -= i64::try_from(fields.len()).unwrap_or(i64::MAX / 2);
        if self.left <= 0 {
            return None;
        }
        let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
        sorted.sort_unstable_by(|one, other| one.0.as_bytes().cmp(other.0.as_bytes()));
        let mut parts = Vec::new();
        for (name, value) in sorted {
            if let Some(text) = self.text_of(value) {
                self.left -= 1;
                parts.push(format!("s{}:{name}{text}", name.len()));
            }
        }
        (!parts.is_empty()).then(|| format!("o{}{}", parts.len(), parts.concat()))
    }
}

/// A number as C's `%.17g` writes it.
fn shortest_17(number: f64) -> String {
    let scientific = format!("{number:.16e}");
    let (digits, exponent) = scientific.split_once('e').expect("an exponent");
    let exponent: i32 = exponent.parse().expect("a whole number");
    let trimmed = |text: &str| match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => text.to_owned(),
    };
    if (-4..17).contains(&exponent) {
        let decimals = usize::try_from(16 - exponent).unwrap_or_default();
        trimmed(&format!("{number:.decimals$}"))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trimmed(digits), exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        let written = [
            (1.0, "1"),
            (-3.5, "-3.5"),
            (0.9, "0.90000000000000002"),
            (1e-4, "0.0001"),
            (1.5e-5, "1.5e-05"),
            (1e17, "1e+17"),
            (123_456_789.0, "123456789"),
        ];
        for (number, text) in written {
            assert_eq!(shortest_17(number), text);
        }
    }

    #[test]
    fn what_means_nothing_changes_nothing() {
        let of = |text: &str| digest_of(&serde_json::from_str(text).unwrap(), text);
        assert_eq!(
            of(r#"{"b":1,"a":{"x":null}}"#),
            of(r#"{ "a": {}, "b": 1.0, "c": 0, "d": [] }"#)
        );
        assert_ne!(of(r#"{"b":1}"#), of(r#"{"b":2}"#));
    }
}
