//! Who looks, and at which page, goes in; what stands around every page comes out.

use std::convert::Infallible;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use chrono::{DateTime, Utc};
use queue::QueueStats;

use super::assets::Assets;
use super::lookout::Proof;
use super::words;
use crate::caller::{Caller, Right};
use crate::problem::{Code, Problem};
use crate::session;
use crate::state::Api;

/// The cookie that keeps light or dark.
pub(super) const THEME: &str = "stillcast_theme";

/// A page of the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Here {
    Overview,
    Jobs,
    Dead,
    Stages,
    Queue,
    Audit,
}

impl Here {
    const ALL: [Self; 6] =
        [Self::Overview, Self::Jobs, Self::Dead, Self::Stages, Self::Queue, Self::Audit];

    /// Word, path, and the letter that follows `g`.
    fn entry(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Overview => ("Overview", "/", "o"),
            Self::Jobs => ("Jobs", "/jobs", "j"),
            Self::Dead => ("Dead letters", "/dead", "d"),
            Self::Stages => ("Stages", "/stages", "s"),
            Self::Queue => ("Queue", "/queue", "q"),
            Self::Audit => ("Audit", "/audit", "a"),
        }
    }
}

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self::parse(session::cookie(headers, THEME).unwrap_or_default())
    }

    pub(super) fn parse(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The word in the cookie and in the document.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The one that the switch leads to.
    fn next(self) -> Self {
        match self {
            Self::System => Self::Dark,
            Self::Dark => Self::Light,
            Self::Light => Self::System,
        }
    }
}

/// Who looks at a page.
pub(super) struct Viewer {
    pub(super) caller: Caller,
    theme: Theme,
    /// Where they are, to come back to.
    path: String,
}

impl FromRequestParts<Api> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, api).await?;
        caller.may(Right::Read)?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { caller, theme: Theme::of(&parts.headers), path })
    }
}

/// Whoever only wants to know what the page looks like: before anybody has logged in.
pub(super) struct Stranger(pub(super) Theme);

impl FromRequestParts<Api> for Stranger {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Infallible> {
        Ok(Self(Theme::of(&parts.headers)))
    }
}

/// What stands around a page.
pub(super) struct Shell {
    pub(super) assets: Assets,
    pub(super) theme: &'static str,
    pub(super) next_theme: &'static str,
    /// Where the theme's switch comes back to.
    pub(super) path: String,
    /// `None` where nobody is logged in.
    pub(super) bar: Option<Bar>,
}

/// The bar at the top.
pub(super) struct Bar {
    pub(super) queue: String,
    pub(super) paused: bool,
    pub(super) menu: Vec<Entry>,
    pub(super) name: String,
    /// Whether there are tokens, and so somebody to log out.
    pub(super) has_session: bool,
    pub(super) light: Light,
}

/// An entry of the menu.
pub(super) struct Entry {
    pub(super) word: &'static str,
    pub(super) path: &'static str,
    pub(super) key: &'static str,
    pub(super) is_here: bool,
    /// How many things wait there for somebody.
    pub(super) count: Option<String>,
}

/// Whether the queue keeps its promises, as a light.
pub(super) struct Light {
    pub(super) class: &'static str,
    pub(super) says: String,
    pub(super) detail: String,
}

impl Shell {
    pub(super) fn bare(assets: &Assets, theme: Theme, path: String) -> Self {
        let (theme, next_theme) = (theme.as_str(), theme.next().as_str());
        Self { assets: assets.clone(), theme, next_theme, path, bar: None }
    }

    /// What stands around the page `here`, and the queue's numbers of this moment.
    pub(super) async fn of(
        api: &Api,
        viewer: &Viewer,
        here: Here,
    ) -> Result<(Self, QueueStats), Problem> {
        let stats = api.inspector.stats().await?;
        let menu = Here::ALL.into_iter().filter(|entry| is_open(&viewer.caller, *entry));
        let entry = |entry: Here| {
            let (word, path, key) = entry.entry();
            let dead = Some(stats.states.dead).filter(|dead| entry == Here::Dead && *dead > 0);
            Entry { word, path, key, is_here: entry == here, count: dead.map(words::count) }
        };
        let bar = Bar {
            queue: stats.queue.clone(),
            paused: stats.paused,
            menu: menu.map(entry).collect(),
            name: viewer.caller.name.clone(),
            has_session: !api.tokens.is_empty(),
            light: Light::of(&api.lookout.proof(), stats.at),
        };
        let bare = Self::bare(&api.assets, viewer.theme, viewer.path.clone());
        Ok((Self { bar: Some(bar), ..bare }, stats))
    }
}

/// Whoever may only look has no use for a page on which nothing may be seen.
fn is_open(caller: &Caller, entry: Here) -> bool {
    entry != Here::Audit || caller.may(Right::Mend).is_ok()
}

impl Light {
    fn of(proof: &Proof, now: DateTime<Utc>) -> Self {
        let (class, says, detail) = match proof {
            Proof::None => ("", "not proven yet".to_owned(), "Nobody has looked yet.".to_owned()),
            Proof::Failed { at } => {
                let when = words::ago(*at, now);
                ("warn", "not proven".to_owned(), format!("The last look, {when}, was cut off."))
            }
            Proof::Looked { at, found } if found.violations.is_empty() => {
                let (when, jobs) = (words::ago(*at, now), words::jobs(found.jobs as u64));
                (
                    "good",
                    "sound".to_owned(),
                    format!("Looked at {jobs} {when}: every promise is kept."),
                )
            }
            Proof::Looked { at, found } => {
                let (when, broken) = (words::ago(*at, now), found.violations.len());
                let says = format!("{broken} broken");
                ("bad", says, format!("Looked {when}: {broken} promises are broken."))
            }
        };
        Self { class, says, detail }
    }
}

/// A template becomes an answer.
pub(super) fn html(page: &impl Template) -> Result<Response, Problem> {
    let text = page.render().map_err(|error| {
        tracing::error!("a page could not be written: {error}");
        Problem::new(Code::Internal, Code::Internal.title())
    })?;
    Ok(Html(text).into_response())
}
