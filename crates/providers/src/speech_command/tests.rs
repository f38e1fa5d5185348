//! Programs that speak, refuse, die and babble go in; speech or the right class comes out.

use pipeline::FailureClass;

use super::*;

const CANARY: &str = "canary-text-7f3a";

fn options(words: &[&str]) -> CommandOptions {
    CommandOptions {
        words: words.iter().map(ToString::to_string).collect(),
        environment: vec![("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned())],
        resident: false,
        ffmpeg: "ffmpeg".into(),
    }
}

fn voice(words: &[&str]) -> CommandSpeech {
    CommandSpeech::new(options(words))
}

/// A program that stays, in a folder of its own.
fn resident(body: &str, folder: &Path) -> CommandSpeech {
    let script = format!("cd {}; echo $$ >> starts; {body}", folder.display());
    CommandSpeech::new(CommandOptions { resident: true, ..options(&["sh", "-c", &script]) })
}

/// A shell only because a test needs a program; the transport itself uses none.
fn script(body: &str) -> CommandSpeech {
    voice(&["sh", "-c", body])
}

async fn speak(voice: &CommandSpeech, text: &str) -> Result<Answer<Speech>, ProviderError> {
    let scratch = tempfile::tempdir().unwrap();
    let (text, asked) = (text.to_owned(), Some("slow".to_owned()));
    let utterance = Utterance { text, voice: asked, language: None };
    voice.speak(&utterance, scratch.path()).await
}

/// Any WAV file: the tone is as long as the text.
const TONE: &str = "n=$(wc -c); exec ffmpeg -v error -f lavfi -i sine=440:duration=$((n / 10)) \
                    -ar 22050 -f wav pipe:1";

#[tokio::test]
async fn text_goes_in_and_speech_comes_out() {
    let answer = speak(&script(TONE), &"a".repeat(40)).await.unwrap();
    let seconds = answer.value.samples.len() as f64 / f64::from(pipeline::sound::RATE);
    assert!((seconds - 4.0).abs() < 0.05, "{seconds}");
}

#[tokio::test]
async fn arguments_are_words_and_never_a_shell_s_line() {
    let words = ["printf", "%s", "$(touch made); `id` > made"];
    let error = speak(&voice(&words), "x").await.unwrap_err();
    assert_eq!(error.code, "speech-unreadable", "printed as it stands, which is no WAV file");
}

#[tokio::test]
async fn the_environment_holds_what_was_asked_and_nothing_else() {
    let check = "[ \"$STILLCAST_VOICE\" = slow ] && [ -z \"$CARGO\" ] && exit 65; exit 1";
    assert_eq!(speak(&script(check), "x").await.unwrap_err().failure, FailureClass::Permanent);
}

#[tokio::test]
async fn each_end_has_its_class() {
    let transient = FailureClass::Transient { retry_after: None };
    for (body, code, failure) in [
        ("exit 1", "command-failed", transient),
        ("exit 65", "command-failed", FailureClass::Permanent),
        ("exit 78", "command-failed", FailureClass::Misconfigured),
        ("kill -9 $$", "command-failed", transient),
        ("exit 0", "speech-unreadable", transient),
        ("printf RIFF0000WAVEfmt", "speech-cut", transient),
        ("cat >&2; exit 1", "command-failed", transient),
        ("cat; exit 0", "speech-unreadable", transient),
    ] {
        let error = speak(&script(body), CANARY).await.unwrap_err();
        assert_eq!((error.code, error.failure), (code, failure), "{body}");
        let said = format!("{error} {error:?}");
        assert!(!said.contains(CANARY), "{said}");
    }
    for (words, code) in
        [(&["/no/such/voice"][..], "command-missing"), (&["/etc/passwd"], "command-unusable")]
    {
        let error = speak(&voice(words), "x").await.unwrap_err();
        assert_eq!((error.code, error.failure), (code, FailureClass::Misconfigured));
        assert!(error.message.contains("TTS_COMMAND") || code == "command-unusable", "{error}");
    }
}

#[tokio::test]
async fn a_program_that_hangs_dies_with_its_caller() {
    let scratch = tempfile::tempdir().unwrap();
    let pid = scratch.path().join("pid");
    let voice = script("echo $$ > pid; exec sleep 600");
    let utterance = Utterance { text: "x".repeat(1 << 20), voice: None, language: None };
    let speaking = voice.speak(&utterance, scratch.path());
    let began = async {
        while std::fs::read_to_string(&pid).map_or(true, |text| text.is_empty()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = speaking => panic!("it hangs"),
        () = began => {}
    }
    let process = format!("/proc/{}/stat", std::fs::read_to_string(&pid).unwrap().trim());
    let is_gone = || std::fs::read_to_string(&process).map_or(true, |stat| stat.contains(") Z "));
    while !is_gone() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Changed, it lets a running fleet speak again all that it has.
#[test]
fn the_revision_is_the_program_and_its_arguments() {
    assert_eq!(voice(&["piper", "--model", "a b.onnx"]).revision(), "piper --model a b.onnx");
}

/// Answers each line with a tone that is as long as it.
const STAYS: &str = "while read -r line; do \
                     ffmpeg -v error -nostdin -f lavfi -i sine=440:duration=$((${#line} / 10)) \
                     -ar 22050 -y tone.wav; \
                     printf '{\"bytes\":%d}\\n' $(wc -c < tone.wav); cat tone.wav; done";

fn starts(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("starts")).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn one_program_speaks_many_texts_each_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let voice = resident(STAYS, folder.path());
    let speak = async |letters: usize| {
        let answer = speak(&voice, &"a".repeat(letters)).await.unwrap();
        answer.value.samples.len() as f64 / f64::from(pipeline::sound::RATE)
    };
    // The line around a text has 26 letters more.
    let (short, long, middle) = tokio::join!(speak(14), speak(74), speak(44));
    assert_eq!([short, long, middle].map(|seconds| format!("{seconds:.0}")), ["4", "10", "7"]);
    assert_eq!(starts(folder.path()), 1);
}

#[tokio::test]
async fn a_program_that_has_ended_since_is_started_anew() {
    let folder = tempfile::tempdir().unwrap();
    let once = STAYS.replace("cat tone.wav; done", "cat tone.wav; exit 1; done");
    let voice = resident(&once, folder.path());
    for text in ["the first", "the second", "the third"] {
        speak(&voice, text).await.unwrap();
    }
    assert_eq!(starts(folder.path()), 3);
}

#[tokio::test]
async fn what_a_program_that_stays_answers_has_its_class() {
    let transient = FailureClass::Transient { retry_after: None };
    let head = "while read -r line; do printf";
    for (body, code, failure) in [
        (format!("{head} '{{\"error\":65}}\\n'; done"), "command-failed", FailureClass::Permanent),
        (
            format!("{head} '{{\"error\":69}}\\n'; done"),
            "command-failed",
            FailureClass::Misconfigured,
        ),
        (format!("{head} '{{\"error\":1}}\\n'; done"), "command-failed", transient),
        (format!("{head} 'loading a model\\n'; done"), "command-garbled", transient),
        (format!("{head} '{{\"bytes\":99}}\\nRIFF'; exit 0; done"), "command-garbled", transient),
        (format!("{head} '{{\"bytes\":4}}\\nRIFF'; done"), "speech-unreadable", transient),
        (format!("{head} '{{\"bytes\":999999999}}\\n'; done"), "command-too-much", transient),
        ("exit 78".to_owned(), "command-failed", FailureClass::Misconfigured),
        ("read -r line; kill -9 $$".to_owned(), "command-failed", transient),
        (
            "read -r line; echo \"$line\"; echo \"$line\" >&2".to_owned(),
            "command-garbled",
            transient,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let error = speak(&resident(&body, folder.path()), CANARY).await.unwrap_err();
        assert_eq!((error.code, error.failure), (code, failure), "{body}");
        let said = format!("{error} {error:?}");
        assert!(!said.contains(CANARY), "{said}");
        assert_eq!(starts(folder.path()), 1, "{body}");
    }
}

/// Whose answer is not waited for takes the program along: the rest of it is nobody's.
#[tokio::test]
async fn a_text_that_is_given_up_leaves_nothing_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let body = format!("if [ $(wc -l < starts) = 1 ]; then read -r line; sleep 600; fi; {STAYS}");
    let voice = resident(&body, folder.path());
    let began = async {
        while starts(folder.path()) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = speak(&voice, "given up") => panic!("it hangs"),
        () = began => {}
    }
    let answer = speak(&voice, &"a".repeat(44)).await.unwrap();
    let seconds = answer.value.samples.len() as f64 / f64::from(pipeline::sound::RATE);
    assert!((seconds - 7.0).abs() < 0.5 && starts(folder.path()) == 2, "{seconds} s");
    let first = std::fs::read_to_string(folder.path().join("starts")).unwrap();
    let first = format!("/proc/{}/stat", first.lines().next().unwrap());
    let is_gone = || std::fs::read_to_string(&first).map_or(true, |stat| stat.contains(") Z "));
    while !is_gone() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
