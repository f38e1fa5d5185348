//! Windows and puts by themselves go in; two tables are printed: how long, and where that time went.

use stillcast_enqueue::StageName;

use crate::apart::Twin;
use crate::moments::Window;

/// What a checkpoint may take beside the store's own put, in ms at p99.
const GOAL: f64 = 20.0;
/// What is bought.
const STAGES: [StageName; 3] = [StageName::Transcript, StageName::Tts, StageName::Image];

pub(crate) fn print(windows: &[Window], twins: &[Twin]) {
    println!(
        "| ms, p50 / p99 | count | window | a PUT of as many bytes by itself | p99 beside it |"
    );
    println!("|---|---|---|---|---|");
    for (stage, windows) in by_stage(windows) {
        let took = all(&windows, |window| Some(window.pinned - window.sent));
        let twins = twins.iter().filter(|twin| twin.stage == stage);
        let puts: Vec<f64> = twins.clone().map(|twin| twin.ms).collect();
        // Words go to Redis alone.
        let (put, beside) = match quantile(&twins.map(|t| t.bytes as f64).collect::<Vec<_>>(), 0.5)
        {
            0.0 => ("–".to_owned(), quantile(&took, 0.99)),
            bytes => {
                let (count, kib) = (puts.len(), bytes / 1024.0);
                let beside = quantile(&took, 0.99) - quantile(&puts, 0.99);
                (format!("{} ({count} of {kib:.0} KiB)", both(&puts)), beside)
            }
        };
        let verdict = if beside <= GOAL { "" } else { ", more than 20" };
        let (count, took) = (took.len(), both(&took));
        println!("| {stage} | {count} | {took} | {put} | {beside:+.1}{verdict} |");
    }
    println!(
        "\n| ms, p50 / p99 | until the store hears | its put | from its answer to Redis | all but the put |"
    );
    println!("|---|---|---|---|---|");
    for (stage, windows) in by_stage(windows) {
        let until = all(&windows, |window| Some(window.put?.0 - window.sent));
        let put = all(&windows, |window| window.put.map(|(began, ended)| ended - began));
        let redis = all(&windows, |window| Some(window.pinned - window.put?.1));
        let rest = all(&windows, |window| {
            let (began, ended) = window.put.unwrap_or((window.sent, window.sent));
            Some(window.pinned - window.sent - (ended - began))
        });
        let cells = [until, put, redis, rest].map(|took| match took.len() {
            0 => "–".to_owned(),
            _ => both(&took),
        });
        println!("| {stage} | {} |", cells.join(" | "));
    }
}

fn by_stage(windows: &[Window]) -> impl Iterator<Item = (StageName, Vec<Window>)> {
    STAGES.into_iter().map(|stage| {
        let of_stage = windows.iter().filter(|window| window.stage == stage);
        (stage, of_stage.copied().collect())
    })
}

/// In ms.
fn all(windows: &[Window], took: impl Fn(&Window) -> Option<i64>) -> Vec<f64> {
    windows.iter().filter_map(took).map(|micros| micros as f64 / 1e3).collect()
}

/// p50 and p99.
fn both(took: &[f64]) -> String {
    format!("{:.1} / {:.1}", quantile(took, 0.5), quantile(took, 0.99))
}

/// The nearest rank; 0 of nothing.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks are positive and few"
)]
fn quantile(numbers: &[f64], share: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}
