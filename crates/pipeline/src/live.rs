//! The parts of a sound that is heard while it is made, by their names, go in; the playlist for players
//! comes out (HLS, RFC 8216, of fragmented MPEG-4).
//!
//! Each part is written once and never changed, and a list is nothing but the parts that lie there: it can
//! only grow, whoever writes, and a second attempt that makes the same sound goes on where the first one died.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use bytes::Bytes;
use stillcast_enqueue::JobId;

use crate::sound::RATE;
use crate::{InvalidKey, ObjectKey};

/// The playlist's own name.
pub const LIVE_LIST: &str = "index.m3u8";
/// Samples of each whole part: 94 frames of AAC, four seconds and a bit.
pub const LIVE_SAMPLES: u32 = 94 * 1024;
/// What precedes the first sample.
const HEAD: &str = "init.mp4";
/// More parts than an hour and its tail have.
const MAX_PARTS: u32 = 10_000;

/// What an encoder gives out while it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// What a player needs before the first sound.
    Head(Bytes),
    /// Sound: [`LIVE_SAMPLES`], fewer at the end.
    Sound {
        /// As it is played.
        bytes: Bytes,
        /// How many of its track's samples.
        samples: u32,
    },
}

/// A part of a live sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LivePart {
    /// What precedes the first sample.
    Head,
    /// A whole part, by its place from 0 on.
    Whole(u32),
    /// The last one, by its place and its samples; one without samples says only that nothing follows.
    Last(u32, u32),
}

impl LivePart {
    /// What it is called in its folder.
    pub fn name(self) -> String {
        match self {
            Self::Head => HEAD.to_owned(),
            Self::Whole(place) => format!("part-{place:05}.m4s"),
            Self::Last(place, samples) => format!("last-{place:05}-{samples}.m4s"),
        }
    }

    /// The part that is called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        if name == HEAD {
            return Some(Self::Head);
        }
        let (kind, numbers) = name.strip_suffix(".m4s")?.split_once('-')?;
        let part = match (kind, numbers.split_once('-')) {
            ("part", None) => Self::Whole(numbers.parse().ok()?),
            ("last", Some((place, samples))) => {
                Self::Last(place.parse().ok()?, samples.parse().ok()?)
            }
            _ => return None,
        };
        (part.name() == name).then_some(part)
    }
}

/// The folder of all that can be heard of a job while it is made. Each making of it has a folder in there.
pub fn live_folder(tenant: &str, job: &JobId) -> Result<ObjectKey, InvalidKey> {
    ObjectKey::media(tenant, job)?.join("live")
}

/// What there is to be heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveList {
    wholes: u32,
    /// Samples of the last part, once there is one.
    last: Option<u32>,
}

impl LiveList {
    /// What is to be heard of these parts: as far as none is missing; `None` before the first sound.
    pub fn of(parts: impl IntoIterator<Item = LivePart>) -> Option<Self> {
        let parts: BTreeSet<LivePart> = parts.into_iter().collect();
        let is_there = |place: &u32| parts.contains(&LivePart::Whole(*place));
        let wholes = u32::try_from((0..MAX_PARTS).take_while(is_there).count()).ok()?;
        let lasts = parts.range(LivePart::Last(wholes, 0)..=LivePart::Last(wholes, u32::MAX));
        let last = lasts.into_iter().find_map(|part| match part {
            LivePart::Last(_, samples) => Some(*samples),
            _ => None,
        });
        let is_heard = parts.contains(&LivePart::Head) && (wholes > 0 || last.is_some());
        is_heard.then_some(Self { wholes, last })
    }

    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        self.last.is_some()
    }

    /// The playlist, of parts that lie below `base`, such as `making/`. It has an end when all of it is
    /// there, and when its job `has_ended`: nobody adds anything any more.
    pub fn render(&self, base: &str, has_ended: bool) -> String {
        let longest = LIVE_SAMPLES.div_ceil(RATE);
        let mut list = format!(
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{longest}\n#EXT-X-MEDIA-SEQUENCE:0\n\
             #EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEPENDENT-SEGMENTS\n\
             #EXT-X-START:TIME-OFFSET=0,PRECISE=YES\n#EXT-X-MAP:URI=\"{base}{HEAD}\"\n"
        );
        let wholes = (0..self.wholes).map(|place| (LivePart::Whole(place), LIVE_SAMPLES));
        let last = self.last.filter(|samples| *samples > 0);
        let last = last.map(|samples| (LivePart::Last(self.wholes, samples), samples));
        for (part, samples) in wholes.chain(last) {
            let seconds = f64::from(samples) / f64::from(RATE);
            // A string takes everything.
            let _ = write!(list, "#EXTINF:{seconds:.6},\n{base}{}\n", part.name());
        }
        if has_ended || self.is_whole() {
            list.push_str("#EXT-X-ENDLIST\n");
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_its_name_says_and_nothing_else() {
        for part in [LivePart::Head, LivePart::Whole(7), LivePart::Last(12, 0)] {
            assert_eq!(LivePart::parse(&part.name()), Some(part));
        }
        for name in ["", "index.m3u8", "part-7.m4s", "part-00007", "last-00007.m4s", "../init.mp4"]
        {
            assert_eq!(LivePart::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_list_reaches_as_far_as_no_part_is_missing_and_only_grows() {
        use LivePart::{Head, Last, Whole};
        assert_eq!(LiveList::of([Whole(0)]), None, "no player could begin");
        assert_eq!(LiveList::of([Head]), None, "there is nothing to be heard");
        let mut before = String::new();
        let all = [Whole(0), Whole(2), Whole(1), Last(3, 5_000)];
        for count in 1..=all.len() {
            let parts = all.iter().take(count).copied().chain([Head]);
            let list = LiveList::of(parts).unwrap().render("a/", false);
            assert!(list.starts_with(&before), "{before}\n{list}");
            before = list;
        }
        assert_eq!(before.matches("#EXTINF:4.010667,\na/part-").count(), 3, "{before}");
        assert!(before.ends_with("#EXTINF:0.208333,\na/last-00003-5000.m4s\n#EXT-X-ENDLIST\n"));
    }

    #[test]
    fn a_list_whose_job_has_ended_has_an_end_and_no_empty_part() {
        let open = LiveList::of([LivePart::Head, LivePart::Whole(0)]).unwrap();
        assert!(!open.render("", false).contains("ENDLIST"));
        assert!(open.render("", true).ends_with("part-00000.m4s\n#EXT-X-ENDLIST\n"));
        let even = LiveList::of([LivePart::Head, LivePart::Whole(0), LivePart::Last(1, 0)]);
        assert!(even.unwrap().render("", false).ends_with("part-00000.m4s\n#EXT-X-ENDLIST\n"));
    }
}
