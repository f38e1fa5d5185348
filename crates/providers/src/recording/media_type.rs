//! A `Content-Type` with its parameters goes in; how raw samples would lie under it comes out.

use pipeline::sound;

use super::fault::Fault;
use super::layout::{Coding, Layout};

/// Rates that voices have, in samples a second.
pub(super) const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;
/// The most channels that anything is mixed from.
pub(super) const MAX_CHANNELS: u16 = 8;

const CONTRADICTS: Fault =
    Fault::Format("the answer's Content-Type names a rate or channels that no voice has");

/// A media type, in small letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MediaType {
    essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads a header's value, of which any may be nonsense.
    #[cfg(any(test, feature = "openai"))]
    pub(crate) fn parse(value: &str) -> Self {
        let mut parts = value.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let parameter = |part: &str| {
            let (name, value) = part.split_once('=')?;
            let value = value.trim().trim_matches('"');
            Some((name.trim().to_ascii_lowercase(), value.to_ascii_lowercase()))
        };
        Self { essence, parameters: parts.filter_map(parameter).collect() }
    }

    /// Whether it says that the answer is text.
    #[cfg(feature = "openai")]
    pub(crate) fn is_text(&self) -> bool {
        self.essence.starts_with("text/") || self.essence.ends_with("json")
    }

    /// The layouts of raw samples that it may mean, the likeliest first. A rate or a number of
    /// channels that no sound has contradicts itself.
    pub(super) fn layouts(&self) -> Result<Vec<Layout>, Fault> {
        let (coding, rate, big_endian) = match self.essence.as_str() {
            "audio/l8" => (Coding::S8, sound::RATE, false),
            "audio/l16" => (Coding::S16, sound::RATE, true),
            "audio/l24" => (Coding::S24, sound::RATE, true),
            "audio/basic" | "audio/pcmu" | "audio/x-mulaw" => (Coding::MuLaw, 8_000, false),
            "audio/pcma" | "audio/x-alaw" => (Coding::ALaw, 8_000, false),
            _ => (Coding::S16, sound::RATE, false),
        };
        let rate = self.number(&["rate", "sample_rate", "samplerate", "sample-rate"], rate)?;
        let channels = self.number(&["channels", "channel", "ch"], 1_u16)?;
        if !RATES.contains(&rate) || !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(CONTRADICTS);
        }
        let coding = self.coding(coding)?;
        let big_endian = self.order().unwrap_or(big_endian);
        let layout = Layout { coding, big_endian, rate, channels };
        // RFC 2586 says that the first byte weighs most; whole vendors do it the other way round.
        let other = layout.big_endian.then_some(Layout { big_endian: false, ..layout });
        Ok([Some(layout), other].into_iter().flatten().collect())
    }

    fn get(&self, names: &[&str]) -> Option<&str> {
        let named = |(name, _): &&(String, String)| names.contains(&name.as_str());
        self.parameters.iter().find(named).map(|(_, value)| value.as_str())
    }

    fn number<N: std::str::FromStr>(&self, names: &[&str], default: N) -> Result<N, Fault> {
        self.get(names).map_or(Ok(default), |value| value.parse().map_err(|_| CONTRADICTS))
    }

    /// What the parameters say of a sample; words that nobody knows say nothing.
    fn coding(&self, named: Coding) -> Result<Coding, Fault> {
        let spelled = self.get(&["encoding", "format", "codec", "codecs"]).unwrap_or_default();
        let words = [
            ("f32", Coding::F32),
            ("float32", Coding::F32),
            ("f64", Coding::F64),
            ("s32", Coding::S32),
            ("s24", Coding::S24),
            ("s16", Coding::S16),
            ("u8", Coding::U8),
            ("s8", Coding::S8),
            ("mulaw", Coding::MuLaw),
            ("ulaw", Coding::MuLaw),
            ("alaw", Coding::ALaw),
        ];
        let known = words.into_iter().find(|(word, _)| spelled.contains(word));
        let coding = known.map_or(named, |(_, coding)| coding);
        let bits = ["bits", "bitdepth", "bit_depth", "bits_per_sample", "width"];
        match (coding, self.number(&bits, 0_u8)?) {
            (coding, 0) => Ok(coding),
            (coding, bits) if usize::from(bits) == coding.width() * 8 => Ok(coding),
            (_, 8) => Ok(Coding::S8),
            (_, 16) => Ok(Coding::S16),
            (_, 24) => Ok(Coding::S24),
            (_, 32) => Ok(Coding::S32),
            _ => Err(CONTRADICTS),
        }
    }

    fn order(&self) -> Option<bool> {
        let spelled = self.get(&["endian", "endianness", "byteorder", "byte_order"]);
        let coded = self.get(&["encoding", "format", "codec", "codecs"]);
        match (spelled, coded) {
            (Some(order), _) => Some(order.starts_with("big")),
            (None, Some(coded)) if coded.ends_with("be") => Some(true),
            (None, Some(coded)) if coded.ends_with("le") => Some(false),
            _ => None,
        }
    }
}
