//! What is written stands beside what is said.

use super::*;

fn reading(language: Option<&str>, words: &[(&str, &str)], ipa: Option<&str>) -> Reading {
    let lexicon = words.iter().map(|(word, say)| ((*word).to_owned(), (*say).to_owned()));
    let pronunciation =
        Pronunciation { ipa: ipa.map(|form| IpaForm(form.to_owned())), ..Pronunciation::default() };
    let language =
        language.map(|tag| stillcast_enqueue::Identifier::parse("language", tag).unwrap());
    let options = Options { language, lexicon: Lexicon::new(lexicon), ..Options::default() };
    Reading::new(&pronunciation, "default", &options)
}

#[track_caller]
fn says(language: &str, rows: &[(&str, &str)]) {
    let reading = reading(Some(language), &[], None);
    for (written, said) in rows {
        assert_eq!(reading.say(written).text, *said, "{written:?} in {language}");
        // What is said in words is said alike when it is read again.
        assert_eq!(reading.say(said).text, *said, "{said:?}, again, in {language}");
    }
}

#[test]
fn english_is_read_as_people_read_it() {
    says(
        "en",
        &[
            ("Try 4-7-8 breathing.", "Try four, seven, eight breathing."),
            (
                "The 4–7–8-rhythm, then 5-10 breaths",
                "The four-seven-eight-rhythm, then five to ten breaths",
            ),
            ("Dr. Miller waits.", "Doctor Miller waits."),
            ("Mrs Lee and Prof. Ong, St. John", "Missus Lee and Professor Ong, Saint John"),
            (
                "At 7:40 you wake, at 7:05 or 7:00.",
                "At seven forty you wake, at seven oh five or seven o'clock.",
            ),
            ("until 9:00 p.m. tonight, 19:30", "until nine p.m. tonight, nineteen thirty"),
            ("the 3rd, 21st and 100th breath", "the third, twenty-first and one hundredth breath"),
            ("Rest for 20 min. Then rise.", "Rest for twenty minutes. Then rise."),
            ("Rest for 1 min. or 90 sec. more", "Rest for one minute or ninety seconds more"),
            (
                "20% of 1,500 m, or 2.5 %",
                "twenty percent of one thousand five hundred meters, or two point five percent",
            ),
            (
                "On 2026-11-30, Nov. 3 and 4 May",
                "On November thirtieth, twenty twenty-six, November third and the fourth of May",
            ),
            ("the 11/3/2026", "the November third, twenty twenty-six"),
            (
                "In 1984, 1905, 1900 and 2005",
                "In nineteen eighty-four, nineteen oh five, nineteen hundred and two thousand and five",
            ),
            ("108 times, 1,000,001", "one hundred and eight times, one million and one"),
            ("½ an hour, 2/3 of it, 3/4", "one half an hour, two thirds of it, three quarters"),
            (
                "It is -5 °C, 72°F, $2.50",
                "It is minus five degrees Celsius, seventy-two degrees Fahrenheit, two dollars fifty",
            ),
            ("a 10-minute walk, No. 7, #3", "a ten-minute walk, number seven, number three"),
            (
                "Let go, e.g. of plans, etc. And rest.",
                "Let go, for example of plans, et cetera. And rest.",
            ),
            ("5 x 5, 3x", "five times five, three times"),
            ("\"(12)\"…", "\"(twelve)\"…"),
        ],
    );
    says("en-GB", &[("the 3/11/2026", "the November third, twenty twenty-six")]);
}

