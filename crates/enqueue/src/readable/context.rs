//! Characters that mean something only beside others go in; those that do come out.

/// Without embeddings, overrides and isolates of direction that are not paired within their line:
/// one left open would turn around whatever is put behind the text.
pub(super) fn paired(text: &[char]) -> Vec<char> {
    let mut is_paired = vec![false; text.len()];
    let mut open: Vec<(usize, bool)> = Vec::new();
    for (at, c) in text.iter().enumerate() {
        match c {
            '\n' => open.clear(),
            '\u{202a}' | '\u{202b}' | '\u{202d}' | '\u{202e}' => open.push((at, false)),
            '\u{2066}'..='\u{2068}' => open.push((at, true)),
            // Ends an embedding, and none outside of the isolate that it stands in.
            '\u{202c}' => {
                if let Some((begin, _)) = open.pop_if(|(_, is_isolate)| !*is_isolate) {
                    (is_paired[begin], is_paired[at]) = (true, true);
                }
            }
            // Ends an isolate, and whatever was left open in it.
            '\u{2069}' => {
                if let Some(isolate) = open.iter().rposition(|(_, is_isolate)| *is_isolate) {
                    (is_paired[open[isolate].0], is_paired[at]) = (true, true);
                    open.truncate(isolate);
                }
            }
            _ => {}
        }
    }
    let directs = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let all = text.iter().zip(is_paired);
    all.filter(|(c, is_paired)| *is_paired || !directs(**c)).map(|(c, _)| *c).collect()
}

/// Without joiners, variation selectors and tags that stand where nothing needs them.
pub(super) fn meaningful(text: &[char]) -> Vec<char> {
    let mut kept: Vec<char> = Vec::with_capacity(text.len());
    for (at, c) in text.iter().enumerate() {
        let before = kept.last().copied().unwrap_or('\n');
        let behind = text.get(at + 1).copied().unwrap_or('\n');
        let is_needed = match c {
            // Between letters that join, or the parts of an emoji.
            '\u{200d}' => joins(before) || (is_emoji(before) && is_emoji(behind)),
            '\u{200c}' => joins(before),
            '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => selects(before),
            '\u{180b}'..='\u{180d}' | '\u{180f}' => matches!(before, '\u{1800}'..='\u{18af}'),
            '\u{34f}' => selects(before) && !behind.is_whitespace(),
            // The flags of England, Scotland and Wales.
            '\u{e0020}'..='\u{e007f}' => {
                before == '\u{1f3f4}' || matches!(before, '\u{e0020}'..='\u{e007e}')
            }
            _ => true,
        };
        if is_needed {
            kept.push(*c);
        }
    }
    kept
}

/// A letter or mark of a script in which joiners decide how letters are written: Arabic and its
/// kin, the scripts of India and South-East Asia, Mongolian.
fn joins(c: char) -> bool {
    matches!(c,
        '\u{600}'..='\u{8ff}' | '\u{900}'..='\u{dff}' | '\u{e80}'..='\u{109f}'
        | '\u{1700}'..='\u{18af}' | '\u{1900}'..='\u{1cff}' | '\u{a800}'..='\u{abff}'
        | '\u{fb50}'..='\u{fdcf}' | '\u{fe70}'..='\u{fefc}' | '\u{10a00}'..='\u{11fff}')
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{a9}' | '\u{ae}' | '\u{203c}'..='\u{2bff}' | '\u{3030}'..='\u{3299}'
        | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}' | '\u{e007f}')
}

/// Whether a variation can be selected of it.
fn selects(c: char) -> bool {
    !c.is_whitespace()
        && !matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0020}'..='\u{e01ef}')
}
