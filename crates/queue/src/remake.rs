//! From which stage a dead job is made anew, and with which options; what cannot be is refused by name.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::Value;
use stillcast_enqueue::{
    Aspect, BED_LEVEL, Bed, Container, DURATION, DecodeError, Envelope, Identifier, InvalidField,
    Lexicon, Problem, StageName, TAIL, VARIANT,
};

use StageName::{Collection, Encode, Image, Transcript, Tts, Upload};

/// What a replay makes anew. By default nothing: all that was paid for is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remake {
    from: Option<StageName>,
    /// `None` is the worker's default again.
    options: BTreeMap<&'static str, Option<Value>>,
}

/// An option of a request.
struct JobOption {
    name: &'static str,
    path: &'static str,
    read: fn(&'static str, &str) -> Result<Value, InvalidField>,
    /// A replay that changes it makes one of these anew: the language of the words decides that of the
    /// voice too, their length that of the pauses, and a variant each by itself.
    decides: &'static [StageName],
    /// From where a replay begins that changes it and does not say.
    from: StageName,
}

const OPTIONS: [JobOption; 14] = [
    JobOption { name: "voice", path: "options.voice", read: name, decides: &[Tts], from: Tts },
    JobOption {
        name: "language",
        path: "options.language",
        read: name,
        decides: &[Transcript],
        from: Transcript,
    },
    JobOption {
        name: "variant",
        path: "options.variant",
        read: number,
        decides: &[Transcript, Tts, Image],
        from: Collection,
    },
    JobOption {
        name: "duration",
        path: "options.duration",
        read: duration,
        decides: &[Transcript],
        from: Transcript,
    },
    encoded("bed", "options.bed", bed),
    encoded("bed_level", "options.bed_level", bed_level),
    encoded("bells", "options.bells", flag),
    encoded("tail", "options.tail", tail),
    encoded("stems", "options.stems", flag),
    encoded("container", "options.container", container),
    JobOption {
        name: "aspect",
        path: "options.aspect",
        read: aspect,
        decides: &[Image, Encode],
        from: Image,
    },
    encoded("motion", "options.motion", flag),
    JobOption {
        name: "lexicon",
        path: "options.lexicon",
        read: lexicon,
        decides: &[Tts],
        from: Tts,
    },
    encoded("live", "options.live", flag),
];

/// An option that decides how the file is made of what there is.
const fn encoded(
    name: &'static str,
    path: &'static str,
    read: fn(&'static str, &str) -> Result<Value, InvalidField>,
) -> JobOption {
    JobOption { name, path, read, decides: &[Encode], from: Encode }
}

impl Remake {
    /// The options that can be changed.
    #[rustfmt::skip]
    pub const OPTIONS: [&str; OPTIONS.len()] = [
        "voice", "language", "variant", "duration", "bed", "bed_level", "bells", "tail", "stems",
        "container", "aspect", "motion", "lexicon", "live",
    ];

    /// Reads what somebody wishes: the word of a stage, and options with their new values; an empty one
    /// is the worker's default again. Without a stage it begins where the options first decide
    /// something: `voice` and `lexicon` at tts, `language` and `duration` at transcript, `variant` at the
    /// beginning, `aspect` at image, all else at encode.
    ///
    /// Refused are a stage and an option that nobody knows, a value that an option does not take, an
    /// option that stands twice, and one that decides nothing from that stage on.
    pub fn parse<'set>(
        from: Option<&str>,
        set: impl IntoIterator<Item = (&'set str, &'set str)>,
    ) -> Result<Self, InvalidField> {
        let named = from.map(stage).transpose()?;
        let (mut options, mut first) = (BTreeMap::new(), named);
        for (name, text) in set {
            let option = OPTIONS.iter().find(|option| option.name == name);
            let option = option.ok_or_else(|| unknown_option(name))?;
            let value = (!text.is_empty()).then(|| (option.read)(option.path, text)).transpose()?;
            if options.insert(option.name, value).is_some() {
                return Err(InvalidField::value(option.path, "one value", "two"));
            }
            match named {
                Some(from) => option.check_from(from)?,
                None => first = Some(first.map_or(option.from, |first| first.min(option.from))),
            }
        }
        Ok(Self { from: first, options })
    }

    /// The first stage that is made anew; `None` when none is.
    pub fn from(&self) -> Option<StageName> {
        self.from
    }

    /// The stages that are made anew, in travel order.
    pub fn stages(&self) -> &'static [StageName] {
        self.from.map_or(&[], made_anew)
    }

