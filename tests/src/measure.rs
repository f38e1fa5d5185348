//! A file of sound or moving pictures goes in; what FFmpeg itself measures in it comes out.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::Context;
use child::Spec;
use serde_json::Value;

/// What a player is told.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Of the container, in seconds.
    pub duration_s: f64,
    /// Of sound and picture, in seconds.
    pub durations: Vec<f64>,
    /// Of each stream; the picture comes first.
    pub codecs: Vec<String>,
    /// Samples a second, as the file says.
    pub rate: u64,
    /// Size, pixels, range, colours (matrix, primaries, transfer), profile and rate of the first
    /// stream.
    pub picture: String,
}

/// By EBU R 128.
#[derive(Clone, Copy, Debug)]
pub struct Loudness {
    /// In LUFS.
    pub integrated: f64,
    /// In dBTP.
    pub true_peak: f64,
}

/// A stretch of sound below −60 dB.
#[derive(Clone, Copy, Debug)]
pub struct Silence {
    /// Where it begins, in seconds.
    pub from_s: f64,
    /// In seconds.
    pub length_s: f64,
}

/// What ffprobe reads from the file's index.
pub async fn facts(path: &Path) -> anyhow::Result<Facts> {
    let spec = Spec::new("ffprobe").args(["-v", "error", "-of", "json", "-show_streams"]);
    let (json, _) = spec.arg("-show_format").arg(path).output(1 << 20).await?;
    let json: Value = serde_json::from_slice(&json)?;
    let streams = json["streams"].as_array().context("streams")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let seconds = |value: &Value| text(value).parse::<f64>().context("a duration");
    let first = streams.first().context("a stream")?;
    let tags = ["pix_fmt", "color_range", "color_space", "color_primaries", "color_transfer"];
    let tags = tags.iter().chain(&["profile", "r_frame_rate"]).map(|tag| text(&first[*tag]));
    let size = format!("{}x{}", first["width"], first["height"]);
    Ok(Facts {
        duration_s: seconds(&json["format"]["duration"])?,
        durations: streams
            .iter()
            .filter(|one| ["audio", "video"].contains(&text(&one["codec_type"]).as_str()))
            .filter(|one| one["disposition"]["attached_pic"] != 1)
            .map(|one| seconds(&one["duration"]))
            .collect::<Result<_, _>>()?,
        codecs: streams.iter().map(|stream| text(&stream["codec_name"])).collect(),
        rate: streams
            .iter()
            .find_map(|one| text(&one["sample_rate"]).parse().ok())
            .unwrap_or_default(),
        picture: [size].into_iter().chain(tags).collect::<Vec<_>>().join(" "),
    })
}

/// How loud the whole is.
pub async fn loudness(path: &Path) -> anyhow::Result<Loudness> {
    let report = listen(path, "ebur128=peak=true:framelog=verbose").await?;
    let (_, summary) = report.rsplit_once("Summary:").context("a summary")?;
    Ok(Loudness { integrated: number(summary, "I:")?, true_peak: number(summary, "Peak:")? })
}

/// All silences of more than a third of a second; the shortest gap that a transcript has is 0.45 s.
pub async fn silences(path: &Path) -> anyhow::Result<Vec<Silence>> {
    let report = listen(path, "silencedetect=noise=-60dB:d=0.33").await?;
    let found = report.split("silence_start: ").skip(1);
    let read = |rest: &str| -> anyhow::Result<Silence> {
        let length_s = number(rest, "silence_duration:")?;
        Ok(Silence { from_s: number(rest, "")?, length_s })
    };
    found.map(read).collect()
}

/// By how many dB the sound above `hertz` is quieter than the whole.
pub async fn quieter_above(path: &Path, hertz: u32) -> anyhow::Result<f64> {
    let mean = async |filter: &str| {
        number(&listen(path, &format!("{filter}volumedetect")).await?, "mean_volume:")
    };
    // Steep, since speech is a thousand times as strong an octave below.
    let above = format!("highpass=f={hertz},").repeat(6);
    Ok(mean("").await? - mean(&above).await?)
}

