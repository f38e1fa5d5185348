//! Each container is played as a person would play it: in a browser, out of the page of its job.

use serde_json::{Value, json};
use tests::program::{Program, first_line};
use tests::wait::until;

use crate::browser::Browser;

/// Asks `url` for a job with these options; its identifier.
async fn enqueue(url: &str, format: &str, options: &Value) -> String {
    let text = "A long day by the sea.";
    let request = json!({"source": {"text": text}, "format": format, "options": options});
    let sending = reqwest::Client::new().post(format!("{url}/v1/jobs"));
    let sending = sending.header("content-type", "application/json").body(request.to_string());
    let accepted: Value = sending.send().await.unwrap().json().await.unwrap();
    accepted["id"].as_str().unwrap_or_else(|| panic!("{accepted}")).to_owned()
}

/// Plays until a second of it has gone by, or something is wrong; then what the player knows.
const PLAY: &str = "const done = arguments[arguments.length - 1];\
    const player = document.querySelector('audio, video'); player.muted = true;\
    const says = (wrong) => done({wrong, duration: player.duration, width: player.videoWidth,\
        height: player.videoHeight, heard: player.webkitAudioDecodedByteCount,\
        seen: player.webkitVideoDecodedByteCount});\
    player.addEventListener('error', () => says(player.error.message));\
    player.addEventListener('timeupdate', () => player.currentTime > 1 && says(null));\
    player.play().catch((error) => says(String(error)))";

/// Seeks to the last seconds, and says whether the end comes.
const TO_THE_END: &str = "const done = arguments[arguments.length - 1];\
    const player = document.querySelector('audio, video');\
    player.addEventListener('ended', () => done(player.currentTime));\
    player.currentTime = player.duration - 2";

/// The mean loudness of all that is in the file, and how bright the picture is and how much it varies.
const SENSE: &str = "const done = arguments[arguments.length - 1];\
    const player = document.querySelector('audio, video');\
    (async () => {\
        const bytes = await (await fetch(player.currentSrc)).arrayBuffer();\
        const sound = await new OfflineAudioContext(1, 1, 24000).decodeAudioData(bytes);\
        const samples = sound.getChannelData(0);\
        const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);\
        let spread = 0;\
        if (player.videoWidth) {\
            const canvas = document.createElement('canvas'); canvas.width = 64; canvas.height = 64;\
            const pen = canvas.getContext('2d'); pen.drawImage(player, 0, 0, 64, 64);\
            const light = [...pen.getImageData(0, 0, 64, 64).data].filter((_, at) => at % 4 === 1);\
            spread = Math.max(...light) - Math.min(...light);\
        }\
        done({rms, seconds: sound.duration, spread});\
    })().catch((error) => done({wrong: String(error)}))";

async fn assert_plays(browser: &Browser, url: &str, id: &str, size: Option<(u64, u64)>) {
    browser.open(&format!("{url}/jobs/{id}")).await;
    browser.until_says("#headline", "is done").await;
    // The page is drawn anew when its job ends: the player is there then.
    let there = async || (browser.count("audio, video").await == 1).then_some(());
    until("a player", there).await;
    let record = reqwest::get(format!("{url}/v1/jobs/{id}")).await.unwrap();
    let record: Value = record.json().await.unwrap();
    let wanted = record["artifact"]["duration_s"].as_f64().unwrap();
    let plays = browser.run_later(PLAY).await;
    let what = format!("{}: {plays}", record["artifact"]["content_type"]);
    assert!(plays["wrong"].is_null() && plays["heard"].as_u64() > Some(0), "{what}");
    assert!((plays["duration"].as_f64().unwrap() - wanted).abs() < 0.1, "{what}, not {wanted}");
    let sensed = browser.run_later(SENSE).await;
    assert!(sensed["rms"].as_f64().is_some_and(|rms| rms > 0.01), "{what} {sensed}");
    assert!((sensed["seconds"].as_f64().unwrap() - wanted).abs() < 0.1, "{what} {sensed}");
    if let Some((width, height)) = size {
        assert_eq!(
            (plays["width"].as_u64(), plays["height"].as_u64()),
            (Some(width), Some(height))
        );
        assert!(plays["seen"].as_u64() > Some(0), "{what}");
        assert!(sensed["spread"].as_f64().unwrap() > 30.0, "there is a picture: {sensed}");
        let poster = browser.text_of("return document.querySelector('video').poster").await;
        assert!(poster.ends_with("/extras/poster.jpg"), "{poster}");
    }
    assert!(browser.run_later(TO_THE_END).await.as_f64().is_some_and(|end| end > wanted - 1.0));
}

#[tokio::test]
async fn every_container_is_played_with_sound_and_picture() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::stillcast(home.path());
    let mut dev = program.providers("offline").spawn(&["dev", "--json"]).await.unwrap();
    let line: Value = serde_json::from_str(&first_line(&mut dev).await.unwrap()).unwrap();
    let url = line["url"].as_str().unwrap();
    let mut jobs = Vec::new();
    for container in ["m4a", "mp3", "opus", "wav", "flac"] {
        jobs.push((enqueue(url, "audio", &json!({"container": container})).await, None));
    }
    for (options, size) in [
        (json!({"container": "mp4"}), (1920, 1080)),
        (json!({"container": "mp4-social", "aspect": "9:16"}), (1080, 1920)),
        (json!({"aspect": "1:1", "motion": true}), (1080, 1080)),
    ] {
        jobs.push((enqueue(url, "video", &options).await, Some(size)));
    }
    let browser = Browser::start().await;
    for (id, size) in jobs {
        assert_plays(&browser, url, &id, size).await;
    }
    let console = browser.console().await;
    assert!(console.is_empty(), "{console:?}");
}
