//! What is said in German instead of numbers, times, dates and abbreviations.

use super::form::{self, Form};
use super::number::{Marks, Number, whole};
use super::saying::{Saying, measured};
use super::token::Token;

const MARKS: Marks = Marks { thousands: '.', decimal: ',' };
#[rustfmt::skip]
const ONES: [&str; 20] = [
    "null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf",
    "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn",
];
const TENS: [&str; 10] = [
    "", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig",
];
const MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
/// As it is written, with "ein" or "eine" of one, of more.
const UNITS: [(&[&str], &str, &str); 20] = [
    (&["min", "Min"], "eine Minute", "Minuten"),
    (&["s", "sek", "Sek", "sec"], "eine Sekunde", "Sekunden"),
    (&["h", "Std", "std"], "eine Stunde", "Stunden"),
    (&["%"], "ein Prozent", "Prozent"),
    (&["kg"], "ein Kilogramm", "Kilogramm"),
    (&["g"], "ein Gramm", "Gramm"),
    (&["km"], "ein Kilometer", "Kilometer"),
    (&["m"], "ein Meter", "Meter"),
    (&["cm"], "ein Zentimeter", "Zentimeter"),
    (&["mm"], "ein Millimeter", "Millimeter"),
    (&["ml"], "ein Milliliter", "Milliliter"),
    (&["l"], "ein Liter", "Liter"),
    (&["°C"], "ein Grad Celsius", "Grad Celsius"),
    (&["°"], "ein Grad", "Grad"),
    (&["Hz"], "ein Hertz", "Hertz"),
    (&["bpm"], "ein Schlag pro Minute", "Schläge pro Minute"),
    (&["Uhr"], "ein Uhr", "Uhr"),
    (&["€", "Euro"], "ein Euro", "Euro"),
    (&["x", "×"], "einmal", "mal"),
    (&["Mal"], "ein Mal", "Mal"),
];
/// In front of a name.
const TITLES: [(&str, &str); 6] = [
    ("Dr", "Doktor"),
    ("Prof", "Professor"),
    ("Hr", "Herr"),
    ("Hrn", "Herrn"),
    ("Fr", "Frau"),
    ("St", "Sankt"),
];
/// With a dot behind each part.
const SHORT: [(&[&str], &str); 17] = [
    (&["z", "B"], "zum Beispiel"),
    (&["d", "h"], "das heißt"),
    (&["u", "a"], "unter anderem"),
    (&["u", "U"], "unter Umständen"),
    (&["i", "d", "R"], "in der Regel"),
    (&["usw"], "und so weiter"),
    (&["etc"], "et cetera"),
    (&["bzw"], "beziehungsweise"),
    (&["bspw"], "beispielsweise"),
    (&["ca"], "circa"),
    (&["evtl"], "eventuell"),
    (&["ggf"], "gegebenenfalls"),
    (&["inkl"], "inklusive"),
    (&["vgl"], "vergleiche"),
    (&["Min"], "Minuten"),
    (&["Sek"], "Sekunden"),
    (&["Std"], "Stunden"),
];
/// Behind these an ordinal ends in `e`, and behind those in `en`.
const ENDING_E: [&str; 7] = ["der", "die", "das", "eine", "deine", "meine", "jede"];
const ENDING_EN: [&str; 22] = [
    "den", "dem", "des", "am", "im", "vom", "zum", "zur", "beim", "bis", "ab", "seit", "einer",
    "einem", "einen", "deiner", "deinem", "deinen", "jeder", "jedem", "jeden", "diesem",
];

/// Behind these a number may end a sentence.
const ENDS: [&str; 3] = ["bis", "ab", "seit"];

