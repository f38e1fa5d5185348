//! A server that speaks S3 well enough for one process, and not always the truth: what stores, and
//! what is no store at all, do to those who believe a status.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Longest body that it takes.
const MAX_BODY: usize = 64 << 20;
/// The name of all its uploads in parts.
const UPLOAD: &str = "upload-1";

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whim {
    /// Nothing.
    Honest,
    /// It says yes, without a word, to everything.
    Yes,
    /// It shows a page, with status 200, to everything.
    Page,
    /// It points to a login to everything.
    Login,
    /// It says yes, and keeps nothing.
    Forgets,
    /// It says yes, and keeps the first half.
    Truncates,
    /// It keeps other bytes of the same length, and no notes.
    Garbles,
    /// It looks and writes in two steps: somebody else's bytes, of another length, replace what is put.
    IsOvertaken,
    /// It keeps the bytes, and neither notes nor checksums.
    KeepsNoNotes,
    /// It says yes to a copy, and makes none.
    CopiesNothing,
    /// It answers 501 to a condition.
    KnowsNoConditions,
    /// Its clock differs.
    Skewed,
    /// Its bucket lies in `eu-west-1`.
    Elsewhere,
    /// Its users may write, and not look.
    ForbidsHead,
}

/// A server, and what it holds.
pub struct Shelf {
    endpoint: String,
    kept: Arc<Kept>,
    _serving: JoinSet<()>,
}

/// An upload under way: its parts by number, and the headers it began with.
type Upload = (HashMap<u32, Bytes>, HeaderMap);

#[derive(Default)]
struct Kept {
    whim: Mutex<Option<Whim>>,
    objects: Mutex<HashMap<String, (Bytes, HeaderMap)>>,
    parts: Mutex<HashMap<String, Upload>>,
    /// Methods, and whether a condition came along.
    heard: Mutex<Vec<(String, bool)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shelf {
    /// A server with this whim.
    pub async fn start(whim: Whim) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let kept = Arc::new(Kept { whim: Mutex::new(Some(whim)), ..Kept::default() });
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&kept));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { endpoint, kept, _serving: serving })
    }

    /// Where it listens.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// From now on it has this whim.
    pub fn set(&self, whim: Whim) {
        *lock(&self.kept.whim) = Some(whim);
    }

    /// The names of all that it holds.
    #[must_use]
    pub fn objects(&self) -> Vec<String> {
        lock(&self.kept.objects).keys().cloned().collect()
    }

    /// How many requests of a method it got with `If-None-Match`.
    #[must_use]
    pub fn conditions(&self) -> usize {
        lock(&self.kept.heard).iter().filter(|(_, has_condition)| *has_condition).count()
    }

    /// The methods of all requests, in their order.
    #[must_use]
    pub fn heard(&self) -> Vec<String> {
        lock(&self.kept.heard).iter().map(|(method, _)| method.clone()).collect()
    }
}

async fn answer(State(kept): State<Arc<Kept>>, request: Request) -> Response {
    let whim = (*lock(&kept.whim)).unwrap_or(Whim::Honest);
    let condition = request.headers().contains_key(header::IF_NONE_MATCH);
    lock(&kept.heard).push((request.method().to_string(), condition));
    let refused = |status, code: &str| {
        xml(
            status,
            &format!("<Error><Code>{code}</Code><Message>A canary sentence.</Message></Error>"),
        )
    };
    match whim {
        Whim::Yes => return plain(StatusCode::OK, Bytes::new()),
        Whim::Page => {
            return xml(StatusCode::OK, "<html><body>Welcome to canary</body></html>");
        }
        Whim::Login => {
            let mut response = plain(StatusCode::FOUND, Bytes::new());
            response.headers_mut().insert(
                header::LOCATION,
                "http://127.0.0.1:1/login".parse().unwrap_or(HeaderValue::from_static("/")),
            );
            return response;
        }
        Whim::Skewed => return refused(StatusCode::FORBIDDEN, "RequestTimeTooSkewed"),
        Whim::Elsewhere => {
            let mut response = refused(StatusCode::MOVED_PERMANENTLY, "PermanentRedirect");
            let region = HeaderValue::from_static("eu-west-1");
            response.headers_mut().insert("x-amz-bucket-region", region);
            return response;
        }
        Whim::ForbidsHead if request.method() == Method::HEAD => {
            return plain(StatusCode::FORBIDDEN, Bytes::new());
        }
        Whim::KnowsNoConditions if condition => {
            return refused(StatusCode::NOT_IMPLEMENTED, "NotImplemented");
        }
        _ => {}
    }
    match kept.serve(whim, request).await {
        Ok(Some(response)) => response,
        Ok(None) => refused(StatusCode::NOT_FOUND, "NoSuchKey"),
        Err(error) => refused(StatusCode::BAD_REQUEST, &format!("{error:#}")),
    }
}

