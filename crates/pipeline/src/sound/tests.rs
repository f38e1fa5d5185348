//! Voices made of tones: loudness, edges and faults.

use std::time::Duration;

use super::level::{CEILING, TARGET, loudness};
use super::samples::decode;
use super::*;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few seconds of samples below full scale"
)]
/// A tone of 220 Hz with a voice's rise and fall, in s16.
fn voice(seconds: f32, amplitude: f32) -> Vec<i16> {
    let count = (seconds * RATE as f32) as usize;
    let sample = |n: usize| {
        let time = n as f32 / RATE as f32;
        let swell = 0.6 + 0.4 * (time * 20.0).sin();
        (amplitude * swell * (time * 220.0 * std::f32::consts::TAU).sin() * 32_000.0) as i16
    };
    (0..count).map(sample).collect()
}

#[test]
fn every_voice_comes_out_equally_loud() {
    for (seconds, amplitude) in [(5.0, 0.05), (5.0, 0.9), (0.3, 0.3), (2.0, 0.02)] {
        let sound = finish(&voice(seconds, amplitude), 0).unwrap();
        let level = loudness(&decode(&sound));
        assert!((level - TARGET).abs() < 0.5, "{seconds} s at {amplitude}: {level}");
    }
}

#[test]
fn a_passage_is_as_loud_as_its_purpose_asks_for() {
    let kept = finish(&voice(5.0, 0.4), 0).unwrap();
    for (_, purpose) in Loudness::ALL {
        let sound = decode(&purpose.apply(&kept, 1));
        assert!((loudness(&sound) - purpose.of(1)).abs() < 0.5, "{purpose:?}");
        assert!(peak(&sound) <= CEILING + 0.01, "{purpose:?}: {}", peak(&sound));
        assert_eq!(sound.len(), kept.len() / 2);
    }
}

#[test]
fn edges_are_trimmed_and_end_in_silence() {
    let mut samples = vec![3; 24_000];
    samples.extend(voice(2.0, 0.5));
    samples.extend(vec![-3; 36_000]);
    let sound = decode(&finish(&samples, 0).unwrap());
    let length = sound.len() as f32 / RATE as f32;
    assert!((2.0..2.03).contains(&length), "{length}");
    assert_eq!((sound[0], sound[sound.len() - 1]), (0.0, 0.0));
}

#[test]
fn broken_speech_is_refused() {
    let clipped: Vec<i16> = voice(2.0, 1.0).iter().map(|s| s.saturating_mul(4)).collect();
    let cases = [
        (vec![], 30, "speech-silent"),
        (vec![0; 48_000], 30, "speech-silent"),
        (voice(2.0, 0.005), 30, "speech-silent"),
        (clipped, 30, "speech-clipped"),
        (voice(2.0, 0.5), 100, "speech-pace"),
        (voice(20.0, 0.5), 40, "speech-pace"),
    ];
    for (samples, characters, code) in cases {
        assert_eq!(finish(&samples, characters).unwrap_err().code(), code);
    }
    assert!(finish(&voice(2.0, 0.5), 30).is_ok());
}

#[test]
fn silence_is_exact() {
    assert_eq!(silence(Duration::from_secs(3)).len(), 3 * 24_000 * 2);
    assert!(silence(Duration::from_millis(500)).iter().all(|byte| *byte == 0));
    assert!((seconds(silence(Duration::from_millis(1500)).len()) - 1.5).abs() < 1e-9);
}
