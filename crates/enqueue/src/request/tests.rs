//! JSON goes in; a job, or all that is wrong with it, comes out.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{Aspect, Bed, Container, InvalidField, InvalidJob, Job, Source};

const CONVERSATION: &str = "0191d0c4-7a3b-7c52-9e0f-3c6d2f8a1b44";

fn read(request: &Value) -> Result<Job, InvalidJob> {
    Job::from_json(request.to_string().as_bytes())
}

fn fault(json: &str) -> String {
    Job::from_json(json.as_bytes()).unwrap_err().to_string()
}

/// A request with every field.
fn whole() -> Value {
    json!({
        "source": { "text": "Rain." }, "format": "video",
        "options": { "voice": "slt", "language": "en", "variant": 2, "duration": 600,
            "bed": "sea", "bed_level": -20, "bells": true, "tail": 60, "stems": true,
            "container": "mp4-social", "aspect": "9:16", "motion": true,
            "lexicon": { "qigong": "chee gung" }, "live": false },
        "idempotency_key": "k1", "priority": 9, "run_at": "2999-01-01T00:00:00Z",
        "deadline": "2999-01-02T00:00:00Z", "max_attempts": 2, "tenant": "acme",
        "metadata": { "a": "b" }, "webhook": "https://example.org/hook?t=1",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    })
}

#[test]
fn the_least_request_takes_every_default() {
    for null in [false, true] {
        let mut request = json!({ "source": { "text": "Rain." }, "format": "audio" });
        if null {
            for (field, value) in whole().as_object().unwrap() {
                let required = ["source", "format"].contains(&field.as_str());
                request[field] = if required { request[field].clone() } else { Value::Null };
                assert!(!value.is_null());
            }
        }
        let job = read(&request).unwrap();
        let expected = Job::audio(Source::Text("Rain.".to_owned())).with_id(job.id.clone());
        assert_eq!(job, expected);
    }
}

#[test]
fn every_field_arrives() {
    let marked = format!("\u{feff} {}\r\n", whole());
    let job = Job::from_json(marked.as_bytes()).unwrap();
    assert_eq!((job.priority, job.max_attempts, job.options.variant), (9, 2, 2));
    assert_eq!((job.tenant.as_str(), job.idempotency_key.as_deref()), ("acme", Some("k1")));
    assert!(job.run_at.is_some() && job.deadline.is_some() && job.traceparent.is_some());
    let options = &job.options;
    assert_eq!(
        (options.duration, options.bed, options.bed_level),
        (Some(600), Bed::Sea, Some(-20))
    );
    assert_eq!((options.bells, options.tail, options.stems), (true, 60, true));
    assert_eq!(
        (options.container, options.aspect, options.motion),
        (Some(Container::Mp4Social), Aspect::Tall, true)
    );
    assert_eq!(job.options.voice.unwrap().as_str(), "slt");
    assert_eq!(job.metadata["a"], "b");
    assert_eq!(job.webhook.unwrap().as_str(), "https://example.org/hook?t=1");
}

#[test]
fn a_conversation_is_a_source() {
    let request = json!({ "source": { "conversation_id": CONVERSATION }, "format": "video" });
    assert_eq!(read(&request).unwrap().source, Source::conversation(CONVERSATION).unwrap());
}

/// The kinds that a field may be given by mistake, and how an error calls them.
fn kinds() -> Vec<(Value, &'static str)> {
    vec![
        (json!(true), "got true"),
        (json!(-1), "got -1"),
        (json!(5.5), "got 5.5"),
        (json!(1e300), "got 1e+300"),
        (json!(7), "got 7"),
        (json!(""), "got "),
        (json!("my secret words"), "got "),
        (json!("\u{200b}\u{0}\u{1b}[0m"), "got "),
        (json!([]), "got a list"),
        (json!(["my secret"]), "got a list"),
        (json!({}), "got "),
        (json!({ "my secret": 1 }), ""),
    ]
}

/// Paths of all fields of a whole request, with what each takes.
fn fields() -> Vec<(&'static str, &'static str)> {
    let identifier = "letters, digits and `._-`, 1 to 128, the first a letter or a digit";
    let time = "a time such as `2030-01-01T06:00:00Z`";
    vec![
        ("source", "an object"),
        ("source.text", "a string"),
        ("source.conversation_id", "a UUID"),
        ("format", "`audio` or `video`"),
        ("options", "an object"),
        ("options.voice", identifier),
        ("options.language", identifier),
        ("options.variant", "a whole number from 0 to 4294967295"),
        ("options.duration", "a whole number from 180 to 3600"),
        ("options.bed", "one of `none`, `rain`, `brown-noise`"),
        ("options.bed_level", "a whole number from -40 to -8"),
        ("options.bells", "`true` or `false`"),
        ("options.tail", "a whole number from 0 to 1800"),
        ("options.stems", "`true` or `false`"),
        ("options.container", "one of `m4a`, `mp3`, `opus`, `wav`, `flac` for audio"),
        ("options.aspect", "one of `16:9`, `9:16`, `1:1`"),
        ("options.motion", "`true` or `false`"),
        ("options.lexicon", "an object"),
        ("options.live", "`true` or `false`"),
        ("idempotency_key", identifier),
        ("priority", "a whole number from 0 to 9"),
        ("run_at", time),
        ("deadline", time),
        ("max_attempts", "a whole number from 1 to 100"),
        ("tenant", identifier),
        ("metadata", "an object"),
        ("metadata.a", "a string"),
        ("webhook", "an address such as `https://example.org/hook`"),
        ("traceparent", "a W3C trace context of version 00"),
    ]
}

