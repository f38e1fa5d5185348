//! Arguments of the command line go in; the source and the job that they describe come out.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use settings::Environment;
use stillcast_enqueue::{
    Aspect, Bed, Container, Format, Identifier, InvalidField, Job, Lexicon, Options, Source,
    TraceParent,
};

use crate::cli_error::CliError;
use crate::render::Screen;
use crate::{duration, input};

/// The variable by which a process hands its trace on to those that it starts.
const TRACEPARENT: &str = "TRACEPARENT";

/// The text of a file, or a conversation by its identifier.
#[derive(clap::Args)]
#[group(multiple = false)]
pub(crate) struct SourceArgs {
    /// The text, at most 16 KiB: a file, or - for stdin.
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// A conversation in the workers' `DATABASE_URL`, by its UUID.
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,
}

impl SourceArgs {
    /// What a request is about; `None` when neither was named.
    pub(crate) fn source(&self, screen: &Screen) -> anyhow::Result<Option<Source>> {
        match (&self.text, &self.conversation) {
            (Some(path), _) => Ok(Some(Source::Text(input::read_text(path, screen)?))),
            (None, Some(id)) => {
                let named = Source::conversation(id);
                named.map(Some).map_err(|error| CliError::usage(error.to_string()))
            }
            (None, None) => Ok(None),
        }
    }
}

/// A part of the trace that this process was given, unless the request names another one. What is no
/// trace context is left alone, as the W3C has it.
pub(crate) fn traced(job: Job, environment: &Environment) -> Job {
    let given = environment.get(TRACEPARENT).and_then(|text| text.to_str());
    let given = given.and_then(|text| TraceParent::parse(text).ok());
    Job { traceparent: job.traceparent.or(given), ..job }
}

/// How the file shall be, and whose it is.
#[derive(clap::Args)]
#[group(multiple = true)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct OptionArgs {
    /// A voice of the speech provider.
    #[arg(long, value_name = "NAME")]
    voice: Option<String>,
    /// The language of the words, such as en or pt-BR; a provider that knows it is needed.
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// Another number asks for another file of the same text.
    #[arg(long, value_name = "NUMBER")]
    variant: Option<u32>,
    /// How long the file shall be, such as 10m or 600s, three minutes to an hour; to half a second.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    duration: Option<Duration>,
    /// What lies under the voice: rain, brown-noise, drone, sea or singing-bowls.
    #[arg(long, value_name = "BED")]
    bed: Option<String>,
    /// How loud it is where the voice rests, in dB beside the voice, -40 to -8; -14 when not given.
    #[arg(long, value_name = "DB", allow_negative_numbers = true)]
    bed_level: Option<i8>,
    /// A bell at the beginning and at the end.
    #[arg(long)]
    bells: bool,
    /// How long the bed goes on behind the last word, such as 5m; at most half an hour.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    tail: Option<Duration>,
    /// Voice and bed apart, too.
    #[arg(long)]
    stems: bool,
    /// What the file is packed as: m4a, mp3, opus, wav or flac for audio, mp4 or mp4-social for video; m4a
    /// and mp4 when not given.
    #[arg(long, value_name = "CONTAINER")]
    container: Option<String>,
    /// How wide the picture of a video is beside its height: 16:9, 9:16 or 1:1; 16:9 when not given.
    #[arg(long, value_name = "WIDTH:HEIGHT")]
    aspect: Option<String>,
    /// The picture of a video slowly breathes.
    #[arg(long)]
    motion: bool,
    /// How a word is said, such as Qigong="chee gung", or Nguyen=/ŋwiən/ where the voice knows IPA; as often
    /// as there are words.
    #[arg(long, value_name = "WORD=SAID", value_parser = said)]
    say: Vec<(String, String)>,
    /// The sound can be heard while it is made: `job show` says where.
    #[arg(long)]
    live: bool,
    /// Whose job it is, and whose conversation; default when not given.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

fn said(text: &str) -> Result<(String, String), String> {
    let (word, said) = text.split_once('=').ok_or("it takes WORD=SAID, such as Nguyen=win")?;
    Ok((word.to_owned(), said.to_owned()))
}

impl OptionArgs {
    /// A job with these options.
    pub(crate) fn job(&self, source: Source, format: Format) -> anyhow::Result<Job> {
        let named = |field, text: &Option<String>| {
            let parsed = text.as_deref().map(|text| Identifier::parse(field, text)).transpose();
            parsed.map_err(|error| CliError::usage(error.to_string()))
        };
        let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        let options = Options {
            voice: named("voice", &self.voice)?,
            language: named("language", &self.language)?,
            variant: self.variant.unwrap_or(0),
            duration: self.duration.map(seconds),
            bed: read::<Bed>(self.bed.as_deref())?.unwrap_or_default(),
            bed_level: self.bed_level,
            bells: self.bells,
            tail: self.tail.map_or(0, seconds),
            stems: self.stems,
            container: read::<Container>(self.container.as_deref())?,
            aspect: read::<Aspect>(self.aspect.as_deref())?.unwrap_or_default(),
            motion: self.motion,
            lexicon: Lexicon::new(self.say.iter().cloned()),
            live: self.live,
        };
        let job = Job::new(source, format).with_options(options);
        Ok(Job { tenant: self.tenant.clone().unwrap_or(job.tenant), ..job })
    }
}

/// A word of the contract.
fn read<W: FromStr<Err = InvalidField>>(text: Option<&str>) -> anyhow::Result<Option<W>> {
    let read = text.map(str::parse).transpose();
    read.map_err(|error: InvalidField| CliError::usage(error.to_string()))
}
