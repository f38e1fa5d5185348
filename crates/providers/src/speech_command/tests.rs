//! Programs that speak, refuse, die and babble go in; speech or the right class comes out.

use super::*;

const CANARY: &str = "canary-text-7f3a";

fn voice(words: &[&str]) -> CommandSpeech {
    CommandSpeech::new(CommandOptions {
        words: words.iter().map(ToString::to_string).collect(),
        environment: vec![("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned())],
        ffmpeg: "ffmpeg".into(),
    })
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
