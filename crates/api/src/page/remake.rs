//! A dead job goes in; from which stages it may be made anew, what each may cost and how it shall sound
//! comes out as a form; and what somebody has put into that form is read.

use queue::Remake;
use serde::Deserialize;
use stillcast_enqueue::{InvalidJob, JobRecord, Options, StageName, State};

use super::words;
use crate::bulk::Dearest;
use crate::caller::Caller;
use crate::filter::Filter;
use crate::problem::Problem;
use crate::state::Api;

/// What a form offers.
pub(super) struct RemakeForm {
    pub(super) choices: Vec<Choice>,
    pub(super) voice: String,
    pub(super) language: String,
    pub(super) variant: String,
    pub(super) duration: String,
    /// The others: name, what it is called, and its value.
    pub(super) others: [(&'static str, &'static str, String); OTHERS.len()],
}

/// Options that a form shows alike, and what they are called.
const OTHERS: [(&str, &str); 10] = [
    ("bed", "Bed"),
    ("bed_level", "Bed’s level, dB"),
    ("bells", "Bells"),
    ("tail", "Tail, seconds"),
    ("stems", "Stems"),
    ("container", "Container"),
    ("aspect", "Aspect"),
    ("motion", "Motion"),
    ("lexicon", "Lexicon, as JSON"),
    ("live", "Heard while made"),
];

/// From where.
pub(super) struct Choice {
    /// A stage; nothing where it stopped.
    pub(super) from: &'static str,
    pub(super) says: String,
}

impl RemakeForm {
    /// What can be made anew of `job`; `None` when its request is gone.
    pub(super) async fn of(
        api: &Api,
        caller: &Caller,
        job: &JobRecord,
    ) -> Result<Option<Self>, Problem> {
        let Some(options) = api.inspector.options(&job.id).await? else { return Ok(None) };
        let mut dearest = Dearest::default();
        let delivered = Filter::default().in_states([State::Done]);
        let delivered = delivered.of_tenant(caller.tenant.as_ref());
        // A server that has just begun knows no price yet, and says so.
        let _ = api.mirror.visit(&delivered, |_, job| dearest.see(job)).await;
        let worth = dearest.worth(job.format);
        let [voice, language, variant, duration, others @ ..] = texts(&options);
        let mut others = others.into_iter();
        let others = OTHERS.map(|(name, says)| (name, says, others.next().unwrap_or_default()));
        let choices = std::iter::once(None).chain(StageName::ALL.into_iter().map(Some));
        let choices = choices.map(|from| Choice::of(from, worth, job.cost.spent_usd)).collect();
        Ok(Some(Self { choices, voice, language, variant, duration, others }))
    }
}

impl Choice {
    fn of(from: Option<StageName>, worth: Option<f64>, spent_usd: f64) -> Self {
        let kept = match from {
            // Nobody is paid for making and delivering the file.
            None | Some(StageName::Encode | StageName::Upload) => spent_usd,
            // What the stages before it have cost stands nowhere by itself.
            Some(_) => 0.0,
        };
        let price = worth.map_or_else(
            || "its price is not known yet".to_owned(),
            |worth| format!("up to {}", words::money((worth - kept).max(0.0))),
        );
        let where_ =
            from.map_or_else(|| "where it stopped".to_owned(), |from| format!("from {from}"));
        Self { from: from.map_or("", StageName::as_str), says: format!("{where_}: {price}") }
    }
}

/// From which stage a job is made anew, and how it shall sound; each empty where it says nothing.
#[derive(Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    from: String,
    voice: Option<String>,
    language: Option<String>,
    variant: Option<String>,
    duration: Option<String>,
    bed: Option<String>,
    bed_level: Option<String>,
    bells: Option<String>,
    tail: Option<String>,
    stems: Option<String>,
    container: Option<String>,
    aspect: Option<String>,
    motion: Option<String>,
    lexicon: Option<String>,
    live: Option<String>,
    #[serde(default)]
    why: String,
}

impl Wish {
    pub(super) fn why(&self) -> Option<&str> {
        Some(self.why.trim()).filter(|why| !why.is_empty())
    }

    /// What is to be made anew: a form sends every option, also those that nobody has touched.
    pub(super) fn remake(&self, known: &Options) -> Result<Remake, Problem> {
        let wished = [
            &self.voice,
            &self.language,
            &self.variant,
            &self.duration,
            &self.bed,
            &self.bed_level,
            &self.bells,
            &self.tail,
            &self.stems,
            &self.container,
            &self.aspect,
            &self.motion,
            &self.lexicon,
            &self.live,
        ];
        let known = texts(known);
        let all = Remake::OPTIONS.iter().zip(wished).zip(&known);
        let changed = all.filter_map(|((name, wished), known)| {
            let wished = wished.as_deref()?.trim();
            (wished != known).then_some((*name, wished))
        });
        let from = Some(self.from.as_str()).filter(|from| !from.is_empty());
        Remake::parse(from, changed).map_err(|fault| InvalidJob::from(fault).into())
    }
}

/// Options as a form shows them, in the order of [`Remake::OPTIONS`]; a default is empty.
fn texts(options: &Options) -> [String; Remake::OPTIONS.len()] {
    let Options { voice, language, variant, duration, bed, bed_level, bells, tail, .. } = options;
    let Options { stems, container, aspect, motion, lexicon, live, .. } = options;
    [
        text(voice.as_ref()),
        text(language.as_ref()),
        text(Some(variant).filter(|variant| **variant != 0)),
        text(duration.as_ref()),
        text(Some(bed).filter(|bed| !bed.is_none())),
        text(bed_level.as_ref()),
        text(Some(bells).filter(|bells| **bells)),
        text(Some(tail).filter(|tail| **tail != 0)),
        text(Some(stems).filter(|stems| **stems)),
        text(container.as_ref()),
        text(Some(aspect).filter(|aspect| !aspect.is_default())),
        text(Some(motion).filter(|motion| **motion)),
        text(Some(lexicon).filter(|lexicon| !lexicon.is_empty())),
        text(Some(live).filter(|live| **live)),
    ]
}

fn text(value: Option<&impl ToString>) -> String {
    value.map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_somebody_has_touched_is_changed() {
        let known: Options = serde_json::from_str(r#"{"voice": "slt", "variant": 2}"#).unwrap();
        let read = |form: &str| {
            let wish: Wish = serde_json::from_str(form).unwrap();
            wish.remake(&known).map(|remake| remake.to_string()).map_err(|problem| problem.detail)
        };
        let untouched = r#"{"from": "tts", "voice": "slt", "language": "", "variant": "2"}"#;
        assert_eq!(read(untouched), Ok("from tts".to_owned()));
        let touched = r#"{"from": "", "voice": " anna ", "language": "", "variant": ""}"#;
        assert_eq!(read(touched), Ok("from collection, variant unset, voice=anna".to_owned()));
        assert!(read(r#"{"from": "lunch"}"#).unwrap_err().contains("`from` takes a stage"));
    }

    #[test]
    fn what_is_kept_lowers_the_price_only_where_it_is_known_to_be_kept() {
        let says = |from| Choice::of(from, Some(0.05), 0.04).says;
        assert_eq!(says(None), "where it stopped: up to $0.01");
        assert_eq!(says(Some(StageName::Tts)), "from tts: up to $0.05");
        assert_eq!(says(Some(StageName::Upload)), "from upload: up to $0.01");
        assert!(Choice::of(None, None, 0.0).says.contains("not known yet"));
    }
}
