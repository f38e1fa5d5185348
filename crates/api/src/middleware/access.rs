//! Who asks, and how often they may: a bearer of a token, or somebody at this machine.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::caller::Caller;
use crate::problem::{Code, Problem};
use crate::state::Api;

/// The other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Finds out who asks, counts the request, and lets it on.
pub(crate) async fn authenticate(
    State(api): State<Api>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = match caller(&api, &request) {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let counted = api.rate_limit.as_ref().map(|limit| limit.count(&caller.name));
    let (left, verdict) = counted.map_or((None, Ok(())), |(left, verdict)| (Some(left), verdict));
    request.extensions_mut().insert(caller);
    let mut response = match verdict {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    if let Some(left) = left {
        left.tell(response.headers_mut());
    }
    response
}

fn caller(api: &Api, request: &Request) -> Result<Caller, Problem> {
    if !api.tokens.is_empty() {
        let unknown = "the token is none of those that are known here";
        let unknown = || Problem::new(Code::Unauthorized, unknown);
        if let Some((name, token)) = basic(request) {
            let known = api.tokens.caller(&token).filter(|caller| caller.name == name);
            return known.ok_or_else(unknown);
        }
        let token = bearer(request.headers()).ok_or_else(|| {
            Problem::new(Code::Unauthorized, "the request has no header `Authorization: Bearer …`")
        })?;
        return api.tokens.caller(token).ok_or_else(unknown);
    }
    at_this_machine(request)
}

/// Whether players and podcast apps fetch what is at this path: they know names and passwords, and no other
/// header. A browser that has been told them sends them by itself, so that nothing is changed there.
pub(super) fn is_for_players(path: &str) -> bool {
    let of_job = |rest: &str| {
        let (_, what) = rest.split_once('/').unwrap_or_default();
        what == "artifact" || what.starts_with("extras/") || what.starts_with("live/")
    };
    path.starts_with("/v1/feeds/") || path.strip_prefix("/v1/jobs/").is_some_and(of_job)
}

/// The name and the token that a player sends as a password.
fn basic(request: &Request) -> Option<(String, String)> {
    if !is_for_players(request.uri().path()) || !request.method().is_safe() {
        return None;
    }
    let (scheme, text) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let text =
        scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(text.trim()).ok())??;
    let text = String::from_utf8(text).ok()?;
    let (name, token) = text.split_once(':')?;
    Some((name.to_owned(), token.to_owned()))
}

/// Whoever sits at this machine, while there are no tokens.
pub(crate) fn at_this_machine(request: &Request) -> Result<Caller, Problem> {
    let is_near =
        request.extensions().get::<Peer>().is_some_and(|Peer(peer)| peer.ip().is_loopback());
    if !is_near {
        return Err(Problem::new(Code::OriginRefused, "the request comes from another machine"));
    }
    if !host(request).is_some_and(is_this_machine) {
        let why = "the header `Host` names another machine than localhost";
        return Err(Problem::new(Code::OriginRefused, why));
    }
    check_site(request)?;
    Ok(Caller::at_this_machine())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A page of another site runs in a browser on this machine, and a name of another site may lead
/// here: browsers tell so in their headers.
pub(crate) fn check_site(request: &Request) -> Result<(), Problem> {
    let refuse = |why: &str| Err(Problem::new(Code::OriginRefused, why));
    let is_own = |origin: &str| {
        let uri: Option<Uri> = origin.parse().ok();
        let own = uri.and_then(|uri| uri.authority().cloned());
        own.is_some_and(|own| Some(own.as_str()) == host(request))
    };
    if !text(request, ORIGIN.as_str()).is_none_or(is_own) {
        return refuse("the header `Origin` names a page of another site");
    }
    // Browsers send it with every request, and pages cannot change it.
    let site = text(request, "sec-fetch-site");
    if !site.is_none_or(|site| matches!(site, "same-origin" | "none")) {
        return refuse("a page of another site has sent the request");
    }
    Ok(())
}

pub(crate) fn host(request: &Request) -> Option<&str> {
    text(request, HOST.as_str()).or_else(|| request.uri().authority().map(Authority::as_str))
}

fn text<'request>(request: &'request Request, name: &str) -> Option<&'request str> {
    request.headers().get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// `localhost` or an address of this machine, with or without a port.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let is_loopback = |address: std::net::IpAddr| address.is_loopback();
    name.eq_ignore_ascii_case("localhost")
        || name.trim_matches(['[', ']']).parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_fetch_what_was_made_and_nothing_else() {
        for path in ["/v1/feeds/acme.xml", "/v1/jobs/a/artifact", "/v1/jobs/a/live/index.m3u8"] {
            assert!(is_for_players(path), "{path}");
        }
        for path in ["/v1/jobs", "/v1/jobs/a", "/v1/jobs/a/cancel", "/v1/jobs/artifact", "/metrics"]
        {
            assert!(!is_for_players(path), "{path}");
        }
    }

    #[test]
    fn names_of_this_machine_are_known_by_their_whole() {
        for host in
            ["localhost", "LOCALHOST:8090", "127.0.0.1:1", "127.9.9.9", "[::1]:8090", "[::1]"]
        {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "localhost:80@evil.example",
            "10.0.0.1:8090",
            "0.0.0.0",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }

    #[test]
    fn pages_of_other_sites_and_their_names_are_refused() {
        let request = |pairs: &[(&str, &str)]| {
            let request = pairs
                .iter()
                .fold(Request::builder().uri("/v1/jobs"), |request, (n, v)| request.header(*n, *v));
            request.body(axum::body::Body::empty()).unwrap()
        };
        for (pairs, is_fine) in [
            (&[("host", "localhost:8090")][..], true),
            (&[("host", "localhost:8090"), ("origin", "http://localhost:8090")], true),
            (&[("host", "localhost:8090"), ("sec-fetch-site", "same-origin")], true),
            (&[("host", "localhost:8090"), ("sec-fetch-site", "none")], true),
            (&[], false),
            (&[("host", "evil.example")], false),
            (&[("host", "localhost:8090"), ("origin", "http://evil.example")], false),
            (&[("host", "localhost:8090"), ("origin", "http://localhost:3000")], false),
            (&[("host", "localhost:8090"), ("origin", "null")], false),
            (&[("host", "localhost:8090"), ("sec-fetch-site", "cross-site")], false),
            (&[("host", "localhost:8090"), ("sec-fetch-site", "same-site")], false),
        ] {
            let mut request = request(pairs);
            request.extensions_mut().insert(Peer(([127, 0, 0, 1], 9).into()));
            assert_eq!(at_this_machine(&request).is_ok(), is_fine, "{pairs:?}");
        }
    }
}