/// What is said instead of the word at `at`, and maybe of some behind it; `None` leaves it as it is.
pub(super) fn saying(tokens: &[Token<'_>], at: usize) -> Option<Saying> {
    let token = tokens.get(at)?;
    let core = token.core;
    let before = at.checked_sub(1).and_then(|at| tokens.get(at)).map(|before| before.core);
    if !core.contains(|c: char| c.is_ascii_digit() || "½¼¾".contains(c)) {
        return short(tokens, at);
    }
    date(token, before)
        .or_else(|| clock(tokens, at))
        .or_else(|| Some(Saying::new(of_form(&Form::of(core)?, before)?, 1)))
        .or_else(|| ordered(tokens, at, before))
        .or_else(|| of_unit(tokens, at))
        .or_else(|| compound(core))
        .or_else(|| lone(tokens, at))
}

/// Whether a dot behind it ends no sentence though a capital follows: a title, or what stands before a noun.
pub(super) fn is_cut_short(core: &str) -> bool {
    const BEFORE_NOUNS: [&str; 10] =
        ["z", "z.B", "B", "d.h", "u.a", "bzw", "bspw", "ca", "inkl", "Nr"];
    TITLES.iter().any(|(written, _)| *written == core) || BEFORE_NOUNS.contains(&core)
}

/// The number of a month.
pub(super) fn month(core: &str) -> Option<usize> {
    let is_short = core.chars().count() == 3 || core == "Sept";
    let is_it = |name: &&str| *name == core || (is_short && name.starts_with(core));
    MONTHS.iter().position(is_it).map(|index| index + 1)
}

fn of_form(form: &Form<'_>, before: Option<&str>) -> Option<String> {
    Some(match form {
        Form::Rhythm(counts, "") => joined(counts, ", "),
        Form::Rhythm(counts, rest) => joined(counts, "-") + rest,
        Form::Span(from, to, rest) => format!("{} bis {}{rest}", cardinal(*from), cardinal(*to)),
        Form::Date(year, month, day) => {
            let day = inflected(*day, before);
            format!("{day} {} {}", MONTHS[month - 1], of_year(*year))
        }
        Form::Fraction(1, 2) => "ein halb".to_owned(),
        Form::Fraction(part, 4) => format!("{} Viertel", stem(*part)),
        Form::Fraction(part, of) => {
            let of = ordinal_stem(*of);
            format!("{} {}el", stem(*part), capitalized(&of))
        }
        Form::Clock(..) => return None,
    })
}

fn joined(counts: &[u64], mark: &str) -> String {
    counts.iter().copied().map(cardinal).collect::<Vec<_>>().join(mark)
}

/// `30.11.2026`, `30.11.`
fn date(token: &Token<'_>, before: Option<&str>) -> Option<Saying> {
    let parts: Vec<&str> = token.core.split('.').collect();
    let (day, month, year) = match parts[..] {
        [day, month, year] if year.len() == 4 => (day, month, Some(whole(year, 4)?)),
        [day, month] if token.has_dot() => (day, month, None),
        _ => return None,
    };
    let (day, month) = (whole(day, 2)?, whole(month, 2)?);
    let Form::Date(_, month, day) = form::date(year.unwrap_or(2_000), month, day)? else {
        return None;
    };
    let said = format!("{} {}", inflected(day, before), MONTHS[month - 1]);
    Some(match year {
        Some(year) => Saying::new(format!("{said} {}", of_year(year)), 1),
        None => Saying::new(said, 1).shortened(),
    })
}

/// `7:40 Uhr`, `7.40 Uhr`, `7:40`.
fn clock(tokens: &[Token<'_>], at: usize) -> Option<Saying> {
    let (token, next) = (tokens.get(at)?, tokens.get(at + 1));
    let is_named = next.is_some_and(|next| next.core == "Uhr" && next.follows(token));
    let dotted = || form::clock(token.core, '.').filter(|_| is_named);
    let Form::Clock(hour, minute) = form::clock(token.core, ':').or_else(dotted)? else {
        return None;
    };
    let minute = if minute == 0 { String::new() } else { format!(" {}", cardinal(minute)) };
    Some(Saying::new(format!("{} Uhr{minute}", stem(hour)), 1 + usize::from(is_named)))
}

/// `3.` before what it counts; at the end of a sentence it is a number.
fn ordered(tokens: &[Token<'_>], at: usize, before: Option<&str>) -> Option<Saying> {
    let (token, next) = (tokens.get(at)?, tokens.get(at + 1)?);
    let number =
        whole(token.core, 3).filter(|_| token.closing == "." && next.opening.is_empty())?;
    let is_word = next.core.starts_with(char::is_alphabetic);
    let is_counted = |before: &str| ending(before).is_some() && !ENDS.contains(&before);
    let is_ordered = before.is_some_and(is_counted) || month(next.core).is_some();
    (is_word && is_ordered).then(|| Saying::new(inflected(number, before), 1).dotted())
}

fn inflected(number: u64, before: Option<&str>) -> String {
    let ending = before.and_then(ending).unwrap_or("er");
    format!("{}{ending}", ordinal_stem(number))
}

fn ending(before: &str) -> Option<&'static str> {
    let before = before.to_lowercase();
    let is_one_of = |words: &[&str]| words.contains(&before.as_str());
    match () {
        () if is_one_of(&ENDING_E) => Some("e"),
        () if is_one_of(&ENDING_EN) => Some("en"),
        () => None,
    }
}

fn of_unit(tokens: &[Token<'_>], at: usize) -> Option<Saying> {
    let (digits, unit, count) = measured(tokens, at)?;
    let number = Number::parse(digits, MARKS)?;
    let (_, one, more) = UNITS.iter().find(|(written, ..)| written.contains(&unit))?;
    let words = match (*more, number.is_one()) {
        (_, true) => (*one).to_owned(),
        ("mal", _) => format!("{}mal", self::number(&number)?),
        ("Euro", _) if number.decimals.len() == 2 => {
            format!("{} Euro {}", stem(number.whole), cardinal(whole(number.decimals, 2)?))
        }
        ("Uhr", _) => format!("{} Uhr", stem(number.whole)),
        _ => format!("{} {more}", self::number(&number)?),
    };
    let said = Saying::new(words, count);
    Some(if ["Uhr", "Mal", "Euro"].contains(more) { said } else { said.shortened() })
}

/// `10-minütig`, `4er`.
fn compound(core: &str) -> Option<Saying> {
    let (digits, word) = core.split_once(['-', '‑'])?;
    let is_word = word.len() > 1 && word.chars().all(|c| c.is_alphabetic() || c == '-');
    is_word.then(|| Some(Saying::new(format!("{}-{word}", stem(whole(digits, 4)?)), 1)))?
}

/// A number by itself. One before a noun has an ending that only the noun knows.
fn lone(tokens: &[Token<'_>], at: usize) -> Option<Saying> {
    let (token, next) = (tokens.get(at)?, tokens.get(at + 1));
    let number = Number::parse(token.core, MARKS)?;
    let counts =
        next.is_some_and(|next| next.follows(token) && next.core.starts_with(char::is_uppercase));
    if number.is_one() && counts {
        return None;
    }
    if number.is_year_like {
        return Some(Saying::new(of_year(number.whole), 1));
    }
    Some(Saying::new(self::number(&number)?, 1))
}

fn short(tokens: &[Token<'_>], at: usize) -> Option<Saying> {
    let (token, next) = (tokens.get(at)?, tokens.get(at + 1));
    let is_named = next.is_some_and(|next| next.core.starts_with(char::is_uppercase));
    let is_counted = next.is_some_and(|next| next.core.starts_with(|c: char| c.is_ascii_digit()));
    let title = TITLES.iter().find(|(written, _)| *written == token.core);
    if let Some((_, said)) = title.filter(|_| is_named && token.closing == ".") {
        return Some(Saying::new(*said, 1).dotted());
    }
    if token.core == "Nr" && token.has_dot() && is_counted {
        return Some(Saying::new("Nummer", 1).dotted());
    }
    SHORT.iter().find_map(|(parts, said)| {
        let count = length(parts, tokens.get(at..)?)?;
        let said = if token.core.starts_with(char::is_uppercase) {
            capitalized(said)
        } else {
            (*said).to_owned()
        };
        Some(Saying::new(said, count).shortened())
    })
}

/// How many words `parts` are at the beginning of `tokens`: one, or as many as there are parts.
fn length(parts: &[&str], tokens: &[Token<'_>]) -> Option<usize> {
    let first = tokens.first()?;
    let written = parts.join(".");
    let is_it = |written: &str, core: &str| written == core || capitalized(written) == core;
    if is_it(&written, first.core) && first.has_dot() {
        return Some(1);
    }
    let parted = parts.iter().zip(tokens);
    let is_parted = tokens.len() >= parts.len()
        && parted.clone().all(|(part, token)| is_it(part, token.core) && token.has_dot());
    is_parted.then_some(parts.len())
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(letters).collect()
}

fn number(number: &Number<'_>) -> Option<String> {
    let minus = if number.is_negative { "minus " } else { "" };
    let digit = |digit: u8| cardinal(u64::from(digit - b'0'));
    let decimals: Vec<String> = number.decimals.bytes().map(digit).collect();
    let comma = if decimals.is_empty() { "" } else { " Komma " };
    let is_sayable = number.whole < 1_000_000;
    is_sayable.then(|| format!("{minus}{}{comma}{}", cardinal(number.whole), decimals.join(" ")))
}

/// 1984 as it is said of years.
fn of_year(year: u64) -> String {
    let (century, rest) = (year / 100, year % 100);
    if !(1_100..2_000).contains(&year) {
        return cardinal(year);
    }
    let rest = if rest == 0 { String::new() } else { cardinal(rest) };
    format!("{}hundert{rest}", stem(century))
}

/// Below a million.
fn cardinal(number: u64) -> String {
    let said = stem(number);
    // One is only at the end more than its stem.
    if number % 100 == 1 { said + "s" } else { said }
}

/// As it stands in front of another word.
fn stem(number: u64) -> String {
    let index = |number: u64| usize::try_from(number).unwrap_or(0);
    let rest = |rest: u64| if rest == 0 { String::new() } else { stem(rest) };
    match number {
        1_000.. => format!("{}tausend{}", stem(number / 1_000), rest(number % 1_000)),
        100.. => format!("{}hundert{}", stem(number / 100), rest(number % 100)),
        20.. if number.is_multiple_of(10) => TENS[index(number / 10)].to_owned(),
        20.. => format!("{}und{}", stem(number % 10), TENS[index(number / 10)]),
        _ => ONES[index(number)].to_owned(),
    }
}

/// An ordinal without its ending.
fn ordinal_stem(number: u64) -> String {
    let (front, last) = (number / 100 * 100, number % 100);
    let front = if front == 0 || last == 0 { String::new() } else { stem(front) };
    match last {
        0 => format!("{}st", stem(number)),
        1 => front + "erst",
        3 => front + "dritt",
        7 => front + "siebt",
        8 => front + "acht",
        2..20 => format!("{front}{}t", stem(last)),
        _ => format!("{front}{}st", stem(last)),
    }
}
