//! Series of numbers go in; the lines of a drawing come out, as far as a template cannot draw them.
//!
//! A drawing is 600 wide and 120 high, and stretched by the browser: it holds no text of its own.

use std::fmt::Write as _;

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 120.0;

/// A drawing of lines over time.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) lines: Vec<Line>,
    /// What the top of the drawing stands for.
    pub(super) top: String,
    /// What it shows, for those who do not see it.
    pub(super) says: String,
}

/// One line of it.
#[derive(Debug)]
pub(super) struct Line {
    /// Its word, in the legend and as the class of its colour.
    pub(super) word: &'static str,
    /// Its newest value, in words.
    pub(super) now: String,
    /// The line, as an SVG path; a hole where nothing is known.
    pub(super) path: String,
}

/// Values of one line, oldest first.
pub(super) struct Series {
    pub(super) word: &'static str,
    pub(super) values: Vec<Option<f64>>,
}

impl Chart {
    /// Draws all series on one scale from nothing to their largest value; `tell` says a value.
    pub(super) fn of(what: &str, series: Vec<Series>, tell: impl Fn(f64) -> String) -> Self {
        let values = series.iter().flat_map(|series| series.values.iter().flatten().copied());
        let top = nice(values.fold(0.0, f64::max));
        let lines: Vec<Line> = series
            .into_iter()
            .map(|Series { word, values }| Line {
                word,
                now: values
                    .iter()
                    .rev()
                    .flatten()
                    .next()
                    .map_or_else(String::new, |now| tell(*now)),
                path: path(&values, top),
            })
            .collect();
        let now: Vec<String> =
            lines.iter().map(|line| format!("{} {}", line.word, line.now)).collect();
        Self { says: format!("{what}: {}", now.join(", ")), lines, top: tell(top) }
    }

    /// Whether there is anything to draw.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.path.is_empty())
    }
}

/// The next larger round number, so that the scale is one that people can divide.
fn nice(largest: f64) -> f64 {
    if largest <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(largest.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|step| *step >= largest).unwrap_or(largest)
}

fn path(values: &[Option<f64>], top: f64) -> String {
    let step = WIDTH / (values.len().saturating_sub(1).max(1)) as f64;
    let mut path = String::new();
    let mut pen = 'M';
    for (index, value) in values.iter().enumerate() {
        let Some(value) = value else {
            pen = 'M';
            continue;
        };
        let (x, y) = (step * index as f64, HEIGHT - HEIGHT * value / top);
        if values.len() == 1 {
            return format!("M0.0 {y:.1}L{WIDTH:.1} {y:.1}");
        }
        // Writing to a text never fails.
        let _ = write!(path, "{pen}{x:.1} {y:.1}");
        pen = 'L';
    }
    path
}

/// The value below which the share `part` of the sorted `values` lie.
pub(super) fn quantile(values: &[f64], part: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to last")]
    let index = (part.clamp(0.0, 1.0) * last as f64).ceil() as usize;
    values.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reaches_from_edge_to_edge_and_has_holes() {
        assert_eq!(path(&[Some(0.0), None, Some(10.0)], 10.0), "M0.0 120.0M600.0 0.0");
        assert_eq!(path(&[Some(5.0), Some(10.0)], 10.0), "M0.0 60.0L600.0 0.0");
        assert_eq!(path(&[Some(5.0)], 10.0), "M0.0 60.0L600.0 60.0");
        assert_eq!(path(&[], 1.0), "");
    }

    #[test]
    fn a_scale_ends_at_a_round_number() {
        for (largest, round) in
            [(0.0, "1"), (7.0, "10"), (11.0, "20"), (0.03, "0.05"), (50.0, "50")]
        {
            assert_eq!(nice(largest).to_string(), round);
        }
    }

    #[test]
    fn quantiles_are_values_that_are_there() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(quantile(&values, 0.5), Some(51.0));
        assert_eq!((quantile(&values, 0.99), quantile(&[], 0.5)), (Some(100.0), None));
    }
}