    /// Whether the request is changed.
    pub(crate) fn changes_request(&self) -> bool {
        !self.options.is_empty()
    }

    /// The request with the changes in it. Fields that this version does not know stay as they are.
    pub(crate) fn apply(&self, request: &[u8]) -> Result<String, DecodeError> {
        Envelope::decode(request)?;
        let request = Envelope::unpacked(request)?;
        let malformed = |error: serde_json::Error| DecodeError::Malformed {
            line: error.line(),
            column: error.column(),
        };
        let mut request: Value = serde_json::from_slice(&request).map_err(malformed)?;
        // An envelope is an object, and so are its options, if it has any.
        let fields = request.as_object_mut().into_iter();
        let options = fields.filter_map(|fields| {
            fields.entry("options").or_insert_with(|| serde_json::json!({})).as_object_mut()
        });
        for options in options {
            for (name, value) in &self.options {
                match value {
                    Some(value) => drop(options.insert((*name).to_owned(), value.clone())),
                    None => drop(options.remove(*name)),
                }
            }
        }
        Ok(request.to_string())
    }
}

impl JobOption {
    /// Refuses a stage that begins behind all that it decides.
    fn check_from(&self, from: StageName) -> Result<(), InvalidField> {
        if self.decides.iter().any(|stage| made_anew(from).contains(stage)) {
            return Ok(());
        }
        let decides: Vec<&str> = self.decides.iter().map(|stage| stage.as_str()).collect();
        let decides = decides.join("`, `");
        let takes =
            format!("a stage at which `{}` is decided (`{decides}`), or one before", self.name);
        Err(InvalidField::value("from", takes, format!("`{from}`")))
    }
}

/// As the audit says it: `from tts, voice=anna`. The words of a lexicon may be private.
impl fmt::Display for Remake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {}", self.from.unwrap_or(Collection))?;
        for (name, value) in &self.options {
            match value {
                Some(Value::String(text)) => write!(f, ", {name}={text}")?,
                Some(Value::Object(_)) => write!(f, ", {name} changed")?,
                Some(value) => write!(f, ", {name}={value}")?,
                None => write!(f, ", {name} unset")?,
            }
        }
        Ok(())
    }
}

/// A stage, and what is built on it: a picture needs no words, and every file is made of all of them.
/// `lua/replay.lua` drops the checkpoints of these.
fn made_anew(from: StageName) -> &'static [StageName] {
    match from {
        Collection => &StageName::ALL,
        Transcript => &[Transcript, Tts, Encode, Upload],
        Tts => &[Tts, Encode, Upload],
        Image => &[Image, Encode, Upload],
        Encode | Upload => &[Encode, Upload],
    }
}

fn stage(word: &str) -> Result<StageName, InvalidField> {
    let known =
        || format!("a stage, one of `{}`", StageName::ALL.map(StageName::as_str).join("`, `"));
    StageName::parse(word).ok_or_else(|| InvalidField::value("from", known(), "another word"))
}

fn unknown_option(name: &str) -> InvalidField {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let shown = if name.len() <= 32 && name.chars().all(is_plain) { name } else { "?" };
    let problem = Problem::Unknown { known: Remake::OPTIONS.to_vec() };
    InvalidField { field: format!("options.{shown}"), problem }
}

fn name(path: &'static str, text: &str) -> Result<Value, InvalidField> {
    Identifier::parse(path, text).map(|name| Value::String(name.to_string()))
}

