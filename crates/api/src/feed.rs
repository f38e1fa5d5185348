//! A tenant's finished jobs go in; a podcast of them comes out: RSS 2.0 with the tags that podcast apps read.

use std::collections::BTreeMap;

use axum::http::Uri;
use chrono::{DateTime, Utc};
use queue::{Inspector, QueueError};
use rss::extension::itunes::{ITunesChannelExtension, ITunesItemExtension};
use rss::extension::{Extension, ExtensionMap};
use rss::{Channel, Enclosure, Guid, Item};
use stillcast_enqueue::{Artifact, JobRecord, State};

/// Episodes of a feed where nobody says how many, and at most.
pub const FEED_EPISODES: usize = 100;
/// The most of them.
pub const MAX_FEED_EPISODES: usize = 500;
/// Records that one feed looks at: those of other tenants are passed over.
const LOOKED_AT: usize = 5_000;
/// What an episode is called where its job's metadata says no `title`.
const TITLE: &str = "Guided meditation";
/// Tags that RSS does not have itself.
const NAMESPACES: [(&str, &str); 3] = [
    ("atom", "http://www.w3.org/2005/Atom"),
    ("itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
    ("podcast", "https://podcastindex.org/namespace/1.0"),
];

/// Whose feed it is, and where podcast apps reach the API.
#[derive(Clone, Debug)]
pub struct FeedOf<'feed> {
    /// The tenant.
    pub tenant: &'feed str,
    /// Such as `https://api.example.org`.
    pub base: &'feed str,
    /// At most so many of the newest episodes, up to [`MAX_FEED_EPISODES`].
    pub limit: usize,
}

/// Whether `text` is an address at which an API can be reached: a scheme, a host, and nothing more.
pub fn is_base(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let is_bare = uri.authority().is_some_and(|host| !host.as_str().contains('@'));
    is_web && is_bare && matches!(uri.path(), "" | "/") && uri.query().is_none()
}

