//! What language models put around the text that they were asked for, as tables of words.

use unicode_segmentation::UnicodeSegmentation;

/// How an introduction begins.
const OFFERS: [&str; 44] = [
    "here is",
    "here's",
    "here are",
    "below is",
    "sure",
    "certainly",
    "of course",
    "absolutely",
    "gladly",
    "great",
    "okay",
    "ok,",
    "the following is",
    "this is a",
    "hier ist",
    "hier kommt",
    "gerne",
    "natürlich",
    "selbstverständlich",
    "voici",
    "bien sûr",
    "certainement",
    "aquí tienes",
    "aquí está",
    "claro",
    "por supuesto",
    "ecco",
    "certo",
    "aqui está",
    "вот",
    "конечно",
    "以下是",
    "好的",
    "当然",
    "當然",
    "這是",
    "もちろん",
    "以下は",
    "はい",
    "다음은",
    "물론",
    "यहाँ",
    "إليك",
    "นี่คือ",
];
/// What an introduction introduces.
const WORKS: [&str; 16] = [
    "meditat",
    "méditat",
    "meditaz",
    "meditaç",
    "meditac",
    "script",
    "transcript",
    "медитац",
    "冥想",
    "瞑想",
    "명상",
    "ध्यान",
    "تأمل",
    "สมาธิ",
    "continuation",
    "fortsetzung",
];
/// What opens a mark.
const BRACKETS: [char; 6] = ['[', '{', '<', '【', '［', '〔'];
/// Longest introduction, in characters.
const MAX_INTRODUCTION: usize = 240;
/// How a farewell to the person who asked begins.
const FAREWELLS: [&str; 10] = [
    "let me know if",
    "i hope this",
    "would you like me to",
    "if you'd like me to",
    "if you would like me to",
    "if you'd like any",
    "feel free to adjust",
    "feel free to let me",
    "lass mich wissen",
    "ich hoffe, diese",
];
/// What a model writes under its text.
const ENDS: [&str; 5] =
    ["end", "the end", "end of meditation", "end of script", "end of transcript"];
/// Names of facts about the text; a line of one is a note.
const NOTES: [&str; 39] = [
    "word count",
    "words",
    "total words",
    "total word count",
    "approximate word count",
    "length",
    "duration",
    "estimated duration",
    "time",
    "total time",
    "title",
    "note",
    "notes",
    "music",
    "background music",
    "background",
    "sound",
    "sound effect",
    "sound effects",
    "sfx",
    "setting",
    "tone",
    "language",
    "total",
    "guided meditation",
    "meditation script",
    "wortzahl",
    "wörter",
    "dauer",
    "titel",
    "hinweis",
    "musik",
    "titre",
    "durée",
    "musique",
    "título",
    "duración",
    "música",
    "字数",
];
/// Who speaks.
const SPEAKERS: [&str; 33] = [
    "narrator",
    "speaker",
    "guide",
    "voice",
    "voiceover",
    "voice-over",
    "voice over",
    "host",
    "instructor",
    "teacher",
    "meditation guide",
    "part",
    "section",
    "paragraph",
    "step",
    "meditation",
    "assistant",
    "script",
    "transcript",
    "erzähler",
    "erzählerin",
    "sprecher",
    "sprecherin",
    "narrateur",
    "narratrice",
    "narrador",
    "narradora",
    "voix",
    "旁白",
    "引导者",
    "ナレーター",
    "내레이터",
    "الراوي",
];
/// How a refusal begins, behind an apology.
const REFUSALS: [&str; 19] = [
    "i can't",
    "i cannot",
    "i can not",
    "i won't",
    "i will not",
    "i'm unable to",
    "i am unable to",
    "i'm not able to",
    "i am not able to",
    "i'm sorry, but i can",
    "ich kann dir dabei nicht",
    "ich kann dabei nicht",
    "ich kann diese anfrage nicht",
    "je ne peux pas",
    "je suis désolé, mais je ne",
    "no puedo",
    "lo siento, pero no puedo",
    "我无法",
    "抱歉，我",
];
/// What is refused: a listener is never told this by a meditation.
const REFUSED: [&str; 22] = [
    "help",
    "assist",
    "write",
    "create",
    "comply",
    "fulfil",
    "provide",
    "generate",
    "produce",
    "do that",
    "do this",
    "continue with",
    "engage",
    "discuss",
    "support",
    "helfen",
    "erstellen",
    "aider",
    "vous aider",
    "ayudar",
    "提供",
    "协助",
];
const APOLOGIES: [&str; 9] = [
    "i'm sorry",
    "i am sorry",
    "sorry",
    "i apologize",
    "i apologise",
    "unfortunately",
    "es tut mir leid",
    "leider",
    "désolé",
];