fn put(request: &mut Value, path: &str, value: Value) {
    if path == "source.conversation_id" {
        request["source"] = json!({});
    }
    let pointer = format!("/{}", path.replace('.', "/"));
    match path.rsplit_once('.') {
        Some((parent, name)) => request[parent][name] = value,
        None => *request.pointer_mut(&pointer).unwrap() = value,
    }
}

fn of_the_right_kind(path: &str, value: &Value) -> bool {
    match path {
        "source.text" | "metadata.a" => value.is_string(),
        "options" | "options.lexicon" | "metadata" => value.is_object(),
        "options.variant" | "options.tail" | "priority" | "max_attempts" => value == &json!(7),
        "options.bells" | "options.stems" | "options.motion" | "options.live" => value.is_boolean(),
        _ => false,
    }
}

/// Each field with each wrong kind: its path, what it takes, what it got, and nothing private.
#[test]
fn a_wrong_kind_is_named_with_its_field_whatever_it_is() {
    let mut checked = 0;
    for (path, takes) in fields() {
        for (value, got) in kinds() {
            let (is_right, mut request) = (of_the_right_kind(path, &value), whole());
            put(&mut request, path, value.clone());
            let Err(invalid) = read(&request) else {
                assert!(is_right, "{path} took {value}");
                continue;
            };
            let said = invalid.to_string();
            assert!(!said.contains("secret"), "{said}");
            assert!(said.starts_with(&format!("`{path}")), "{path} {value}: {said}");
            if !is_right && !value.is_object() {
                assert!(said.contains(takes) && said.contains(got), "{path} {value}: {said}");
            }
            checked += 1;
        }
    }
    assert!(checked > 150, "{checked}");
}

#[test]
fn all_faults_of_a_request_are_told_at_once() {
    let everywhere: Value = fields()
        .iter()
        .filter(|(path, _)| !path.contains('.'))
        .map(|(path, _)| ((*path).to_owned(), json!([])))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let invalid = read(&everywhere).unwrap_err();
    let named: BTreeSet<&str> = invalid.fields().iter().map(|fault| fault.field.as_str()).collect();
    let wanted: BTreeSet<&str> =
        fields().iter().map(|(path, _)| *path).filter(|path| !path.contains('.')).collect();
    assert_eq!(named, wanted);
    assert_eq!(invalid.fields().len(), wanted.len(), "each once: {invalid}");
}