/// The feed of a tenant's jobs that are done, from the newest.
pub async fn feed(inspector: &Inspector, of: &FeedOf<'_>) -> Result<String, QueueError> {
    let (mut jobs, mut cursor, mut looked_at) = (Vec::new(), None, 0);
    let limit = of.limit.min(MAX_FEED_EPISODES);
    while jobs.len() < limit && looked_at < LOOKED_AT {
        let page = inspector.list(Some(State::Done), MAX_FEED_EPISODES, cursor.as_ref()).await?;
        looked_at += MAX_FEED_EPISODES;
        jobs.extend(page.jobs.into_iter().filter(|job| job.tenant == of.tenant));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    jobs.truncate(limit);
    Ok(write(of, &jobs))
}

fn write(of: &FeedOf<'_>, jobs: &[JobRecord]) -> String {
    let base = of.base.trim_end_matches('/');
    let address = format!("{base}/v1/feeds/{}.xml", of.tenant);
    let itself = element(
        "atom:link",
        None,
        &[("href", &address), ("rel", "self"), ("type", "application/rss+xml")],
    );
    let medium = element("podcast:medium", Some("podcast"), &[]);
    let locked = element("podcast:locked", Some("yes"), &[]);
    let newest = jobs.iter().filter_map(|job| job.finished_at).max();
    Channel {
        title: format!("Meditations of {}", of.tenant),
        link: format!("{base}/"),
        description: format!("Guided meditations of {}, made by a machine.", of.tenant),
        generator: Some("Stillcast".to_owned()),
        docs: Some("https://www.rssboard.org/rss-specification".to_owned()),
        last_build_date: newest.map(date),
        items: jobs.iter().filter_map(|job| episode(base, job)).collect(),
        extensions: extensions([itself, locked, medium]),
        itunes_ext: Some(ITunesChannelExtension {
            author: Some(of.tenant.to_owned()),
            explicit: Some("false".to_owned()),
            r#type: Some("episodic".to_owned()),
            ..ITunesChannelExtension::default()
        }),
        namespaces: NAMESPACES.map(|(name, uri)| (name.to_owned(), uri.to_owned())).into(),
        ..Channel::default()
    }
    .to_string()
}

/// `None` where there is no file any more, or nobody knows since when.
fn episode(base: &str, job: &JobRecord) -> Option<Item> {
    let (artifact, finished_at) = (job.artifact.as_ref()?, job.finished_at?);
    let said = |key: &str| job.metadata.get(key).map(|text| readable(text));
    let title = said("title").filter(|title| !title.trim().is_empty());
    let title = title.unwrap_or_else(|| TITLE.to_owned());
    let minutes = (artifact.duration_s / 60.0).round().max(1.0);
    let about = || format!("A guided meditation of {minutes} minutes, made by a machine.");
    let extra = |name: &str| {
        let is_there = job.extras.contains_key(name);
        is_there.then(|| format!("{base}/v1/jobs/{}/extras/{name}", job.id))
    };
    let words = ["captions.vtt", "captions.srt"].into_iter().filter_map(|name| {
        let kind = if name.ends_with("vtt") { "text/vtt" } else { "application/x-subrip" };
        Some(element("podcast:transcript", None, &[("url", &extra(name)?), ("type", kind)]))
    });
    Some(Item {
        title: Some(title),
        description: Some(said("description").unwrap_or_else(about)),
        enclosure: Some(Enclosure {
            url: address(base, &job.id, artifact),
            length: artifact.bytes.to_string(),
            mime_type: artifact.content_type.clone(),
        }),
        guid: Some(Guid { value: job.id.clone(), permalink: false }),
        pub_date: Some(date(finished_at)),
        extensions: extensions(words),
        itunes_ext: Some(ITunesItemExtension {
            duration: Some(artifact.duration_s.round().to_string()),
            explicit: Some("false".to_owned()),
            image: extra("cover.jpg"),
            episode_type: Some("full".to_owned()),
            ..ITunesItemExtension::default()
        }),
        ..Item::default()
    })
}

/// A public address as it is; anything else through the API, since it may be of one host, or work for a time.
fn address(base: &str, id: &str, artifact: &Artifact) -> String {
    let is_public = artifact.url.starts_with("http") && !artifact.url.contains('?');
    if is_public { artifact.url.clone() } else { format!("{base}/v1/jobs/{id}/artifact") }
}

fn date(time: DateTime<Utc>) -> String {
    time.to_rfc2822()
}

/// Without the characters that XML has no place for: metadata are anybody's.
fn readable(text: &str) -> String {
    let is_xml = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    spaced.filter(is_xml).collect()
}

fn element(name: &str, value: Option<&str>, attributes: &[(&str, &str)]) -> Extension {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Extension {
        name: name.to_owned(),
        value: value.map(str::to_owned),
        attrs: attributes.iter().map(owned).collect(),
        children: BTreeMap::new(),
    }
}

/// By prefix and name, as their writer wants them.
fn extensions(elements: impl IntoIterator<Item = Extension>) -> ExtensionMap {
    let mut map = ExtensionMap::new();
    for element in elements {
        let Some((prefix, name)) = element.name.split_once(':') else { continue };
        let (prefix, name) = (prefix.to_owned(), name.to_owned());
        map.entry(prefix).or_default().entry(name).or_default().push(element);
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_an_api_is_a_scheme_and_a_host() {
        for base in ["http://localhost:8090", "https://api.example.org", "https://api.example.org/"]
        {
            assert!(is_base(base), "{base}");
        }
        for other in [
            "",
            "api.example.org",
            "ftp://a.example",
            "https://u:p@a.example",
            "https://a.example/b",
            "https://a.example?q",
            "https:///",
            "https://a b",
        ] {
            assert!(!is_base(other), "{other}");
        }
    }

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        assert_eq!(readable("A\u{0} <b>\u{1b}[0m\ncalm\u{ffff} day"), "A <b>[0m calm day");
    }
}