/// Bytes at the beginning of a draft that only introduce it: whole lines, or the beginning of one.
/// `is_first` where no other draft stands before: then a line that ends with a colon is one too.
pub(super) fn introduction(text: &str, is_first: bool) -> usize {
    let mut bytes = 0;
    for line in text.split_inclusive('\n') {
        // A bracket is not read yet, and may hold more than this line.
        let whole = introduces(line, is_first);
        let introduced = if line[..whole].contains(BRACKETS) { 0 } else { whole };
        bytes += introduced;
        if introduced < line.len() {
            break;
        }
    }
    bytes
}

/// Bytes of a line that introduce what follows; its length where it says nothing.
fn introduces(line: &str, is_first: bool) -> usize {
    let plain = lower(line);
    if plain.is_empty() {
        return line.len();
    }
    let is_short = plain.chars().count() <= MAX_INTRODUCTION;
    let is_offer = OFFERS.iter().any(|offer| plain.starts_with(offer));
    let ends_with_colon = plain.ends_with([':', '：']);
    if is_short && ends_with_colon && (is_offer || is_first) {
        return line.len();
    }
    if !is_offer {
        return 0;
    }
    // `Sure!`, and nothing else.
    let rest = OFFERS.iter().filter_map(|offer| plain.strip_prefix(offer));
    if rest.into_iter().any(|rest| !rest.contains(char::is_alphanumeric)) {
        return line.len();
    }
    introducing_sentences(line)
}

/// Bytes of the sentences up to the one that names a meditation, where that comes early.
fn introducing_sentences(line: &str) -> usize {
    let mut characters = 0;
    for (at, sentence) in line.split_sentence_bound_indices().take(2) {
        characters += sentence.chars().count();
        if characters > MAX_INTRODUCTION {
            return 0;
        }
        if WORKS.iter().any(|work| lower(sentence).contains(work)) {
            let colon = sentence.find([':', '：']);
            let end = colon.map_or(sentence.len(), |at| {
                at + sentence[at..].chars().next().map_or(1, char::len_utf8)
            });
            return at + end;
        }
    }
    0
}

/// Whether a draft that begins with `text` is none.
pub(super) fn refuses(text: &str) -> bool {
    let said = lower(text);
    let said: String = said.chars().take(MAX_INTRODUCTION).collect();
    let mut rest = said.as_str();
    if let Some(behind) = APOLOGIES.iter().find_map(|apology| rest.strip_prefix(apology)) {
        rest = behind.trim_start_matches(|c: char| !c.is_alphanumeric());
        rest = rest.strip_prefix("but ").unwrap_or(rest);
    }
    let begun = REFUSALS
        .iter()
        .find_map(|refusal| rest.strip_prefix(refusal).or_else(|| said.strip_prefix(refusal)));
    begun.is_some_and(|behind| {
        let near: String = behind.chars().take(40).collect();
        REFUSED.iter().any(|verb| near.contains(verb))
    })
}

/// Whether a line is a farewell to the person who asked.
pub(super) fn is_farewell(line: &str) -> bool {
    let plain = lower(line);
    FAREWELLS.iter().any(|farewell| plain.starts_with(farewell))
}

/// What the label that a line begins with makes of it.
#[derive(Debug, PartialEq)]
pub(super) enum Labelled<'line> {
    /// It has none.
    Words,
    /// It is a note, and not spoken.
    Note,
    /// What the speaker says.
    Said(&'line str),
}

/// Reads the label of a line: `Narrator: …`, `Speaker 1 (softly): …`, `**Opening:** …`,
/// `Word count: 420`.
pub(super) fn label(line: &str) -> Labelled<'_> {
    let Some((at, colon)) = line.char_indices().find(|(_, c)| ":：".contains(*c)) else {
        let is_end = ENDS.contains(&lower(line).trim_end_matches(['.', '!']));
        return if is_end || is_word_count(line) { Labelled::Note } else { Labelled::Words };
    };
    let (head, rest) = (&line[..at], &line[at + colon.len_utf8()..]);
    let name = lower(head.split(['(', '（']).next().unwrap_or_default());
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit() || c.is_whitespace());
    let said = rest.trim_start_matches(['*', '_', ' ']);
    let is_bold = head.starts_with("**") && (rest.starts_with("**") || head.ends_with("**"));
    if NOTES.contains(&name) {
        Labelled::Note
    } else if SPEAKERS.contains(&name) || is_bold {
        Labelled::Said(said)
    } else {
        Labelled::Words
    }
}

/// `420 words`, `(approx. 420 words)`.
fn is_word_count(line: &str) -> bool {
    let plain = lower(line);
    let words: Vec<&str> = plain.unicode_words().collect();
    let is_number = |word: &&&str| word.chars().all(|c| c.is_ascii_digit());
    let [.., last] = words.as_slice() else { return false };
    words.len() <= 4
        && ["words", "wörter", "mots"].contains(last)
        && words.iter().any(|w| is_number(&w))
}

/// Without the ornaments around it, in lower case, with plain apostrophes.
fn lower(text: &str) -> String {
    let is_ornament = |c: char| c.is_whitespace() || "*_#>`\"“”()[]-".contains(c);
    text.trim_matches(is_ornament).to_lowercase().replace(['’', '‘'], "'")
}
