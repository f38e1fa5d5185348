//! What was made is fetched, whole or in ranges, and read by those who may.

use redis::AsyncCommands;
use reqwest::{Method, StatusCode};
use stillcast_enqueue::keys::Keys;

use crate::support::Api;

#[tokio::test]
async fn a_finished_file_is_fetched_whole_and_in_ranges() {
    let api = Api::start().await;
    let id = api.enqueue().await;
    let path = format!("/v1/jobs/{id}/artifact");
    let _ = api.get(&path).await.problem(409, "no-artifact");
    let (file, done) = api.deliver(&id, b"0123456789");
    api.report_next(&id, done).await;
    let whole = api.get(&path).await;
    assert_eq!((whole.status, whole.text.as_str()), (StatusCode::OK, "0123456789"));
    assert_eq!(whole.header("content-type"), "audio/mp4");
    assert_eq!(whole.header("content-disposition"), format!("inline; filename=\"{id}.m4a\""));
    let part = api.send(Method::GET, &path, &["range: bytes=2-4"], None).await;
    assert_eq!((part.status, part.text.as_str()), (StatusCode::PARTIAL_CONTENT, "234"));
    assert_eq!(part.header("content-range"), "bytes 2-4/10");
    std::fs::remove_file(file).unwrap();
    let _ = api.get(&path).await.problem(410, "artifact-gone");
}

#[tokio::test]
async fn captions_are_fetched_by_name_by_whom_they_belong_to() {
    let (app, board) = ("app-0123456789abcdef", "board-0123456789abcdef");
    let tokens = format!("app:{app}:*:enqueue board:{board}:*:read");
    let api = Api::start_with(&[("API_TOKENS", &tokens)]).await;
    let (app, board) =
        (format!("Authorization: Bearer {app}"), format!("Authorization: Bearer {board}"));
    let body = Some(crate::support::request().to_string());
    let id = api.send(Method::POST, "/v1/jobs", &[&app], body).await.json()["id"].clone();
    let id = id.as_str().unwrap();
    let path = format!("/v1/jobs/{id}/extras/captions.vtt");
    let _ = api.send(Method::GET, &path, &[&app], None).await.problem(409, "no-artifact");
    let (_, done) = api.deliver_with_captions(id, b"0123456789", "WEBVTT\n");
    api.report_next(id, done).await;
    let record = api.send(Method::GET, &format!("/v1/jobs/{id}"), &[&board], None).await.json();
    assert_eq!(record["extras"]["captions.vtt"]["bytes"], 7, "{record}");
    assert!(record["artifact"].get("extras").is_none(), "they are told once: {record}");
    let _ = api.send(Method::GET, &path, &[&board], None).await.problem(403, "forbidden");
    let captions = api.send(Method::GET, &path, &[&app], None).await;
    assert_eq!((captions.status, captions.text.as_str()), (StatusCode::OK, "WEBVTT\n"));
    assert_eq!(captions.header("content-type"), "text/vtt; charset=utf-8");
    let saved = format!("inline; filename=\"{id}.captions.vtt\"");
    assert_eq!(captions.header("content-disposition"), saved);
    let other = path.replace(".vtt", ".exe");
    let _ = api.send(Method::GET, &other, &[&app], None).await.problem(404, "no-extra");
    std::fs::remove_file(api.captions_of(id)).unwrap();
    let _ = api.send(Method::GET, &path, &[&app], None).await.problem(410, "artifact-gone");
}

#[tokio::test]
async fn the_words_are_read_by_whom_they_belong_to() {
    let (app, board) = ("app-0123456789abcdef", "board-0123456789abcdef");
    let tokens = format!("app:{app}:*:enqueue board:{board}:*:read");
    let api = Api::start_with(&[("API_TOKENS", &tokens)]).await;
    let (app, board) =
        (format!("Authorization: Bearer {app}"), format!("Authorization: Bearer {board}"));
    let body = Some(crate::support::request().to_string());
    let id = api.send(Method::POST, "/v1/jobs", &[&app], body).await.json()["id"].clone();
    let id = id.as_str().unwrap();
    let path = format!("/v1/jobs/{id}/transcript");
    let _ = api.send(Method::GET, &path, &[&app], None).await.problem(404, "no-transcript");
    let mut redis = api.server.connection().await.unwrap();
    let key = Keys::new("stillcast").unwrap().transcript(id);
    let () = redis.set(key, "Breathe in.").await.unwrap();
    let words = api.send(Method::GET, &path, &[&app], None).await;
    assert_eq!(
        (words.text.as_str(), words.header("cache-control")),
        ("Breathe in.", "private, no-store")
    );
    let _ = api.send(Method::GET, &path, &[&board], None).await.problem(403, "forbidden");
}
