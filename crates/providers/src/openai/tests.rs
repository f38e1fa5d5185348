//! What decides an answer beside the question: the revisions, of which the keys of results are made.

use std::time::Duration;

use pipeline::{ImageGenerator, SpeechSynthesizer, TranscriptWriter};

use super::*;

fn account(capability: Capability) -> Account {
    let key = Some("sk-canary".to_owned().into());
    let base_url = "https://vendor.example/v1/".to_owned();
    Account { capability, base_url, key, model: "a-model".to_owned() }
}

/// Changed, they let a running fleet pay again for all that it has.
#[test]
fn revisions_are_what_the_fleet_has_stored_by() {
    let http = HttpClient::new().unwrap();
    let price = TokenPrice { input: 1.0, output: 2.0 };
    let options = WriterOptions { price, max_tokens: 1_600, stall_timeout: Duration::from_mins(1) };
    let writer = OpenAiWriter::new(http.clone(), account(Capability::Llm), options);
    assert_eq!(writer.revision(), "prompt-2 https://vendor.example/v1 a-model 1600");
    let options = SpeechOptions {
        voice: "alloy".to_owned(),
        format: SoundFormat::Only("wav"),
        price: SpeechPrice(3.0),
        ffmpeg: "x".into(),
    };
    let speaker = OpenAiSpeech::new(http.clone(), account(Capability::Tts), options);
    assert_eq!(speaker.revision(), "prompt-2 https://vendor.example/v1 a-model alloy");
    let options = PictureOptions {
        size: "640x368".to_owned(),
        price: ImagePrice(4.0),
        link_hosts: vec!["x".to_owned()],
        ffmpeg: "x".into(),
    };
    let painter = OpenAiPainter::new(http, account(Capability::Image), options);
    assert_eq!(painter.revision(), "prompt-2 https://vendor.example/v1 a-model 640x368");
}