impl Kept {
    /// `None` where there is no such object.
    async fn serve(&self, whim: Whim, request: Request) -> anyhow::Result<Option<Response>> {
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let (method, headers) = (request.method().clone(), request.headers().clone());
        let body = to_bytes(request.into_body(), MAX_BODY).await?;
        let uploads = query.contains("uploads") || query.contains("uploadId");
        Ok(match method {
            Method::POST if query.contains("delete") => Some(self.delete(&path, &body)),
            Method::POST | Method::PUT | Method::DELETE if uploads => {
                Some(self.parted(whim, &method, path, &query, headers, body)?)
            }
            Method::PUT => match headers.get("x-amz-copy-source") {
                Some(source) => self.copy(whim, source.to_str()?, path),
                None => Some(self.put(whim, path, headers, body)),
            },
            Method::GET | Method::HEAD if query.contains("list-type") => Some(xml(
                StatusCode::OK,
                "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>",
            )),
            Method::GET | Method::HEAD => self.get(&path),
            _ => None,
        })
    }

    fn put(&self, whim: Whim, path: String, mut headers: HeaderMap, body: Bytes) -> Response {
        let mut objects = lock(&self.objects);
        if headers.contains_key(header::IF_NONE_MATCH) && objects.contains_key(&path) {
            return xml(
                StatusCode::PRECONDITION_FAILED,
                "<Error><Code>PreconditionFailed</Code></Error>",
            );
        }
        let body = match whim {
            Whim::Forgets => return plain(StatusCode::OK, Bytes::new()),
            Whim::Truncates => body.slice(..body.len() / 2),
            Whim::Garbles => body.iter().map(|byte| !byte).collect(),
            _ => body,
        };
        if matches!(whim, Whim::Garbles | Whim::KeepsNoNotes) {
            headers.clear();
        }
        let body = if whim == Whim::IsOvertaken {
            let theirs = HeaderValue::from_static("another's digest");
            headers.insert("x-amz-meta-sha256", theirs);
            Bytes::from_static(b"another's")
        } else {
            body
        };
        objects.insert(path, (body, headers));
        plain(StatusCode::OK, Bytes::new())
    }

    fn copy(&self, whim: Whim, source: &str, path: String) -> Option<Response> {
        let mut objects = lock(&self.objects);
        let found = objects.get(&format!("/{}", source.trim_start_matches('/')))?.clone();
        if whim != Whim::CopiesNothing {
            objects.insert(path, found);
        }
        Some(xml(StatusCode::OK, "<CopyObjectResult><ETag>\"1\"</ETag></CopyObjectResult>"))
    }

    fn get(&self, path: &str) -> Option<Response> {
        let (body, headers) = lock(&self.objects).get(path)?.clone();
        let mut response = plain(StatusCode::OK, body);
        for (name, value) in &headers {
            if name.as_str().starts_with("x-amz-meta-") {
                response.headers_mut().insert(name.clone(), value.clone());
            }
        }
        Some(response)
    }

    fn delete(&self, path: &str, body: &Bytes) -> Response {
        let asked = String::from_utf8_lossy(body).into_owned();
        let bucket = path.trim_end_matches('/');
        let is_named = |object: &str| {
            object
                .strip_prefix(&format!("{bucket}/"))
                .is_some_and(|key| asked.contains(&format!("<Key>{key}</Key>")))
        };
        lock(&self.objects).retain(|object, _| !is_named(object));
        xml(StatusCode::OK, "<DeleteResult/>")
    }

    /// An upload in parts: begun, fed, completed or aborted.
    fn parted(
        &self,
        whim: Whim,
        method: &Method,
        path: String,
        query: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> anyhow::Result<Response> {
        let number = query.split('&').find_map(|pair| pair.strip_prefix("partNumber="));
        match (method, number) {
            (&Method::PUT, Some(number)) => {
                let mut parts = lock(&self.parts);
                let (pieces, _) = parts.get_mut(&path).context("NoSuchUpload")?;
                pieces.insert(number.parse()?, body);
                let mut response = plain(StatusCode::OK, Bytes::new());
                response.headers_mut().insert(header::ETAG, "\"1\"".parse()?);
                Ok(response)
            }
            (&Method::POST, _) if query.contains("uploads") => {
                lock(&self.parts).insert(path, (HashMap::new(), headers));
                Ok(xml(
                    StatusCode::OK,
                    &format!(
                        "<InitiateMultipartUploadResult><UploadId>{UPLOAD}</UploadId></InitiateMultipartUploadResult>"
                    ),
                ))
            }
            (&Method::POST, _) => {
                let (pieces, mut notes) =
                    lock(&self.parts).remove(&path).context("NoSuchUpload")?;
                if let Some(condition) = headers.get(header::IF_NONE_MATCH) {
                    notes.insert(header::IF_NONE_MATCH, condition.clone());
                }
                let mut pieces: Vec<_> = pieces.into_iter().collect();
                pieces.sort_by_key(|(number, _)| *number);
                let whole: Vec<u8> = pieces.into_iter().flat_map(|(_, piece)| piece).collect();
                let put = self.put(whim, path, notes, whole.into());
                let done = "<CompleteMultipartUploadResult><ETag>\"1\"</ETag></CompleteMultipartUploadResult>";
                Ok(if put.status().is_success() { xml(StatusCode::OK, done) } else { put })
            }
            _ => {
                lock(&self.parts).remove(&path);
                Ok(plain(StatusCode::NO_CONTENT, Bytes::new()))
            }
        }
    }
}

fn plain(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
}

fn xml(status: StatusCode, body: &str) -> Response {
    plain(status, Bytes::from(body.to_owned()))
}