/// The number behind the first `label`.
fn number(text: &str, label: &str) -> anyhow::Result<f64> {
    let (_, rest) = text.split_once(label).with_context(|| format!("no {label:?} in {text:?}"))?;
    let word = rest.split_whitespace().next().with_context(|| format!("nothing behind {label}"))?;
    word.parse().with_context(|| format!("{word:?} behind {label:?}"))
}

async fn listen(path: &Path, filter: &str) -> anyhow::Result<String> {
    let spec = Spec::new("ffmpeg").args(["-hide_banner", "-nostdin", "-i"]).arg(path);
    let spec = spec.args(["-map", "0:a", "-af", filter, "-f", "null", "-"]);
    Ok(spec.run().await?.stderr)
}

/// How many different pictures a decoder sees.
pub async fn distinct_pictures(path: &Path) -> anyhow::Result<usize> {
    Ok(pictures(path, None).await?.into_iter().collect::<HashSet<_>>().len())
}

/// The digest of each picture that a decoder sees, the cover apart; of the first `seconds`, or of all.
pub async fn pictures(path: &Path, seconds: Option<u32>) -> anyhow::Result<Vec<String>> {
    let spec = Spec::new("ffmpeg").args(["-v", "error", "-nostdin"]);
    let spec = match seconds {
        Some(seconds) => spec.args(["-t", &seconds.to_string()]),
        None => spec,
    };
    let spec = spec.arg("-i").arg(path);
    let spec = spec.args(["-map", "0:v:0", "-f", "framemd5", "-"]);
    let (list, _) = spec.output(1 << 20).await?;
    let list = String::from_utf8(list)?;
    let frames = list.lines().filter(|line| !line.starts_with('#'));
    Ok(frames.filter_map(|line| line.rsplit(',').next()).map(str::to_owned).collect())
}

/// How far two pictures of a film are apart, by their numbers: the mean difference of their brightness, of
/// 255, once each is a square of 270.
pub async fn difference(path: &Path, (one, other): (usize, usize)) -> anyhow::Result<f64> {
    let chosen = format!("select=eq(n\\,{one})+eq(n\\,{other}),scale=270:270,format=gray");
    let spec = Spec::new("ffmpeg").args(["-v", "error", "-nostdin", "-i"]).arg(path);
    let spec = spec.args(["-map", "0:v:0", "-vf", &chosen, "-fps_mode", "passthrough"]);
    let (bytes, _) = spec.args(["-frames:v", "2", "-f", "rawvideo", "-"]).output(1 << 20).await?;
    let (first, second) = bytes.split_at(bytes.len() / 2);
    anyhow::ensure!(first.len() == 270 * 270, "{} bytes of two pictures", bytes.len());
    let apart = first.iter().zip(second).map(|(one, other)| u64::from(one.abs_diff(*other)));
    Ok(apart.sum::<u64>() as f64 / first.len() as f64)
}

/// At which picture each group begins: the key frames of the first track of pictures.
pub async fn key_frames(path: &Path) -> anyhow::Result<Vec<usize>> {
    let spec =
        Spec::new("ffprobe").args(["-v", "error", "-of", "csv=p=0", "-select_streams", "v:0"]);
    let spec = spec.args(["-show_entries", "packet=flags"]).arg(path);
    let (list, _) = spec.output(1 << 20).await?;
    let list = String::from_utf8(list)?;
    let numbered = list.lines().enumerate().filter(|(_, flags)| flags.starts_with('K'));
    Ok(numbered.map(|(at, _)| at).collect())
}

/// When the first sound louder than −40 dB is heard by who decodes all there is, in seconds.
pub async fn first_sound(path: &Path) -> anyhow::Result<f64> {
    let spec = Spec::new("ffmpeg").args(["-v", "error", "-nostdin", "-i"]).arg(path);
    let spec =
        spec.args(["-map", "0:a", "-t", "20", "-ac", "1", "-ar", "24000", "-f", "s16le", "-"]);
    let (bytes, _) = spec.output(1 << 21).await?;
    let samples = bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
    let first = samples.into_iter().position(|sample| sample.unsigned_abs() > 327);
    Ok(first.context("nothing but silence")? as f64 / 24_000.0)
}

