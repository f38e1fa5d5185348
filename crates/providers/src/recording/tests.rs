//! Answers as servers send them go in; the same voice comes out, or the reason why it is none.

use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use pipeline::FailureClass;

use super::*;
use crate::ffmpeg::Ffmpeg;

/// Something that is said, as the house's samples: a voice inside FFmpeg, changed by `filter`.
async fn said(filter: &str) -> Vec<i16> {
    let text = "Settle where you are, hear the soft rain, and let the breath move.";
    let voice = format!("flite=text='{text}':voice=slt,{filter}");
    let raw = ["-ar", "24000", "-ac", "1", "-f", "s16le", "pipe:1"];
    pcm::speech(&ffmpeg(&[&["-f", "lavfi", "-i", &voice], &raw[..]].concat(), &[]).await).samples
}

#[expect(clippy::disallowed_methods, reason = "a test makes what servers make")]
async fn ffmpeg(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-y"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    let feed = async move {
        stdin.write_all(&input).await.unwrap();
    };
    let (done, ()) = tokio::join!(child.wait_with_output(), feed);
    let done = done.unwrap();
    assert!(done.status.success(), "{arguments:?}");
    done.stdout
}

fn bytes(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// `samples` as a server sends them that was asked for `options`.
async fn sent(samples: &[i16], options: &str) -> Vec<u8> {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("sent");
    let to = path.display().to_string();
    let from = ["-f", "s16le", "-ar", "24000", "-ac", "1", "-i", "pipe:0"];
    let options: Vec<&str> = options.split(' ').collect();
    // A file, since some are mended at their beginning when they end.
    ffmpeg(&[&from[..], &options, &[&to]].concat(), &bytes(samples)).await;
    std::fs::read(path).unwrap()
}

fn listener() -> Listener {
    let ffmpeg = Ffmpeg { program: "ffmpeg".into(), provider: "test" };
    Listener { ffmpeg, remedy: "TTS_FORMAT" }
}

async fn hear(body: Vec<u8>, media_type: &str) -> Result<Vec<i16>, ProviderError> {
    let scratch = tempfile::tempdir().unwrap();
    let media_type = Some(MediaType::parse(media_type));
    let heard = listener().speech(body.into(), media_type, scratch.path()).await?;
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "nothing is left");
    Ok(heard.value.samples)
}

/// How alike two recordings are: half a second in the middle of one, wherever it fits the other best;
/// 1 for the same.
fn likeness(one: &[i16], other: &[i16]) -> f64 {
    const PIECE: usize = 12_000;
    const OFFSET: usize = 4_800;
    let middle = one.len() / 2;
    let energy = |piece: &[i16]| piece.iter().map(|a| f64::from(*a).powi(2)).sum::<f64>();
    let piece = &one[middle..middle + PIECE];
    let at = |start: usize| {
        let Some(there) = other.get(start..start + PIECE) else { return 0.0 };
        let both: f64 = piece.iter().zip(there).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        both / (energy(piece) * energy(there)).sqrt()
    };
    (middle - OFFSET..middle + OFFSET).map(at).fold(0.0, f64::max)
}

