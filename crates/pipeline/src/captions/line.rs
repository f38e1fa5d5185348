//! A cue's words go in; lines that players can show come out: not too wide, and right to left where they are
//! read so.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::pace;

/// Widest line, in columns: players do not break them. Chinese, Japanese and Korean take two a character.
const WIDEST: usize = 42;
/// What shows a line from right to left, also where it begins or ends with what has no direction.
const RIGHT_TO_LEFT: char = '\u{200f}';

/// In two lines of like width where one would be too wide.
pub(super) fn wrapped(text: &str) -> String {
    if text.width() <= WIDEST {
        return directed(text);
    }
    let middle = text.width() / 2;
    let distance = |at: &usize| text[..*at].width().abs_diff(middle);
    match borders(text).into_iter().min_by_key(distance) {
        Some(at) => {
            let (first, second) = text.split_at(at);
            format!("{}\n{}", directed(first.trim_end()), directed(second))
        }
        None => directed(text),
    }
}

/// Where a line may end: at a blank, and where a script has none before a word, or behind a mark.
fn borders(text: &str) -> Vec<usize> {
    let blanks: Vec<usize> = text.match_indices(' ').map(|(at, _)| at + 1).collect();
    if !blanks.is_empty() && is_spaced(text) {
        return blanks;
    }
    let words = text.unicode_word_indices().map(|(at, _)| at).skip(1);
    // A mark that opens goes with what it opens.
    let opened = words.map(|at| text[..at].trim_end_matches(is_opening).len());
    opened.filter(|at| *at > 0).collect()
}

fn is_spaced(text: &str) -> bool {
    let letters = || text.chars().filter(|c| c.is_alphanumeric());
    letters().filter(|c| pace::is_spaced(*c)).count() * 2 > letters().count()
}

fn is_opening(c: char) -> bool {
    "「『（《〈【“‘«(".contains(c)
}

/// `text`, shown from right to left where most of it is read so.
pub(super) fn directed(text: &str) -> String {
    let letters = || text.chars().filter(|c| c.is_alphabetic());
    let right = letters().filter(|c| is_right_to_left(*c)).count();
    if right * 2 > letters().count() {
        format!("{RIGHT_TO_LEFT}{text}{RIGHT_TO_LEFT}")
    } else {
        text.to_owned()
    }
}

/// Hebrew, Arabic and their neighbours, and their forms for printing.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_wide_as_players_show_it_in_every_script() {
        let english = "Begin at the top of your head, and let a slow warmth travel down.";
        let lines: Vec<String> = wrapped(english).lines().map(str::to_owned).collect();
        assert_eq!(lines, ["Begin at the top of your head,", "and let a slow warmth travel down."]);
        for text in [
            "现在让呼吸慢慢地进来，再慢慢地出去，让身体的重量沉到地面上。",
            "ゆっくりと息を吸って、「空気」が体に入ってくるのを感じてみてください。",
            "ค่อยๆหายใจเข้ารู้สึกถึงอากาศที่ไหลเข้าสู่ร่างกายของคุณอย่างช้าๆ",
        ] {
            let broken = wrapped(text);
            assert_eq!(broken.replace('\n', ""), text);
            let lines: Vec<&str> = broken.lines().collect();
            assert_eq!(lines.len(), 2, "{broken}");
            assert!(lines.iter().all(|line| line.width() <= WIDEST), "{broken}");
            assert!(!lines[1].starts_with(['，', '、', '。', '」']), "{broken}");
            assert!(!lines[0].ends_with('「'), "{broken}");
        }
        assert_eq!(wrapped("慢慢地吸气。"), "慢慢地吸气。");
    }

    #[test]
    fn what_is_read_from_right_to_left_is_shown_so_to_its_last_mark() {
        assert_eq!(wrapped("تنفس ببطء."), "\u{200f}تنفس ببطء.\u{200f}");
        assert_eq!(wrapped("TTS: נשמו לאט."), "\u{200f}TTS: נשמו לאט.\u{200f}");
        assert_eq!(wrapped("Say “שלום” slowly."), "Say “שלום” slowly.");
        let long = "تنفس ببطء واشعر بالهواء يدخل إلى جسدك ثم أخرج الزفير ببطء شديد الآن.";
        assert!(
            wrapped(long)
                .lines()
                .all(|line| line.starts_with('\u{200f}') && line.ends_with('\u{200f}'))
        );
        assert_eq!(wrapped(long).lines().count(), 2);
    }
}