#[test]
fn what_is_no_field_and_what_stands_twice_is_named() {
    let with = |extra: &str| format!(r#"{{"source":{{"text":"Rain."}},"format":"audio"{extra}}}"#);
    for (extra, sentence) in [
        (
            r#","options":{"tempo":2}"#,
            "`options.tempo` is not a field; there are `voice`, `language`, `variant`, `duration`, `bed`, `bed_level`, \
             `bells`, `tail`, `stems`, `container`, `aspect`, `motion`, `lexicon`, `live`",
        ),
        (r#","priority":10"#, "`priority` takes a whole number from 0 to 9, got 10"),
        (r#","priority":1,"priority":2"#, "`priority` takes one value, got 2"),
        (r#","metadata":{"a":"1","a":"2"}"#, "`metadata.a` takes one value, got two"),
        (r#","metadata":{"my secret":1}"#, "`metadata.?` takes a string, got 1"),
        (
            r#","metadata":{"a":"\ud800"}"#,
            "`metadata.a` takes a string, got a string with half a surrogate pair",
        ),
        (
            r#","tenant":"a/b""#,
            "`tenant` takes letters, digits and `._-`, 1 to 128, the first a letter or a digit, got a string of 3 characters",
        ),
        (
            r#","run_at":"12026-01-01T00:00:00Z""#,
            "`run_at` takes a time such as `2030-01-01T06:00:00Z`, got a string of 21 characters",
        ),
        (
            r#","run_at":"+12026-01-01T00:00:00Z""#,
            "`run_at` takes a time in the years 1970 to 9999, got the year 12026",
        ),
        (
            r#","deadline":"2001-01-01T00:00:00Z""#,
            "`deadline` takes a time after now and after `run_at`, got an earlier one",
        ),
    ] {
        assert_eq!(fault(&with(extra)), sentence, "{extra}");
    }
    assert!(
        fault(&with(r#","colour":"blue""#))
            .starts_with("`colour` is not a field; there are `source`, `format`")
    );
    assert!(fault(&with(r#","my secret":1"#)).starts_with("`?` is not a field"));
}

#[test]
fn a_source_is_one_of_two() {
    let of = |source: &str| fault(&format!(r#"{{"source":{source},"format":"audio"}}"#));
    for (source, got) in [("{}", "neither"), (r#"{"text":"a","conversation_id":""#, "both")] {
        let source =
            if got == "both" { format!("{source}{CONVERSATION}\"}}") } else { source.to_owned() };
        let sentence = format!("`source` takes either `text` or `conversation_id`, got {got}");
        assert_eq!(of(&source), sentence);
    }
    assert_eq!(of("null"), "`source` takes either `text` or `conversation_id`, got nothing");
    assert_eq!(fault("{}").matches("got nothing").count(), 2, "source and format: {}", fault("{}"));
    for source in [r#"{"text":"Rain.","mood":1}"#, r#"{"mood":1}"#] {
        assert!(
            of(source)
                .contains("`source.mood` is not a field; there are `text`, `conversation_id`"),
            "{}",
            of(source)
        );
    }
}

#[test]
fn what_is_no_json_is_named_by_its_place() {
    for (json, place) in [
        (&b"{"[..], "line 1, column 1"),
        (b"", "line 1, column 0"),
        (b"my secret", "line 1, column 1"),
        (b"{} {}", "line 1, column 4"),
        (b"{\"format\":\"\xff\"}", "line 1"),
    ] {
        let said = Job::from_json(json).unwrap_err().to_string();
        assert!(
            said.starts_with("`request` takes JSON in UTF-8, got something else at ")
                && said.contains(place),
            "{said}"
        );
        assert!(!said.contains("secret"));
    }
    assert_eq!(fault("[1]"), "`request` takes an object, got a list");
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(fault(&nested).contains("`request` takes"), "{}", fault(&nested));
}

#[test]
fn large_and_empty_texts_are_refused_at_the_border() {
    let of = |text: String| Job::audio(Source::Text(text)).validate();
    assert!(of("a".repeat(16 * 1024)).is_ok());
    let is = |given: Result<(), InvalidJob>, fault: InvalidField| {
        assert_eq!(given.unwrap_err().fields(), [fault]);
    };
    is(
        of("a".repeat(16 * 1024 + 1)),
        InvalidField::value("source.text", "at most 16384 bytes", "16385"),
    );
    let takes = "words of which at least one character is visible";
    for empty in [" \n", "\0\u{1b}\u{200b}\u{2060}\u{202e}\u{feff}"] {
        is(of(empty.to_owned()), InvalidField::value("source.text", takes, "none"));
    }
    let large = Job::audio(Source::Text("x".into())).with_metadata("k", "v".repeat(4096));
    is(large.validate(), InvalidField::value("metadata", "at most 4096 bytes", "4104"));
}

#[test]
fn a_container_holds_the_format_and_only_a_video_has_a_picture() {
    let with = |format: &str, options: Value| {
        read(&json!({"source": {"text": "Rain."}, "format": format, "options": options}))
            .map_err(|invalid| invalid.to_string())
    };
    for container in Container::ALL {
        let [format, other] = match container.format() {
            crate::Format::Audio => ["audio", "video"],
            crate::Format::Video => ["video", "audio"],
        };
        let options = json!({"container": container.as_str()});
        assert_eq!(with(format, options.clone()).unwrap().options.container, Some(container));
        let fault = with(other, options).unwrap_err();
        let got = format!("got `{container}` for `{other}`");
        assert!(fault.contains("`options.container` takes") && fault.contains(&got), "{fault}");
    }
    for seen in [json!({"aspect": "1:1"}), json!({"motion": true})] {
        assert!(with("video", seen.clone()).is_ok());
        let fault = with("audio", seen).unwrap_err();
        assert!(fault.contains("takes `video` in `format`, got `audio`"), "{fault}");
    }
}

#[test]
fn only_a_sound_as_m4a_whose_length_its_words_decide_is_heard_while_it_is_made() {
    let with = |format: &str, options: Value| {
        read(&json!({"source": {"text": "Rain."}, "format": format, "options": options}))
            .map_err(|invalid| invalid.to_string())
    };
    for options in [json!({"live": true}), json!({"live": true, "container": "m4a", "bed": "sea"})]
    {
        assert!(with("audio", options).unwrap().options.live);
    }
    for (format, options, got) in [
        (
            "video",
            json!({"live": true}),
            "takes `audio` in `format`, as `m4a`, got `mp4` for `video`",
        ),
        ("audio", json!({"live": true, "container": "wav"}), "as `m4a`, got `wav` for `audio`"),
        ("audio", json!({"live": true, "duration": 600}), "takes no `options.duration`"),
    ] {
        let fault = with(format, options).unwrap_err();
        assert!(fault.contains("`options.live` takes") && fault.contains(got), "{fault}");
    }
    assert!(with("video", json!({"live": false})).is_ok());
}