/// Three packets of 72 ms, which an encoder may add and a decoder not know of.
const LONGEST_PACKETS: usize = 5_200;
/// What servers have sent, and how they called it.
const SENT: [(&str, &str); 41] = [
    ("-f wav", "audio/wav"),
    ("-f wav", "audio/pcm"),
    ("-f wav", ""),
    ("-f wav -ar 8000", "audio/x-wav"),
    ("-f wav -c:a pcm_u8", "audio/wav"),
    ("-f wav -c:a pcm_s24le -ac 2", "audio/wav"),
    ("-f wav -c:a pcm_s32le", "audio/wav"),
    ("-f wav -c:a pcm_f32le -ar 44100 -ac 2", "audio/wav"),
    ("-f wav -c:a pcm_f64le", "audio/wav"),
    ("-f wav -c:a pcm_mulaw -ar 8000", "audio/wav"),
    ("-f wav -c:a pcm_alaw -ar 8000", "audio/wav"),
    ("-f wav -c:a adpcm_ms", "audio/wav"),
    ("-f wav -c:a adpcm_ima_wav", "audio/wav"),
    ("-f wav -c:a libmp3lame", "audio/wav"),
    ("-f wav -rf64 always", "audio/wav"),
    ("-f w64", "audio/wav"),
    ("-f s16be", "audio/L16;rate=24000;channels=1"),
    ("-f s16le", "audio/L16;codec=pcm;rate=24000"),
    ("-f s16le -ar 48000 -ac 2", "audio/pcm; rate=48000; channels=2"),
    ("-f s16le", "application/octet-stream"),
    ("-f s16le", "audio/mpeg"),
    ("-f f32le", "audio/pcm;encoding=pcm_f32le;rate=24000"),
    ("-f mulaw -ar 8000", "audio/basic"),
    ("-f mp3", "audio/mpeg"),
    ("-f mp3 -id3v2_version 0 -write_xing 0 -ar 8000 -b:a 64k", "audio/pcm"),
    ("-f mp3 -id3v2_version 0 -write_xing 0 -ar 44100 -b:a 320k", ""),
    ("-f mp2 -c:a mp2 -ar 48000", "audio/mpeg"),
    ("-f adts -c:a aac", "audio/aac"),
    ("-f mp4 -c:a aac", "audio/mp4"),
    ("-f mp4 -c:a aac -movflags +faststart", "audio/mp4"),
    ("-f mp4 -c:a aac -movflags frag_keyframe+empty_moov", "audio/mp4"),
    ("-f mp4 -c:a flac -strict -2", "audio/x-m4a"),
    ("-f mov -c:a pcm_s16be", "video/quicktime"),
    ("-f webm -c:a libopus", "audio/webm"),
    ("-f webm -c:a libvorbis -live 1", "audio/pcm"),
    ("-f ogg -c:a libopus", "audio/ogg;codecs=opus"),
    ("-f ogg -c:a libvorbis", "application/ogg"),
    ("-f flac", "audio/flac"),
    ("-f aiff", "audio/aiff"),
    ("-f au", "audio/basic"),
    ("-f caf", "audio/x-caf"),
];

#[tokio::test]
async fn samples_of_every_layout_are_the_same_voice() {
    assert_same_voice(&SENT[..23]).await;
}

#[tokio::test]
async fn packed_sound_of_every_kind_is_the_same_voice() {
    assert_same_voice(&SENT[23..]).await;
}

