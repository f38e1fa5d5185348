//! An overview goes in; widgets at their places come out.

use chrono::{DateTime, Utc};
use queue::{Slot, StageUse, WorkerSeen};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Row, Sparkline, Table};
use stillcast_enqueue::JobRecord;

use crate::overview::Overview;
use crate::render::{moment, seconds};

/// The lines of the states, of the stages and of the workers, with their frames.
const HEIGHTS: [u16; 3] = [5, 9, 7];
/// How much of a name is shown of what is longer.
const NAME: usize = 36;

pub(super) fn draw(frame: &mut Frame, overview: &Overview) {
    let [states, stages, workers] = HEIGHTS;
    let areas = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(states),
        Constraint::Length(stages),
        Constraint::Length(workers),
        Constraint::Min(3),
        Constraint::Length(1),
    ]);
    let [head, top, middle, crew, jobs, foot] = areas.areas(frame.area());
    frame.render_widget(title(overview), head);
    draw_states(frame, top, overview);
    frame.render_widget(stages_table(&overview.history.total), middle);
    frame.render_widget(workers_table(&overview.workers, overview.stats.at), crew);
    frame.render_widget(running_table(&overview.running, overview.stats.at), jobs);
    frame.render_widget(footer(&overview.history.total), foot);
}

fn title(overview: &Overview) -> Line<'static> {
    let stats = &overview.stats;
    let mut line = Line::from(vec![
        Span::from(format!("stillcast · {} ", stats.queue)).bold(),
        Span::from(moment(stats.at)).dim(),
    ]);
    if stats.paused {
        line.push_span(Span::from("  PAUSED").bold().fg(Color::Yellow));
    }
    if overview.workers.is_empty() {
        line.push_span(Span::from("  NO WORKER").bold().fg(Color::Red));
    }
    line
}

/// Counts on the left, what was ready in the last hour on the right.
fn draw_states(frame: &mut Frame, area: Rect, overview: &Overview) {
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(area);
    frame.render_widget(states(overview), left);
    let depth: Vec<u64> = overview.history.slots.iter().map(|slot| slot.depth.ready).collect();
    let ready = Sparkline::default().data(&depth).style(Style::new().fg(Color::Cyan));
    frame.render_widget(ready.block(Block::bordered().title(" ready, last hour ")), right);
}

fn states(overview: &Overview) -> Paragraph<'static> {
    let (stats, states) = (&overview.stats, &overview.stats.states);
    let oldest = stats.oldest_s.map_or_else(|| "-".to_owned(), seconds);
    let empty = match &stats.empty_in {
        None => "nobody can say when it is empty".to_owned(),
        Some(eta) if eta.to_s <= 0.0 => "empty".to_owned(),
        Some(eta) => format!("empty in {} to {}", seconds(eta.from_s), seconds(eta.to_s)),
    };
    let lines = vec![
        counts(&[
            ("ready", states.ready, Color::Cyan),
            ("running", states.leased, Color::Green),
            ("parked", states.parked, Color::Yellow),
            ("delayed", states.delayed, Color::Blue),
        ]),
        counts(&[
            ("done", states.done, Color::Green),
            ("dead", states.dead, Color::Red),
            ("cancelled", states.cancelled, Color::Gray),
            ("expired", states.expired, Color::Gray),
        ]),
        Line::from(format!("oldest {oldest} · {empty}")),
    ];
    Paragraph::new(lines).block(Block::bordered().title(" jobs "))
}

/// What is nought is dimmed: the eye goes to the rest.
fn counts(all: &[(&'static str, u64, Color)]) -> Line<'static> {
    let spans = all.iter().flat_map(|(name, count, colour)| {
        let number = Span::from(format!("{count:>7} "));
        let number = if *count == 0 { number.dim() } else { number.bold().fg(*colour) };
        [number, Span::from(format!("{name:<10}")).dim()]
    });
    Line::from(spans.collect::<Vec<_>>())
}

fn stages_table(total: &Slot) -> Table<'static> {
    let time = |at: Option<f64>| at.map_or_else(|| "-".to_owned(), seconds);
    let rows =
        total.stages.iter().map(|StageUse { stage, wait, run, tries, hits, errors, .. }| {
            let failed = Span::from(errors.to_string());
            let failed = if *errors > 0 { failed.fg(Color::Red) } else { failed.dim() };
            let times = [time(run.p50_s), time(run.p95_s), time(run.p99_s), time(wait.p95_s)];
            let cells = times.into_iter().chain([tries.to_string(), hits.to_string()]);
            let head = std::iter::once(Span::from(stage.to_string()));
            Row::new(head.chain(cells.map(Span::from)).chain([failed]))
        });
    let widths = [12, 12, 12, 12, 12, 7, 7, 7].map(Constraint::Length);
    let heads = ["stage", "run p50", "p95", "p99", "wait p95", "tries", "cached", "failed"];
    table(rows, widths, heads, " stages, last hour ".to_owned())
}

fn workers_table(workers: &[WorkerSeen], now: DateTime<Utc>) -> Table<'static> {
    let rows = workers.iter().map(|worker| {
        let standing = if worker.draining {
            Span::from("leaves").fg(Color::Yellow)
        } else if let Some(refused) = &worker.refused {
            let stage = refused.stage.map_or("a provider", |stage| stage.as_str());
            Span::from(format!("refused at {stage}")).fg(Color::Red)
        } else {
            Span::from("works").fg(Color::Green)
        };
        let number = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), |it| it.to_string());
        let slots = format!("{} of {}", number(worker.busy), number(worker.slots));
        Row::new([
            Span::from(short(&worker.name)),
            Span::from(slots),
            Span::from(since(worker.seen_at, now)),
            standing,
        ])
    });
    let widths = [38, 12, 12, 24].map(Constraint::Length);
    let title = format!(" workers: {} ", workers.len());
    table(rows, widths, ["worker", "busy", "seen ago", "standing"], title)
}

fn running_table(running: &[JobRecord], now: DateTime<Utc>) -> Table<'static> {
    let rows = running.iter().map(|job| {
        let stage = job.stage.map_or_else(|| "-".to_owned(), |stage| stage.to_string());
        Row::new([
            short(&job.id),
            job.tenant.clone(),
            stage,
            job.percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent} %")),
            job.attempt.to_string(),
            since(job.started_at, now),
        ])
    });
    let widths = [38, 16, 12, 6, 8, 12].map(Constraint::Length);
    let heads = ["job", "tenant", "stage", "done", "attempt", "runs for"];
    table(rows, widths, heads, format!(" running: {} ", running.len()))
}

fn table<const N: usize>(
    rows: impl IntoIterator<Item = Row<'static>>,
    widths: [Constraint; N],
    heads: [&'static str; N],
    title: String,
) -> Table<'static> {
    let head = Row::new(heads.map(|head| Span::from(head).dim()));
    Table::new(rows, widths).header(head).block(Block::bordered().title(title))
}

fn footer(total: &Slot) -> Line<'static> {
    let cost = &total.cost;
    Line::from(format!(
        "last hour: {} done, {} dead · spent {:.4}, avoided {:.4}, wasted {:.4} USD · q ends",
        total.jobs.done, total.jobs.dead, cost.spent_usd, cost.avoided_usd, cost.wasted_usd
    ))
    .dim()
}

fn since(then: Option<DateTime<Utc>>, now: DateTime<Utc>) -> String {
    then.map_or_else(|| "-".to_owned(), |then| seconds((now - then).as_seconds_f64()))
}

/// The beginning of a name.
fn short(name: &str) -> String {
    name.chars().take(NAME).collect()
}