/// Whether the index comes before the data, so that a player need not read the whole first.
pub fn has_faststart(path: &Path) -> anyhow::Result<bool> {
    let bytes = std::fs::read(path)?;
    let kinds = boxes(&bytes)?;
    let place = |kind: &[u8]| kinds.iter().position(|one| one == kind).context("no such box");
    Ok(place(b"moov")? < place(b"mdat")?)
}

/// The kinds of the outermost boxes of an MP4, in their order.
fn boxes(bytes: &[u8]) -> anyhow::Result<Vec<[u8; 4]>> {
    let (mut kinds, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let head = bytes.get(at..at + 8).context("a box is cut")?;
        let size = u32::from_be_bytes(head[..4].try_into()?);
        anyhow::ensure!(size >= 8, "a box of {size} bytes: longer ones than 4 GiB are not made");
        kinds.push(head[4..].try_into()?);
        at += size as usize;
    }
    Ok(kinds)
}

/// A chapter of a file.
#[derive(Clone, Debug)]
pub struct Chapter {
    /// Where it begins, in seconds.
    pub from_s: f64,
    /// Where it ends, in seconds.
    pub to_s: f64,
    /// What it is called.
    pub title: String,
}

/// The chapters that ffprobe finds in a file.
pub async fn chapters(path: &Path) -> anyhow::Result<Vec<Chapter>> {
    let spec = Spec::new("ffprobe").args(["-v", "error", "-of", "json", "-show_chapters"]);
    let (json, _) = spec.arg(path).output(1 << 20).await?;
    let json: Value = serde_json::from_slice(&json)?;
    let seconds =
        |value: &Value| value.as_str().context("a time")?.parse::<f64>().context("a time");
    let read = |chapter: &Value| -> anyhow::Result<Chapter> {
        let title = chapter["tags"]["title"].as_str().context("a title")?.to_owned();
        Ok(Chapter {
            from_s: seconds(&chapter["start_time"])?,
            to_s: seconds(&chapter["end_time"])?,
            title,
        })
    };
    json["chapters"].as_array().context("chapters")?.iter().map(read).collect()
}

/// A caption as a player gets it.
#[derive(Clone, Debug)]
pub struct Caption {
    /// Where it comes up, in seconds.
    pub from_s: f64,
    /// Where it goes, in seconds.
    pub to_s: f64,
    /// What it says, without marks and line breaks.
    pub text: String,
}

/// The captions that FFmpeg reads out of a file, be it one of captions or a film.
pub async fn captions(path: &Path) -> anyhow::Result<Vec<Caption>> {
    let spec = Spec::new("ffmpeg").args(["-v", "error", "-nostdin", "-i"]).arg(path);
    let (text, _) = spec.args(["-map", "0:s", "-f", "srt", "-"]).output(1 << 20).await?;
    let text = String::from_utf8(text)?.replace('\r', "");
    let blocks = text.split("\n\n").filter(|block| !block.trim().is_empty());
    blocks.map(|block| read_caption(block).with_context(|| format!("{block:?}"))).collect()
}

fn read_caption(block: &str) -> Option<Caption> {
    let mut lines = block.trim().lines().skip(1);
    let (from, to) = lines.next()?.split_once(" --> ")?;
    let text: Vec<&str> = lines.collect();
    Some(Caption { from_s: clock(from)?, to_s: clock(to)?, text: text.join(" ") })
}

/// `01:02:03,456` in seconds.
fn clock(text: &str) -> Option<f64> {
    let mut parts = text.splitn(3, ':');
    let (hours, minutes) = (parts.next()?.parse::<f64>().ok()?, parts.next()?.parse::<f64>().ok()?);
    let seconds: f64 = parts.next()?.replace(',', ".").parse().ok()?;
    Some(hours * 3_600.0 + minutes * 60.0 + seconds)
}

