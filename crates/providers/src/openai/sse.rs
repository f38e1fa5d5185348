//! The bytes of a stream of server-sent events go in, cut anywhere; whole events come out.
//!
//! As <https://html.spec.whatwg.org/multipage/server-sent-events.html> has it, and where servers
//! do otherwise: names of fields may be in capitals or indented, and what stands behind the last
//! empty line is an event too.

/// An event, as far as it matters here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    /// Its type; empty for the usual one.
    pub(super) kind: String,
    /// Its lines of data, with a line feed between them.
    pub(super) data: Vec<u8>,
}

/// What is read so far of the next event.
#[derive(Debug, Default)]
pub(super) struct SseParser {
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    /// The last byte has ended a line, and a line feed behind it belongs to the same end.
    is_behind_return: bool,
}

impl SseParser {
    /// Takes the next bytes; answers the events that they end.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in bytes {
            let is_behind_return = std::mem::replace(&mut self.is_behind_return, byte == b'\r');
            match byte {
                b'\n' if is_behind_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
        }
        events
    }

    /// The event that the end of the stream ends.
    pub(super) fn finish(&mut self) -> Option<Event> {
        self.end_line().or_else(|| self.dispatch())
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return self.dispatch();
        }
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        self.field(name.trim_ascii(), value.strip_prefix(b" ").unwrap_or(value));
        None
    }

    /// Comments have no name, and all other fields do not matter.
    fn field(&mut self, name: &[u8], value: &[u8]) {
        if name.eq_ignore_ascii_case(b"data") {
            if self.has_data {
                self.event.data.push(b'\n');
            }
            self.has_data = true;
            self.event.data.extend_from_slice(value);
        } else if name.eq_ignore_ascii_case(b"event") {
            self.event.kind = String::from_utf8_lossy(value.trim_ascii()).into_owned();
        }
    }

    fn dispatch(&mut self) -> Option<Event> {
        let event = std::mem::take(&mut self.event);
        std::mem::take(&mut self.has_data).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let mut parser = SseParser::default();
        let mut events: Vec<Event> = pieces.iter().flat_map(|piece| parser.push(piece)).collect();
        events.extend(parser.finish());
        let text = |event: Event| (event.kind, String::from_utf8(event.data).unwrap());
        events.into_iter().map(text).collect()
    }

    #[test]
    fn every_form_is_read_wherever_it_is_cut() {
        for (stream, wanted) in [
            ("data: a\n\ndata: b\n\n", &[("", "a"), ("", "b")][..]),
            ("data: a\r\rdata: b\r\r", &[("", "a"), ("", "b")]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", &[("", "a"), ("", "b")]),
            ("data: a\r\n\ndata: b\n\r", &[("", "a"), ("", "b")]),
            ("data:a\n\n", &[("", "a")]),
            ("data:  a \n\n", &[("", " a ")]),
            ("data: a\ndata\ndata: b\n\n", &[("", "a\n\nb")]),
            (": kept alive\n\n:\n\n: again\ndata: a\n\n", &[("", "a")]),
            ("event: ping\ndata: {}\n\ndata: b\n\n", &[("ping", "{}"), ("", "b")]),
            ("event: ping\n\ndata: b\n\n", &[("", "b")]),
            ("id: 7\nretry: 10\nother\ndata: a\n\n", &[("", "a")]),
            ("DATA: a\nEvent: x\n\n  data: b\n\n", &[("x", "a"), ("", "b")]),
            ("data: a\n\ndata: the end is missing", &[("", "a"), ("", "the end is missing")]),
            ("data: ü€🌊\n\n", &[("", "ü€🌊")]),
            ("data:\n\n", &[("", "")]),
            ("\n\n\r\n\r\r: nothing", &[]),
            ("", &[]),
        ] {
            let wanted: Vec<_> =
                wanted.iter().map(|&(kind, data)| (kind.to_owned(), data.to_owned())).collect();
            let bytes = stream.as_bytes();
            for at in 0..=bytes.len() {
                let (head, tail) = bytes.split_at(at);
                assert_eq!(events(&[head, tail]), wanted, "{stream:?} cut at {at}");
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(events(&single), wanted, "{stream:?} byte by byte");
        }
    }
}
