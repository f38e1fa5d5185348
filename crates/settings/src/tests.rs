//! Settings of a kettle go in, from defaults, a file and the environment; what it makes of them comes
//! out.

use std::path::Path;
use std::time::Duration;

use super::*;

const KNOBS: Knobs = Knobs {
    owner: "the kettle",
    defaults: "\
# Where the water comes from.
water_url = \"\"
water_url_file = \"\"
# Who may open the tap.
tap_key = \"\"
tap_key_file = \"\"

# Cups at once; \"auto\" is one for each guest.
cups = \"auto\"
boil_time = \"3m\"
keep_warm = false
",
    neighbours: "",
    not_yet: &["max_heat"],
    split: &[("heat", ["heat_water", "heat_milk"])],
};

type Kettle = (Option<String>, usize, Duration, bool, Settled);

fn boil(sources: &Sources) -> Result<Kettle, Faults> {
    let mut reader = Reader::new(KNOBS, sources);
    let water = reader.optional("water_url", |text| Ok(text.to_owned()));
    let _ = reader.secret("tap_key");
    let cups = reader.count_or_auto("cups", 1..=8, 5);
    let time = reader.duration("boil_time", Duration::from_secs(1)..=Duration::from_hours(1));
    let warm = reader.flag("keep_warm");
    let read = cups.zip(time).zip(warm);
    reader
        .finish(read.map(|((cups, time), warm)| move |settled| (water, cups, time, warm, settled)))
}

fn told(variables: &[(&str, &str)]) -> Sources {
    Sources { file: None, environment: variables.iter().copied().collect() }
}

fn faults(sources: &Sources) -> Vec<String> {
    boil(sources).unwrap_err().iter().map(ToString::to_string).collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, text).unwrap();
    file
}

fn with_file(file: &Path, variables: &[(&str, &str)]) -> Sources {
    Sources { file: Some(file.to_owned()), ..told(variables) }
}

#[test]
fn each_layer_goes_over_the_one_below_and_an_empty_text_over_nothing() {
    let (water, cups, time, warm, _) = boil(&Sources::default()).unwrap();
    assert_eq!((water, cups, time, warm), (None, 5, Duration::from_mins(3), false));
    let file = file("cups = 2\nboil_time = 90\nkeep_warm = true");
    let over = [("CUPS", "7"), ("BOIL_TIME", "")];
    let (_, cups, time, warm, _) = boil(&with_file(file.path(), &over)).unwrap();
    assert_eq!((cups, time, warm), (7, Duration::from_secs(90), true));
}

#[test]
fn all_that_is_wrong_is_said_each_as_it_was_written() {
    let file = file("boil_time = 0\nhurry = 1\nmax_heat = 9\ncups = [1]");
    let said = faults(&with_file(file.path(), &[("KEEP_WARN", "1"), ("HEAT", "9"), ("CUPS", "9")]));
    assert_eq!(
        said,
        [
            "cups: is a text, a number, true or false",
            "hurry: is no setting of the kettle",
            "max_heat: is not in this version; remove it",
            "HEAT: is two settings: HEAT_WATER and HEAT_MILK",
            "KEEP_WARN: is no setting; did you mean KEEP_WARM?",
            "CUPS: is a whole number from 1 to 8, or auto",
            "boil_time: is a time from 1s to 3600s, such as \"90s\", \"20m\" or 90",
        ]
    );
}

#[test]
fn a_secret_may_lie_in_a_file_and_is_never_shown() {
    let (water, key) = (file("well://me:canary@deep/3\n"), file("canary"));
    let path = |file: &tempfile::NamedTempFile| file.path().display().to_string();
    let (water_file, key_file) = (path(&water), path(&key));
    let sources = told(&[("WATER_URL_FILE", &water_file), ("TAP_KEY_FILE", &key_file)]);
    let (water, .., settled) = boil(&sources).unwrap();
    assert_eq!(water.as_deref(), Some("well://me:canary@deep/3"));
    let page = settled.to_toml();
    assert!(page.contains("\n# Who may open the tap.\ntap_key = \"***\"\n"), "{page}");
    assert!(page.contains("water_url = \"well://***@deep/3\"\n"), "{page}");
    assert_eq!(settled.to_json()["cups"], 5, "auto is shown as what it stands for");
    assert!(!format!("{page}{}{settled:?}", settled.to_json()).contains("canary"));
    let twice = told(&[("TAP_KEY_FILE", &key_file), ("TAP_KEY", "canary")]);
    assert_eq!(faults(&twice), ["TAP_KEY_FILE: and TAP_KEY are both set; keep one"]);
    let lost = faults(&told(&[("TAP_KEY_FILE", "canary")]));
    assert!(lost[0].starts_with("TAP_KEY_FILE: cannot be read") && !lost[0].contains("canary"));
}

#[test]
fn what_a_later_version_reads_is_noted() {
    let (.., settled) = boil(&told(&[("MAX_HEAT", "9"), ("EDITOR", "vi")])).unwrap();
    assert_eq!(settled.notes(), ["MAX_HEAT is set, and does nothing in this version"]);
}

#[cfg(debug_assertions)]
#[test]
#[should_panic(expected = "nobody reads these")]
fn a_setting_that_nobody_reads_is_a_promise_that_nobody_keeps() {
    let reader = Reader::new(KNOBS, &Sources::default());
    let _ = reader.finish(Some(|_| ()));
}

#[test]
#[should_panic(expected = "the defaults lack `milk`")]
fn a_setting_that_the_defaults_lack_cannot_be_read() {
    let _ = Reader::new(KNOBS, &Sources::default()).text("milk");
}
