//! What a terminal would obey goes in; plain characters come out.

/// Longest escape sequence that is dropped as a whole, in characters.
const MAX_SEQUENCE: usize = 256;

/// Every spelling of an end of line as `\n`; a form feed and a vertical tab are one too.
pub(super) fn end_lines(text: &str) -> String {
    let unix = text.replace("\r\n", "\n");
    let is_end =
        |c: char| matches!(c, '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    unix.chars().map(|c| if is_end(c) { '\n' } else { c }).collect()
}

/// Without the escape sequences of ECMA-48.
pub(super) fn without(text: &str) -> Vec<char> {
    let characters: Vec<char> = text.chars().collect();
    let (mut kept, mut rest) = (Vec::with_capacity(characters.len()), characters.as_slice());
    while let [first, behind @ ..] = rest {
        let length = match (first, behind) {
            ('\u{1b}', ['[', parameters @ ..]) => 2 + control(parameters),
            ('\u{1b}', [']' | 'P' | 'X' | '^' | '_', told @ ..]) => 2 + string(told),
            ('\u{9b}', parameters) => 1 + control(parameters),
            ('\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}', told) => 1 + string(told),
            _ => 0,
        };
        if length == 0 {
            kept.push(*first);
        }
        rest = &rest[length.max(1)..];
    }
    kept
}

/// Characters of a control sequence behind its introducer: parameters, then one final character.
fn control(rest: &[char]) -> usize {
    let parameters = rest.iter().take_while(|c| matches!(c, ' '..='?')).take(MAX_SEQUENCE).count();
    parameters + usize::from(matches!(rest.get(parameters), Some('@'..='~')))
}

/// Characters of a string for the terminal, its end included; none when it has no end nearby.
fn string(rest: &[char]) -> usize {
    let near = &rest[..rest.len().min(MAX_SEQUENCE)];
    let end = near.iter().position(|c| matches!(c, '\u{7}' | '\u{9c}' | '\u{1b}' | '\n'));
    match end {
        Some(at) if near[at] == '\u{1b}' => {
            at + if near.get(at + 1) == Some(&'\\') { 2 } else { 0 }
        }
        Some(at) if near[at] == '\n' => 0,
        Some(at) => at + 1,
        None => 0,
    }
}