#[test]
fn german_is_read_as_people_read_it() {
    says(
        "de",
        &[
            ("Die 4-7-8-Atmung: 4-7-8.", "Die vier-sieben-acht-Atmung: vier, sieben, acht."),
            ("5–10 Atemzüge", "fünf bis zehn Atemzüge"),
            ("Dr. Weber und Fr. Lang", "Doktor Weber und Frau Lang"),
            (
                "Um 7:40 Uhr, um 7.05 Uhr, um 8:00",
                "Um sieben Uhr vierzig, um sieben Uhr fünf, um acht Uhr",
            ),
            ("um 1 Uhr, um 21 Uhr.", "um ein Uhr, um einundzwanzig Uhr."),
            ("der 3. Atemzug, am 3. Tag", "der dritte Atemzug, am dritten Tag"),
            ("Zähle bis 3. Dann ruhe, bis 3. Mai", "Zähle bis drei. Dann ruhe, bis dritten Mai"),
            (
                "Am 30.11.2026, am 1.12. abends",
                "Am dreißigsten November zweitausendsechsundzwanzig, am ersten Dezember abends",
            ),
            ("Heute, 7. Mai", "Heute, siebter Mai"),
            ("Ruhe 20 Min. und 1 min. lang.", "Ruhe zwanzig Minuten und eine Minute lang."),
            (
                "20 % von 1.500 m, 2,5%",
                "zwanzig Prozent von eintausendfünfhundert Meter, zwei Komma fünf Prozent",
            ),
            (
                "Im Jahr 1984, 2026, 101",
                "Im Jahr neunzehnhundertvierundachtzig, zweitausendsechsundzwanzig, einhunderteins",
            ),
            ("2,50 €, 1 €, 5x", "zwei Euro fünfzig, ein Euro, fünfmal"),
            (
                "z. B. jetzt, d.h. bald, bzw. ca. 17",
                "zum Beispiel jetzt, das heißt bald, beziehungsweise circa siebzehn",
            ),
            ("1 Atemzug, Nr. 4, ½, 3/4", "1 Atemzug, Nummer vier, ein halb, drei Viertel"),
            ("-3 °C", "minus drei Grad Celsius"),
        ],
    );
}

#[test]
fn other_languages_and_what_no_rule_knows_pass_unharmed() {
    for (language, text) in [
        ("fr", "Le 3 mai à 7:40, M. Dupont, 20 %  "),
        ("ja", "4-7-8呼吸を20分、7:40に。"),
        ("ar", "خذ 3 أنفاس، 7:40"),
        ("hi", "20 मिनट, 4-7-8।"),
        ("en", "v2.3.1 B12 007 +49-30-123456 555-123-4567 24/7 3.14.15 \u{a0}x"),
        ("de", "1.2.3.4 0049 30/123 7.40 4711-12-x"),
    ] {
        assert_eq!(reading(Some(language), &[], None).say(text).text, text, "{language}");
    }
}

#[test]
fn without_a_language_the_words_themselves_tell() {
    let reading = reading(None, &[], None);
    let said = |text: &str| reading.say(text).text;
    assert_eq!(said("Breathe with the sea for 4."), "Breathe with the sea for four.");
    assert_eq!(said("Atme ein und zähle bis 4."), "Atme ein und zähle bis vier.");
    assert_eq!(said("Respire 4 fois."), "Respire 4 fois.");
}

#[test]
fn words_of_a_lexicon_are_said_as_it_says_and_nothing_else_is() {
    let words = [
        ("qigong", "chee gung"),
        ("Nice", "neess"),
        ("4-7-8", "the calm rhythm"),
        ("気功", "きこう"),
    ];
    let reading = reading(Some("en"), &words, None);
    let said = |text: &str| reading.say(text).text;
    assert_eq!(said("Qigong in Nice is nice."), "chee gung in neess is nice.");
    assert_eq!(said("qigongs, \"qigong\"; 4-7-8!"), "qigongs, \"chee gung\"; the calm rhythm!");
    assert_eq!(said("今日は気功をする"), "今日はきこうをする");
}

#[test]
fn sounds_are_told_in_the_form_that_the_voice_knows() {
    let words = [("Nguyen", "/ŋwiən/")];
    let said = reading(Some("en"), &words, Some("[{word}](/{ipa}/)")).say("Nguyen, 3 breaths");
    assert_eq!(said.text, "[Nguyen](/ŋwiən/), three breaths");
    assert!((said.letters() - pace::letters("Nguyen, three breaths")).abs() < 1e-9);
    assert_eq!(reading(Some("en"), &words, None).say("Nguyen").text, "Nguyen");
    assert!(IpaForm::parse("{word}").is_err());
}

#[test]
fn a_job_s_words_go_over_its_tenant_s_and_those_over_all_others() {
    let lexicon = |say: &str| Lexicon::new([("sea".to_owned(), say.to_owned())]);
    let lexicons = [("*".to_owned(), lexicon("all")), ("acme".to_owned(), lexicon("acme"))];
    let pronunciation = Pronunciation { lexicons: lexicons.into(), ipa: None };
    let say = |tenant: &str, options: &Options| {
        Reading::new(&pronunciation, tenant, options).say("sea").text
    };
    let own = Options { lexicon: lexicon("own"), ..Options::default() };
    assert_eq!(say("other", &Options::default()), "all");
    assert_eq!(say("acme", &Options::default()), "acme");
    assert_eq!(say("acme", &own), "own");
}