fn number(path: &'static str, text: &str) -> Result<Value, InvalidField> {
    whole_number(path, text, &VARIANT)
}

fn duration(path: &'static str, text: &str) -> Result<Value, InvalidField> {
    whole_number(path, text, &DURATION)
}

fn bed_level(path: &'static str, text: &str) -> Result<Value, InvalidField> {
    whole_number(path, text, &BED_LEVEL)
}

fn tail(path: &'static str, text: &str) -> Result<Value, InvalidField> {
    whole_number(path, text, &TAIL)
}

fn bed(path: &'static str, text: &str) -> Result<Value, InvalidField> {
    word(path, Bed::WORDS, text.parse().map(|bed: Bed| bed.as_str()))
}

fn container(path: &'static str, text: &str) -> Result<Value, InvalidField> {
    word(path, Container::WORDS, text.parse().map(|container: Container| container.as_str()))
}

fn aspect(path: &'static str, text: &str) -> Result<Value, InvalidField> {
    word(path, Aspect::WORDS, text.parse().map(|aspect: Aspect| aspect.as_str()))
}

fn word(
    path: &'static str,
    takes: &str,
    read: Result<&'static str, InvalidField>,
) -> Result<Value, InvalidField> {
    read.map(Value::from).map_err(|_| InvalidField::value(path, takes, "another text"))
}

fn flag(path: &'static str, text: &str) -> Result<Value, InvalidField> {
    let flag: Result<bool, _> = text.parse();
    let refused = |_| InvalidField::value(path, "`true` or `false`", "another text");
    flag.map(Value::from).map_err(refused)
}

fn lexicon(_path: &'static str, json: &str) -> Result<Value, InvalidField> {
    let lexicon: Lexicon = json.parse()?;
    Ok(lexicon.words().map(|(word, said)| (word.to_owned(), Value::from(said))).collect())
}

