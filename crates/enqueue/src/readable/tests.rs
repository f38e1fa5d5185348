//! What stays, what goes, and what counts as nothing, as tables.

use super::*;

#[test]
fn what_nobody_can_read_is_dropped_and_counted() {
    let cases = [
        ("Rain.\tSoft\nrain.", "Rain.\tSoft\nrain.", 0),
        ("one\r\ntwo\rthree\u{85}four\u{2028}five\u{b}six", "one\ntwo\nthree\nfour\nfive\nsix", 0),
        ("nul\0 bell\u{7} del\u{7f} c1\u{80}\u{9f}", "nul bell del c1", 5),
        // Escapes, whole.
        ("\u{1b}[1;31mred\u{1b}[0m \u{9b}4mline", "red line", 14),
        (
            "\u{1b}]0;title\u{7}text \u{1b}]8;;x\u{1b}\\link \u{1b}M \u{1b}]open",
            "text link M open",
            21,
        ),
        // Junk without width.
        ("\u{feff}a\u{200b}b\u{2060}c\u{ad}d\u{180e}e\u{3164}f\u{2063}g", "abcdefg", 7),
        ("tag\u{e0001}\u{e0065}\u{e006e} non\u{fdd0}\u{ffff}\u{1fffe}", "tag non", 6),
        // Joiners and selectors, where they are needed and where not.
        ("می\u{200c}خواهم क\u{94d}\u{200d}ष", "می\u{200c}خواهم क\u{94d}\u{200d}ष", 0),
        ("lat\u{200d}in\u{200c} \u{200d}\u{fe0f}", "latin ", 4),
        (
            "👨\u{200d}👩\u{200d}👧 🏳\u{fe0f}\u{200d}🌈 👨\u{200d}",
            "👨\u{200d}👩\u{200d}👧 🏳\u{fe0f}\u{200d}🌈 👨",
            1,
        ),
        (
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            0,
        ),
        ("葛\u{e0100}城", "葛\u{e0100}城", 0),
        // Directions, paired and not.
        ("a \u{202e}b\u{202c} c", "a \u{202e}b\u{202c} c", 0),
        ("a \u{2067}שלום\u{2069} c\u{200f}", "a \u{2067}שלום\u{2069} c\u{200f}", 0),
        ("a \u{202e}b\nc\u{202c}", "a b\nc", 2),
        ("\u{202c}a\u{2069} \u{2066}b \u{202b}c\u{2069} \u{202c}d", "a \u{2066}b c\u{2069} d", 4),
        ("\u{2066}a\u{202c}b\u{2069} \u{2068}c", "\u{2066}ab\u{2069} c", 2),
    ];
    for (text, kept, dropped) in cases {
        let read = readable(text);
        assert_eq!((read.text.as_str(), read.dropped), (kept, dropped), "{text:?}");
        let again = readable(&read.text);
        assert_eq!((again.text, again.dropped), (read.text, 0), "once is enough: {text:?}");
    }
}

#[test]
fn a_text_that_nobody_can_see_is_none() {
    for blank in [
        "",
        " \n\t\u{a0}\u{3000}",
        "\u{200b}\u{feff}\u{2060}\u{ad}",
        "\0\u{1b}\u{7f}\u{85}",
        "\u{1b}[31m \u{1b}[0m",
        "\u{202e}\u{202c}\u{2066}\u{2069}\u{200e}\u{61c}",
        "\u{3164}\u{ffa0}\u{115f}\u{1160}\u{2800}",
        "\u{fe0f}\u{200d}\u{200c}\u{34f}\u{e0020}\u{e0100}",
        "\u{fffe}\u{fdd0}",
    ] {
        assert!(!has_visible(blank), "{blank:?}");
    }
    for seen in ["a", "雨", "\u{200b}.", "🌧\u{fe0f}", "\u{202e}x", "9", "\u{301}", "\u{1b}[31mred"]
    {
        assert!(has_visible(seen), "{seen:?}");
    }
}

#[test]
fn debug_output_holds_no_text() {
    assert_eq!(format!("{:?}", readable("my\0 secret")), "Readable(9 bytes, 1 characters dropped)");
}
