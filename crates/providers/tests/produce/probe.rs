//! A file goes in; what FFmpeg itself measures in it comes out.

use std::path::Path;

use child::Spec;

#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) duration_s: f64,
    pub(crate) durations: Vec<f64>,
    pub(crate) codecs: Vec<String>,
    /// Size, pixels, range, colours, profile and rate of the video track.
    pub(crate) picture: String,
}

#[derive(Debug)]
pub(crate) struct Loudness {
    pub(crate) integrated: f64,
    pub(crate) true_peak: f64,
}

pub(crate) async fn facts(path: &Path) -> Facts {
    let spec = Spec::new("ffprobe").args(["-v", "error", "-of", "json", "-show_streams"]);
    let (json, _) = spec.arg("-show_format").arg(path).output(1 << 20).await.unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let streams = json["streams"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let seconds = |value: &serde_json::Value| text(value).parse().unwrap();
    let video = &streams[0];
    let tags = ["pix_fmt", "color_range", "color_space", "color_primaries", "color_transfer"];
    let tags = tags.iter().chain(&["profile", "r_frame_rate"]).map(|tag| text(&video[*tag]));
    let size = format!("{}x{}", video["width"], video["height"]);
    Facts {
        duration_s: seconds(&json["format"]["duration"]),
        durations: streams.iter().map(|stream| seconds(&stream["duration"])).collect(),
        codecs: streams.iter().map(|stream| text(&stream["codec_name"])).collect(),
        picture: [size].into_iter().chain(tags).collect::<Vec<_>>().join(" "),
    }
}

pub(crate) async fn loudness(path: &Path) -> Loudness {
    let report = listen(path, "ebur128=peak=true:framelog=verbose").await;
    let summary = report.rsplit("Summary:").next().unwrap();
    let after = |label: &str| {
        let value = summary.split(label).nth(1).unwrap();
        value.split_whitespace().next().unwrap().parse().unwrap()
    };
    Loudness { integrated: after("I:"), true_peak: after("Peak:") }
}

/// The lengths of all silences of more than half a second.
pub(crate) async fn silences(path: &Path) -> Vec<f64> {
    let report = listen(path, "silencedetect=noise=-60dB:d=0.5").await;
    let lengths = report.split("silence_duration: ").skip(1);
    lengths.map(|rest| rest.split_whitespace().next().unwrap().parse().unwrap()).collect()
}

async fn listen(path: &Path, filter: &str) -> String {
    let spec = Spec::new("ffmpeg").args(["-hide_banner", "-nostdin", "-i"]).arg(path);
    let spec = spec.args(["-map", "0:a", "-af", filter, "-f", "null", "-"]);
    spec.run().await.unwrap().stderr
}

/// How many different pictures a decoder sees.
pub(crate) async fn distinct_pictures(path: &Path) -> usize {
    let spec = Spec::new("ffmpeg").args(["-v", "error", "-nostdin", "-i"]).arg(path);
    let spec = spec.args(["-map", "0:v", "-f", "framemd5", "-"]);
    let (list, _) = spec.output(1 << 20).await.unwrap();
    let list = String::from_utf8(list).unwrap();
    let frames = list.lines().filter(|line| !line.starts_with('#'));
    let digests = frames.map(|line| line.rsplit(',').next().unwrap().trim());
    digests.collect::<std::collections::HashSet<_>>().len()
}

/// Whether the index comes before the data.
pub(crate) fn has_faststart(path: &Path) -> bool {
    let bytes = std::fs::read(path).unwrap();
    let place = |kind: &[u8]| bytes.windows(4).position(|window| window == kind).unwrap();
    place(b"moov") < place(b"mdat")
}
