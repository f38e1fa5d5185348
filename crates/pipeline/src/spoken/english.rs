//! What is said in English instead of numbers, times, dates and abbreviations.

use super::form::{self, Form};
use super::number::{Marks, Number, whole};
use super::saying::{Saying, measured};
use super::token::Token;

const MARKS: Marks = Marks { thousands: ',', decimal: '.' };
#[rustfmt::skip]
const ONES: [&str; 20] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [(u64, &str); 3] =
    [(1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand")];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// As it is written, of one, of more.
const UNITS: [(&[&str], &str, &str); 21] = [
    (&["min", "mins"], "minute", "minutes"),
    (&["s", "sec", "secs"], "second", "seconds"),
    (&["h", "hr", "hrs"], "hour", "hours"),
    (&["%"], "percent", "percent"),
    (&["kg"], "kilogram", "kilograms"),
    (&["g"], "gram", "grams"),
    (&["km"], "kilometer", "kilometers"),
    (&["m"], "meter", "meters"),
    (&["cm"], "centimeter", "centimeters"),
    (&["mm"], "millimeter", "millimeters"),
    (&["mi"], "mile", "miles"),
    (&["ft"], "foot", "feet"),
    (&["lb", "lbs"], "pound", "pounds"),
    (&["ml"], "milliliter", "milliliters"),
    (&["l"], "liter", "liters"),
    (&["°C"], "degree Celsius", "degrees Celsius"),
    (&["°F"], "degree Fahrenheit", "degrees Fahrenheit"),
    (&["°"], "degree", "degrees"),
    (&["Hz"], "hertz", "hertz"),
    (&["bpm"], "beat per minute", "beats per minute"),
    (&["x", "×"], "time", "times"),
];
/// Before a number: of one, of more, and of a hundredth.
const MONEY: [(char, &str, &str); 3] =
    [('$', "dollar", "dollars"), ('€', "euro", "euros"), ('£', "pound", "pounds")];
/// In front of a name.
const TITLES: [(&str, &str); 6] = [
    ("Dr", "Doctor"),
    ("Mr", "Mister"),
    ("Mrs", "Missus"),
    ("Ms", "Miz"),
    ("Prof", "Professor"),
    ("St", "Saint"),
];
/// With a dot behind.
const SHORT: [(&str, &str); 7] = [
    ("e.g", "for example"),
    ("i.e", "that is"),
    ("etc", "et cetera"),
    ("vs", "versus"),
    ("approx", "approximately"),
    ("min", "minutes"),
    ("sec", "seconds"),
];

/// What is said instead of the word at `at`, and maybe of some behind it; `None` leaves it as it is.
pub(super) fn saying(tokens: &[Token<'_>], at: usize, is_day_first: bool) -> Option<Saying> {
    let token = tokens.get(at)?;
    let core = token.core;
    let before = at.checked_sub(1).and_then(|at| tokens.get(at));
    let next = tokens.get(at + 1);
    if !core.contains(|c: char| c.is_ascii_digit() || "½¼¾".contains(c)) {
        return month_and_day(token, next).or_else(|| short(token, next));
    }
    slashed_date(core, is_day_first)
        .or_else(|| Form::of(core))
        .map(|form| Saying::new(of_form(&form, next), 1))
        .or_else(|| day_and_month(core, before, next))
        .or_else(|| ordered(core))
        .or_else(|| money(core))
        .or_else(|| of_unit(tokens, at))
        .or_else(|| compound(core))
        .or_else(|| Some(Saying::new(number(&Number::parse(core, MARKS)?), 1)))
}

/// Whether it stands in front of a name, with a dot behind.
pub(super) fn is_title(core: &str) -> bool {
    TITLES.iter().any(|(written, _)| *written == core)
}

/// The number of a month.
pub(super) fn month(core: &str) -> Option<usize> {
    let is_short = core.chars().count() == 3 || core == "Sept";
    let is_it = |name: &&str| *name == core || (is_short && name.starts_with(core));
    MONTHS.iter().position(is_it).map(|index| index + 1)
}

fn of_form(form: &Form<'_>, next: Option<&Token<'_>>) -> String {
    match form {
        Form::Rhythm(counts, "") => joined(counts, ", "),
        Form::Rhythm(counts, rest) => joined(counts, "-") + rest,
        Form::Span(from, to, rest) => format!("{} to {}{rest}", cardinal(*from), cardinal(*to)),
        Form::Clock(hour, minute) => clock(*hour, *minute, next),
        Form::Date(of, month, day) => {
            format!("{} {}, {}", MONTHS[month - 1], ordinal(*day), year(*of))
        }
        Form::Fraction(part, of) => fraction(*part, *of),
    }
}

fn joined(counts: &[u64], mark: &str) -> String {
    counts.iter().copied().map(cardinal).collect::<Vec<_>>().join(mark)
}

fn clock(hour: u64, minute: u64, next: Option<&Token<'_>>) -> String {
    let halves = ["am", "pm", "a.m", "p.m"];
    let is_half =
        next.is_some_and(|next| halves.contains(&next.core.to_ascii_lowercase().as_str()));
    let hour_said = cardinal(hour);
    match minute {
        0 if is_half => hour_said,
        0 if (1..=12).contains(&hour) => format!("{hour_said} o'clock"),
        0 => format!("{hour_said} hundred"),
        1..=9 => format!("{hour_said} oh {}", cardinal(minute)),
        _ => format!("{hour_said} {}", cardinal(minute)),
    }
}

fn fraction(part: u64, of: u64) -> String {
    let of = match of {
        2 => "half".to_owned(),
        4 => "quarter".to_owned(),
        of => ordinal(of),
    };
    format!("{} {of}{}", cardinal(part), if part == 1 { "" } else { "s" })
}

/// `11/30/2026`, in the order of the country; in the other one where only that can be.
fn slashed_date(core: &str, is_day_first: bool) -> Option<Form<'_>> {
    let parts: Vec<&str> = core.split('/').collect();
    let [one, two, year] = parts[..] else { return None };
    let (one, two) = (whole(one, 2)?, whole(two, 2)?);
    let year = whole(year, 4)?;
    let (month, day) = if is_day_first { (two, one) } else { (one, two) };
    form::date(year, month, day).or_else(|| form::date(year, day, month))
}

/// `November 3`, `Nov. 3rd`.
fn month_and_day(token: &Token<'_>, next: Option<&Token<'_>>) -> Option<Saying> {
    let name = MONTHS[month(token.core)? - 1];
    let is_short = token.core != name;
    let next = next.filter(|next| next.opening.is_empty())?;
    let digits = next.core.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let day = whole(digits, 2).filter(|day| (1..=31).contains(day))?;
    let is_near = token.closing.is_empty() || (is_short && token.closing == ".");
    is_near.then(|| Saying::new(format!("{name} {}", ordinal(day)), 2))
}

/// `3 November`, of which people say more than is written.
fn day_and_month(
    core: &str,
    before: Option<&Token<'_>>,
    next: Option<&Token<'_>>,
) -> Option<Saying> {
    let day = whole(core, 2).filter(|day| (1..=31).contains(day))?;
    let name = MONTHS[month(next?.core)? - 1];
    let is_named = before.is_some_and(|before| before.core.eq_ignore_ascii_case("the"));
    let the = if is_named { "" } else { "the " };
    Some(Saying::new(format!("{the}{} of {name}", ordinal(day)), 2))
}

/// `3rd`.
fn ordered(core: &str) -> Option<Saying> {
    let digits = core.strip_suffix("st").or_else(|| core.strip_suffix("nd"));
    let digits = digits.or_else(|| core.strip_suffix("rd")).or_else(|| core.strip_suffix("th"))?;
    let number = Number::parse(digits, MARKS).filter(|number| number.decimals.is_empty())?;
    Some(Saying::new(ordinal(number.whole), 1))
}

/// `$5`, `$2.50`.
fn money(core: &str) -> Option<Saying> {
    let (_, one, more) = MONEY.iter().find(|(sign, ..)| core.starts_with(*sign))?;
    let digits = core.trim_start_matches(|c: char| !c.is_ascii_digit());
    let number = Number::parse(digits, MARKS)?;
    let unit = if number.is_one() { one } else { more };
    let whole = format!("{} {unit}", cardinal(number.whole));
    let words = match (number.decimals.len(), whole_of(number.decimals)) {
        (0, _) | (2, Some(0)) => whole,
        (2, Some(cents)) => format!("{whole} {}", cardinal(cents)),
        _ => return None,
    };
    Some(Saying::new(words, 1))
}

fn whole_of(digits: &str) -> Option<u64> {
    whole(digits, 2)
}

fn of_unit(tokens: &[Token<'_>], at: usize) -> Option<Saying> {
    let (digits, unit, count) = measured(tokens, at)?;
    let number = Number::parse(digits, MARKS)?;
    let (_, one, more) = UNITS.iter().find(|(written, ..)| written.contains(&unit))?;
    let unit = if number.is_one() { one } else { more };
    let counted = Number { is_year_like: false, ..number };
    Some(Saying::new(format!("{} {unit}", self::number(&counted)), count).shortened())
}

/// `10-minute`, `#3`.
fn compound(core: &str) -> Option<Saying> {
    if let Some(digits) = core.strip_prefix('#') {
        return Some(Saying::new(format!("number {}", cardinal(whole(digits, 6)?)), 1));
    }
    let (digits, word) = core.split_once(['-', '‑'])?;
    let is_word = word.len() > 1 && word.chars().all(|c| c.is_alphabetic() || c == '-');
    is_word.then(|| Some(Saying::new(format!("{}-{word}", cardinal(whole(digits, 4)?)), 1)))?
}

fn short(token: &Token<'_>, next: Option<&Token<'_>>) -> Option<Saying> {
    let core = token.core;
    let of = |table: &[(&str, &'static str)]| {
        table.iter().find(|(written, _)| *written == core).map(|(_, said)| *said)
    };
    let is_named = next.is_some_and(|next| next.core.starts_with(char::is_uppercase));
    if let Some(title) = of(&TITLES).filter(|_| is_named) {
        // A dot belongs to a title, though a name with a capital follows.
        let dot = usize::from(token.has_dot());
        return (token.closing.len() == dot).then(|| Saying::new(title, 1).dotted());
    }
    let is_counted = next.is_some_and(|next| next.core.starts_with(|c: char| c.is_ascii_digit()));
    if core == "No" && token.has_dot() && is_counted {
        return Some(Saying::new("number", 1).dotted());
    }
    let said = of(&SHORT).filter(|_| token.has_dot())?;
    Some(Saying::new(said, 1).shortened())
}

fn number(number: &Number<'_>) -> String {
    let minus = if number.is_negative { "minus " } else { "" };
    let is_year = number.is_year_like && (1_100..2_100).contains(&number.whole);
    let whole = if is_year { year(number.whole) } else { cardinal(number.whole) };
    let digits = number.decimals.bytes().map(|digit| ONES[usize::from(digit - b'0')]);
    let decimals: Vec<&str> = digits.collect();
    let point = if decimals.is_empty() { "" } else { " point " };
    format!("{minus}{whole}{point}{}", decimals.join(" "))
}

/// 1984 as it is said of years.
fn year(year: u64) -> String {
    let (century, rest) = (year / 100, year % 100);
    match rest {
        _ if !(1_100..2_100).contains(&year) || (2_000..2_010).contains(&year) => cardinal(year),
        0 => format!("{} hundred", cardinal(century)),
        1..=9 => format!("{} oh {}", cardinal(century), cardinal(rest)),
        _ => format!("{} {}", cardinal(century), cardinal(rest)),
    }
}

fn cardinal(number: u64) -> String {
    for (size, name) in SCALES {
        if number >= size {
            let (whole, rest) = (cardinal(number / size), number % size);
            let and = if rest < 100 { " and " } else { " " };
            return with_rest(format!("{whole} {name}"), and, rest);
        }
    }
    let index = |number: u64| usize::try_from(number).unwrap_or(0);
    match number {
        100.. => with_rest(format!("{} hundred", cardinal(number / 100)), " and ", number % 100),
        20.. => with_rest(TENS[index(number / 10)].to_owned(), "-", number % 10),
        _ => ONES[index(number)].to_owned(),
    }
}

fn with_rest(whole: String, mark: &str, rest: u64) -> String {
    if rest == 0 { whole } else { whole + mark + &cardinal(rest) }
}

fn ordinal(number: u64) -> String {
    let cardinal = cardinal(number);
    let at = cardinal.rfind([' ', '-']).map_or(0, |at| at + 1);
    let (front, last) = cardinal.split_at(at);
    let last = match last {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        last => {
            last.strip_suffix('y').map_or_else(|| format!("{last}th"), |last| format!("{last}ieth"))
        }
    };
    format!("{front}{last}")
}