fn whole_number<N>(
    path: &'static str,
    text: &str,
    range: &RangeInclusive<N>,
) -> Result<Value, InvalidField>
where
    N: FromStr + PartialOrd + fmt::Display + Into<Value>,
{
    let takes = format!("a whole number from {} to {}", range.start(), range.end());
    let number = text.parse().ok().filter(|number: &N| range.contains(number));
    number.map(Into::into).ok_or_else(|| InvalidField::value(path, takes, "another text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(from: Option<&str>, set: &[(&str, &str)]) -> Result<Remake, String> {
        Remake::parse(from, set.iter().copied()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn it_begins_where_the_options_first_decide_something() {
        for (set, first) in [
            (vec![("voice", "anna")], Tts),
            (vec![("voice", "anna"), ("language", "de")], Transcript),
            (vec![("voice", ""), ("variant", "3")], Collection),
            (vec![("voice", "anna"), ("duration", "600")], Transcript),
            (vec![("bed", "sea"), ("tail", "60"), ("stems", "true")], Encode),
            (vec![("container", "mp3"), ("motion", "true")], Encode),
            (vec![("container", "mp4-social"), ("aspect", "9:16")], Image),
            (vec![("bed", "sea"), ("lexicon", r#"{"Nguyen":"win"}"#)], Tts),
        ] {
            assert_eq!(read(None, &set).unwrap().from(), Some(first), "{set:?}");
        }
        assert_eq!(read(None, &[]), Ok(Remake::default()));
        assert_eq!(read(Some("image"), &[("variant", "3")]).unwrap().from(), Some(Image));
    }

    #[test]
    fn what_is_built_on_a_stage_is_made_anew_and_nothing_before_it() {
        for from in StageName::ALL {
            let made = made_anew(from);
            assert!(made.contains(&from) && made.ends_with(&[Encode, Upload]), "{from}");
            // Nothing but the encoder is made to begin before the stage itself.
            assert!(made.iter().all(|stage| *stage >= from || from == Upload), "{from}");
        }
        assert!(!made_anew(Transcript).contains(&Image) && !made_anew(Image).contains(&Tts));
    }

    #[test]
    fn what_nobody_knows_is_refused_by_its_name() {
        for (from, set, says) in [
            (Some("lunch"), vec![], "`from` takes a stage, one of `collection`"),
            (None, vec![("mood", "calm")], "`options.mood` is not a field; there are `voice`"),
            (None, vec![("my secret words", "x")], "`options.?` is not a field"),
            (None, vec![("voice", "a b")], "`options.voice` takes"),
            (None, vec![("variant", "-1")], "`options.variant` takes a whole number"),
            (None, vec![("bed", "opera")], "`options.bed` takes one of `none`, `rain`"),
            (None, vec![("container", "avi")], "`options.container` takes one of `m4a`, `mp3`"),
            (None, vec![("aspect", "4:3")], "`options.aspect` takes one of `16:9`, `9:16`"),
            (None, vec![("bells", "yes")], "`options.bells` takes `true` or `false`"),
            (None, vec![("bed_level", "0")], "`options.bed_level` takes a whole number from -40"),
            (None, vec![("lexicon", "{\"secret\":\"\"}")], "`options.lexicon` takes for each word"),
            (Some("encode"), vec![("lexicon", "{}")], "`from` takes a stage at which `lexicon`"),
            (None, vec![("duration", "60")], "`options.duration` takes a whole number from 180"),
            (
                None,
                vec![("voice", "a"), ("voice", "b")],
                "`options.voice` takes one value, got two",
            ),
            (Some("image"), vec![("voice", "a")], "`from` takes a stage at which `voice` is"),
            (Some("tts"), vec![("language", "de")], "`from` takes a stage at which `language`"),
            (Some("encode"), vec![("variant", "1")], "`from` takes a stage at which `variant`"),
        ] {
            let fault = read(from, &set).unwrap_err();
            assert!(fault.starts_with(says), "{fault}");
            assert!(!fault.contains("secret"), "{fault}");
        }
    }

    #[test]
    fn a_request_keeps_what_is_not_changed_and_what_nobody_here_knows() {
        let remake = read(None, &[("voice", "anna"), ("language", ""), ("variant", "2")]).unwrap();
        let old = r#"{"v":1,"source":{"text":"Rain."},"format":"audio","bed":"sea",
            "options":{"language":"de","pace":"slow"}}"#;
        let new: Value = serde_json::from_str(&remake.apply(old.as_bytes()).unwrap()).unwrap();
        let options = serde_json::json!({"pace": "slow", "voice": "anna", "variant": 2});
        assert_eq!((&new["options"], &new["bed"], &new["v"]), (&options, &"sea".into(), &1.into()));
        assert_eq!(new["source"]["text"], "Rain.");
        let bare = r#"{"v":1,"source":{"text":"Rain."},"format":"audio"}"#;
        let new = Envelope::decode(remake.apply(bare.as_bytes()).unwrap().as_bytes()).unwrap();
        assert_eq!((new.options.voice.unwrap().as_str(), new.options.variant), ("anna", 2));
        let newer = remake.apply(br#"{"v":3}"#);
        assert!(matches!(newer, Err(DecodeError::Newer { found: 3 })), "{newer:?}");
        assert_eq!(remake.to_string(), "from collection, language unset, variant=2, voice=anna");
        let remake = read(None, &[("lexicon", r#"{"Nguyen":"win"}"#)]).unwrap();
        assert_eq!(remake.to_string(), "from tts, lexicon changed");
        let new = Envelope::decode(remake.apply(bare.as_bytes()).unwrap().as_bytes()).unwrap();
        assert_eq!(new.options.lexicon.to_string(), r#"{"Nguyen":"win"}"#);
    }

    #[test]
    fn the_options_are_called_as_they_are_read() {
        assert_eq!(OPTIONS.map(|option| option.name), Remake::OPTIONS);
    }
}