async fn assert_same_voice(sent_as: &[(&str, &str)]) {
    let voice = said("anull").await;
    let mut faults = vec![];
    for (options, media_type) in sent_as {
        let mut body = sent(&voice, options).await;
        if Container::of(&body).is_some() {
            // As some servers fill up what they send.
            body.push(0);
        }
        match hear(body, media_type).await {
            Err(error) => faults.push(format!("{options}: {error}")),
            Ok(heard) => {
                let (off, alike) = (heard.len().abs_diff(voice.len()), likeness(&voice, &heard));
                if off > LONGEST_PACKETS || alike < 0.9 {
                    faults.push(format!("{options}: off by {off} samples, {alike} alike"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// A saw of 150 Hz that swells: jumps, and always at the same place of its wave.
#[expect(clippy::cast_possible_truncation, reason = "far below full scale")]
fn hum() -> Vec<i16> {
    let sample = |at: i32| {
        let (wave, swell) =
            (f64::from(at % 160) / 80.0 - 1.0, f64::from((at % 6_000 - 3_000).abs()));
        (wave * (swell / 3_000.0 * 0.9 + 0.1) * 9_000.0) as i16
    };
    (0..72_000).map(sample).collect()
}

/// What a voice may sound like, and what sounds around it.
const HEARD: [&str; 12] = [
    "anull",
    "volume=-40dB",
    "alimiter=level_in=8:limit=0.9",
    "acompressor=ratio=20:threshold=0.05:makeup=8,alimiter=limit=0.8",
    "lowpass=f=900",
    "highpass=f=2500,volume=4",
    "rubberband=pitch=1.8",
    "atempo=0.6",
    "adelay=3000,apad=pad_dur=4",
    // A whisper: all phases are lost.
    "afftfilt=real='hypot(re,im)*cos((random(0)*2-1)*6.28)':\
     imag='hypot(re,im)*sin((random(1)*2-1)*6.28)':win_size=128:overlap=0.8,volume=4",
    "aresample=8000,aformat=s16,aresample=24000:resampler=swr",
    "aeval=val(0)/4+0.2*sin(2*PI*220*t)+0.2*sin(2*PI*277*t)+0.15*sin(2*PI*3300*t)",
];

#[tokio::test]
async fn no_voice_is_refused() {
    let judge = |voice: &[i16], name: &str| assert_eq!(plausible::judge(voice), Ok(()), "{name}");
    for filter in HEARD {
        judge(&said(filter).await, filter);
    }
    let voice = said("anull").await;
    let coded: Vec<u8> = sent(&voice, "-f mulaw -ar 8000").await;
    judge(&coded.iter().map(|byte| layout::mu_law(*byte)).collect::<Vec<_>>(), "once mu-law");
    judge(&voice.iter().map(|sample| sample & !0xff).collect::<Vec<_>>(), "once eight bits");
    judge(&hum(), "hum");
    judge(&vec![0; 48_000], "silence");
    judge(&[&hum()[..], &vec![3; 480_000]].concat(), "a word and much quiet");
    // The sharpest consonants alone, as loud as a voice gets.
    let hiss = "anoisesrc=color=violet:duration=2:seed=1,highpass=f=4000,volume=0.2";
    let raw = ["-ar", "24000", "-ac", "1", "-f", "s16le", "pipe:1"];
    let hiss = ffmpeg(&[&["-f", "lavfi", "-i", hiss], &raw[..]].concat(), &[]).await;
    judge(&pcm::speech(&hiss).samples, "hiss");
}

#[tokio::test]
async fn what_is_taken_for_samples_and_is_none_is_the_set_up_s_fault() {
    let voice = said("anull").await;
    let quiet: Vec<i16> = voice.iter().map(|sample| sample / 16).collect();
    let text = "Settle where you are and let the breath move as it likes. ".repeat(2_000);
    let mut misread = vec![("text".to_owned(), text.into_bytes())];
    for (name, voice) in [("voice", voice), ("hum", hum()), ("quiet", quiet)] {
        for coding in [
            "s16be",
            "s24le",
            "s24be",
            "s32le",
            "s32be",
            "f32le",
            "f32be",
            "f64le",
            "u8",
            "s8",
            "mulaw",
            "alaw",
            "s16le -ac 2",
            "s16be -ac 2",
        ] {
            // Too quiet for eight bits is next to silence, and for the other order mostly so.
            let is_lost =
                name == "quiet" && ["u8", "s8", "s16be"].iter().any(|c| coding.starts_with(c));
            if !is_lost {
                misread.push((
                    format!("{name} as {coding}"),
                    sent(&voice, &format!("-f {coding}")).await,
                ));
            }
        }
        // Packed sound whose head is lost.
        for options in
            ["-f mp3 -b:a 128k", "-f flac", "-f adts -c:a aac -b:a 128k", "-f ogg -c:a libopus"]
        {
            let packed = sent(&voice, options).await;
            let noise = packed[packed.len() / 3..].iter().map(|byte| byte ^ 0x5a);
            misread.push((format!("{name} in {options}"), noise.collect()));
        }
    }
    let mut taken = vec![];
    for (name, body) in misread {
        match hear(body, "audio/pcm").await {
            Ok(_) => taken.push(name),
            Err(error) => {
                assert_eq!(
                    (error.code, error.failure),
                    ("speech-format", FailureClass::Misconfigured)
                );
                assert!(error.message.contains("TTS_FORMAT"), "{error}");
            }
        }
    }
    assert!(taken.is_empty(), "{taken:#?}");
}