/// How loud a file is from one moment to another: the mean of its samples' squares, in dB.
pub async fn level_between(path: &Path, from_s: f64, to_s: f64) -> anyhow::Result<f64> {
    let filter = format!("atrim=start={from_s:.3}:end={to_s:.3},volumedetect");
    let report = listen(path, &filter).await?;
    number(&report, "mean_volume:")
}

/// The channels of its sound.
pub async fn channels(path: &Path) -> anyhow::Result<u64> {
    let spec = Spec::new("ffprobe").args(["-v", "error", "-of", "json", "-show_streams"]);
    let (json, _) = spec.args(["-select_streams", "a"]).arg(path).output(1 << 20).await?;
    let json: Value = serde_json::from_slice(&json)?;
    json["streams"][0]["channels"].as_u64().context("channels")
}

/// What a file says of itself: its tags by their names in small letters, whether they stand at the file or at
/// its sound.
pub async fn tags(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let spec = Spec::new("ffprobe").args(["-v", "error", "-of", "json", "-show_format"]);
    let spec = spec.args(["-show_streams", "-select_streams", "a"]).arg(path);
    let (json, _) = spec.output(1 << 20).await?;
    let json: Value = serde_json::from_slice(&json)?;
    let places = [&json["format"]["tags"], &json["streams"][0]["tags"]];
    let tags = places.into_iter().filter_map(Value::as_object).flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(tags.map(|(name, value)| (name.to_lowercase(), text(value))).collect())
}

/// What a file says of its origin, as `ExifTool` reads it: the digital source type of the IPTC.
pub async fn source_type(path: &Path) -> anyhow::Result<String> {
    let spec = Spec::new("exiftool").args(["-s3", "-DigitalSourceType"]).arg(path);
    let (said, _) = spec.output(1 << 16).await?;
    Ok(String::from_utf8(said)?.trim().to_owned())
}

/// The labels of what is packed beside its content as JUMBF, as `ExifTool` reads it.
pub async fn jumbf(path: &Path) -> anyhow::Result<String> {
    let spec = Spec::new("exiftool").args(["-s3", "-a", "-JUMDLabel"]).arg(path);
    let (said, _) = spec.output(1 << 16).await?;
    Ok(String::from_utf8(said)?)
}

/// What is heard of a file from its time zero on, as s16le: what its edits cut off is not among it.
pub async fn heard(path: &Path) -> anyhow::Result<Vec<u8>> {
    let spec = Spec::new("ffmpeg").args(["-v", "error", "-nostdin", "-copyts", "-i"]).arg(path);
    let spec = spec.args(["-af", "atrim=start_pts=0", "-f", "s16le", "pipe:1"]);
    Ok(spec.output(1 << 30).await?.0)
}

/// The same of a whole playlist: its parts behind each other, which a player of HLS must find, too.
pub async fn heard_of_list(list: &Path) -> anyhow::Result<Vec<u8>> {
    let joined = list.with_extension("joined.mp4");
    let text = std::fs::read_to_string(list)?;
    let named = |line: &str| {
        let map = line.strip_prefix("#EXT-X-MAP:URI=\"").and_then(|rest| rest.strip_suffix('"'));
        map.or((!line.starts_with('#')).then_some(line)).map(|name| list.with_file_name(name))
    };
    let parts = text.lines().filter_map(named).map(std::fs::read);
    std::fs::write(&joined, parts.collect::<Result<Vec<_>, _>>()?.concat())?;
    let spec = Spec::new("ffmpeg").args(["-v", "error", "-nostdin", "-i"]).arg(list);
    let (played, _) = spec.args(["-f", "s16le", "pipe:1"]).output(1 << 30).await?;
    let heard = heard(&joined).await?;
    std::fs::remove_file(&joined)?;
    // FFmpeg's own player of HLS does not read the edits, and lets the encoder's first frame be heard.
    anyhow::ensure!(played.ends_with(&heard), "a player hears something else than the parts hold");
    Ok(heard)
}
