//! Models that are bought go in; when they are shut down is asked of those who sell them, said in the log, and shown
//! to whoever scrapes.
//!
//! It is asked at the start and then twice a day, beside the work: nobody waits for it, and it costs nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use stillcast_enqueue::capability::Capability;
use telemetry::Metrics;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const ROUND: Duration = Duration::from_hours(12);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// What a model's seller tells of it.
#[async_trait]
pub(crate) trait Catalogue: Send + Sync {
    /// The day of its end, `YYYY-MM-DD`; `None` where none is announced.
    async fn shutdown_date(&self) -> anyhow::Result<Option<String>>;
}

/// A model that is bought.
pub(crate) struct BoughtModel {
    pub(crate) capability: Capability,
    pub(crate) model: String,
    pub(crate) catalogue: Box<dyn Catalogue>,
}

/// Asks until it is dropped.
pub(crate) fn watch(models: Vec<BoughtModel>, metrics: Arc<Metrics>) -> JoinSet<()> {
    let mut rounds = JoinSet::new();
    if models.is_empty() {
        return rounds;
    }
    rounds.spawn(async move {
        loop {
            for model in &models {
                model.ask(&metrics).await;
            }
            sleep(ROUND).await;
        }
    });
    rounds
}

impl BoughtModel {
    /// What was told before stands as long as nobody answers.
    async fn ask(&self, metrics: &Metrics) {
        let Self { capability, model, catalogue } = self;
        let asked = timeout(ANSWER_TIMEOUT, catalogue.shutdown_date()).await;
        let told = match asked {
            Ok(Ok(told)) => told,
            Ok(Err(error)) => {
                return tracing::info!(
                    "nobody tells whether {model} is shut down some day: {error:#}"
                );
            }
            Err(_) => {
                return tracing::info!(
                    "nobody tells in time whether {model} is shut down some day"
                );
            }
        };
        let date = told.as_deref().and_then(midnight_of);
        if let Some(date) = date {
            tracing::warn!("{}", self.said(date, Utc::now()));
        } else if let Some(told) = &told {
            tracing::warn!(
                told,
                "{model} ({capability}_MODEL) is shut down, and the day cannot be read"
            );
        }
        metrics.model_shuts_down(capability.stage().as_str(), model, date.map(|at| at.timestamp()));
    }

    fn said(&self, date: DateTime<Utc>, now: DateTime<Utc>) -> String {
        let Self { capability, model, .. } = self;
        let (day, days) = (date.date_naive(), (date - now).num_days());
        if date <= now {
            return format!(
                "{model} ({capability}_MODEL) was shut down on {day}; choose another model"
            );
        }
        format!(
            "{model} ({capability}_MODEL) is shut down on {day}, in {days} days; choose another model until then"
        )
    }
}

fn midnight_of(date: &str) -> Option<DateTime<Utc>> {
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    Some(date.and_time(NaiveTime::MIN).and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Says(Option<&'static str>);

    #[async_trait]
    impl Catalogue for Says {
        async fn shutdown_date(&self) -> anyhow::Result<Option<String>> {
            match self.0 {
                Some("refuses") => anyhow::bail!("no answer"),
                told => Ok(told.map(str::to_owned)),
            }
        }
    }

    fn bought(told: Option<&'static str>) -> BoughtModel {
        let catalogue = Box::new(Says(told));
        BoughtModel { capability: Capability::Tts, model: "a-voice".to_owned(), catalogue }
    }

    #[test]
    fn it_is_said_how_many_days_are_left() {
        let date = midnight_of("2027-01-06").unwrap();
        let now = midnight_of("2026-11-30").unwrap();
        let said = bought(None).said(date, now);
        assert_eq!(
            said,
            "a-voice (TTS_MODEL) is shut down on 2027-01-06, in 37 days; choose another model until then"
        );
        assert!(bought(None).said(now, date).contains("was shut down on 2026-11-30"));
    }

    #[tokio::test]
    async fn what_is_told_is_shown_until_it_is_taken_back() {
        let metrics = Metrics::new("9.9.9", "q", 1);
        let shown = |metrics: &Metrics| {
            let page = metrics.encode();
            let line = page.lines().find(|line| line.starts_with("stillcast_model_shutdown"));
            line.and_then(|line| line.rsplit_once(' ')).map(|(_, value)| value.to_owned())
        };
        let day = Some("1799193600".to_owned());
        for (told, expected) in [
            (None, None),
            (Some("2027-01-06"), day.clone()),
            (Some("refuses"), day),
            (Some("next year!"), None),
        ] {
            bought(told).ask(&metrics).await;
            assert_eq!(shown(&metrics), expected, "{told:?}");
        }
    }
}
