//! A format and a filter go in; from then on every event and span goes to stderr, a line each.

use std::io::{self, IsTerminal};
use std::panic::PanicHookInfo;
use std::str::FromStr;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

impl FromStr for LogFormat {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "json" => Ok(Self::Json),
            "pretty" => Ok(Self::Pretty),
            _ => Err(TelemetryError::Format),
        }
    }
}

/// What keeps logging from starting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// Not a format.
    #[error("a log format is `auto`, `json` or `pretty`")]
    Format,
    /// Not a filter.
    #[error("not a log filter such as `info` or `info,queue=debug`: {0}")]
    Filter(String),
    /// Somebody else in this process logs already.
    #[error("logging was started before")]
    Started,
}

/// A checked format and filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logging {
    format: LogFormat,
    filter: String,
}

impl Logging {
    /// `filter` in the grammar of `RUST_LOG`, such as `info,queue=debug`.
    pub fn new(format: LogFormat, filter: &str) -> Result<Self, TelemetryError> {
        parse(filter)?;
        Ok(Self { format, filter: filter.to_owned() })
    }

    /// What takes the events; `writer` gets the lines.
    fn subscriber<W>(&self, writer: W) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
    where
        W: for<'line> MakeWriter<'line> + Send + Sync + 'static,
    {
        let lines = tracing_subscriber::fmt()
            .with_env_filter(parse(&self.filter)?)
            .with_ansi(io::stderr().is_terminal())
            .with_writer(writer);
        Ok(if self.is_json() {
            Box::new(lines.json().flatten_event(true).with_current_span(false).finish())
        } else {
            Box::new(lines.finish())
        })
    }

    fn is_json(&self) -> bool {
        match self.format {
            LogFormat::Auto => !io::stderr().is_terminal(),
            LogFormat::Json => true,
            LogFormat::Pretty => false,
        }
    }
}

fn parse(filter: &str) -> Result<EnvFilter, TelemetryError> {
    // The parser counts behind the space at a directive's beginning, and cuts with it: names lose their
    // last letters, and a letter of several bytes is torn, which is a panic.
    let trimmed: Vec<&str> = filter.split(',').map(str::trim).collect();
    EnvFilter::try_new(trimmed.join(",")).map_err(|error| TelemetryError::Filter(error.to_string()))
}

/// Logs until the process ends; panics are logged, by their place alone, until the guard is dropped.
pub fn start(logging: &Logging) -> Result<Guard, TelemetryError> {
    let subscriber = logging.subscriber(io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| TelemetryError::Started)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(Guard(()))
}

/// Dropped, it gives panics back to the standard library.
#[must_use]
#[derive(Debug)]
pub struct Guard(());

impl Drop for Guard {
    fn drop(&mut self) {
        // A panicking thread may not change the hook.
        if !std::thread::panicking() {
            drop(std::panic::take_hook());
        }
    }
}

/// The message of a panic may quote a job's private text: only the place is logged.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    tracing::error!(place, thread = thread.name(), "panicked at {place}");
}

/// The trace that a W3C `traceparent` belongs to: its 32 hexadecimal digits.
pub fn trace_id(traceparent: &str) -> Option<&str> {
    let trace = traceparent.split('-').nth(1)?;
    let is_trace = trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_trace.then_some(trace)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str, emit: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let logging = Logging::new(format, filter).unwrap();
        let subscriber = logging.subscriber(move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, emit);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_json_line_holds_the_fields_of_event_and_spans() {
        let line = logged(LogFormat::Json, "info", || {
            let _span = tracing::info_span!("job", trace_id = "4bf92f35").entered();
            tracing::info!(job.id = "j1", "claimed");
        });
        assert!(line.contains(r#""job.id":"j1""#), "{line}");
        assert!(line.contains(r#""trace_id":"4bf92f35""#), "{line}");
        assert!(line.starts_with('{') && line.ends_with("}\n"), "{line}");
    }

    #[test]
    fn the_filter_silences_what_it_names() {
        let emit = || {
            tracing::warn!(target: "apalis_core", "poll");
            tracing::info!(target: "queue", "claimed");
        };
        for filter in ["info,apalis_core=error", " info ,\tapalis_core=error"] {
            let lines = logged(LogFormat::Pretty, filter, emit);
            assert!(lines.contains("claimed") && !lines.contains("poll"), "{lines}");
        }
    }

    #[test]
    fn wrong_formats_and_filters_are_refused() {
        assert!(matches!("yaml".parse::<LogFormat>(), Err(TelemetryError::Format)));
        for filter in ["queue=loud", "info,[{"] {
            let refused = Logging::new(LogFormat::Auto, filter);
            assert!(matches!(refused, Err(TelemetryError::Filter(_))), "{filter:?}: {refused:?}");
        }
        assert!(Logging::new(LogFormat::Auto, "\t0\u{fffd}=").is_ok(), "no letter is torn");
    }

    #[test]
    fn the_trace_is_the_second_field() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_id(parent), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        assert_eq!(trace_id("00-short-00f067aa0ba902b7-01"), None);
        assert_eq!(trace_id(""), None);
    }
}
