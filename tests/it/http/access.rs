//! Who may do what: each documented path, each role, each tenant; and nobody from elsewhere.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use tests::wait::until;

use crate::support::{ADMIN, Api, request};

const ROLES: [&str; 4] = ["enqueue", "read", "operate", "admin"];

fn token(role: &str) -> String {
    format!("{role}-0123456789abcdef")
}

/// Every path and method of the description, with the roles that it names.
async fn operations(api: &Api) -> Vec<(Method, String, Option<Vec<String>>)> {
    let description = api.get("/openapi.json").await.json();
    let mut operations = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let roles = operation["security"][0]["token"]
                .as_array()
                .map(|roles| roles.iter().map(|role| role.as_str().unwrap().to_owned()).collect());
            let path = path.replace("{id}", "nobody").replace("{code}", "internal");
            let path = path.replace("{name}", "captions.vtt");
            let path = path.replace("{making}", "0").replace("{part}", "init.mp4");
            let path = path.replace("{tenant}", "default.xml");
            operations.push((method, path, roles));
        }
    }
    assert!(operations.len() > 15, "{operations:?}");
    operations
}

#[tokio::test]
async fn each_path_is_open_to_the_roles_that_its_description_names() {
    let entries = ROLES.map(|role| format!("{role}:{}:*:{role}", token(role)));
    let tokens = entries.join(",");
    let api = Api::start_with(&[("API_TOKENS", &tokens), ("API_REQUESTS_PER_MINUTE", "0")]).await;
    for (method, path, roles) in operations(&api).await {
        let told = format!("{method} {path}");
        let body = || (method == Method::POST).then(|| "{}".to_owned());
        let plain = api.send(method.clone(), &path, &[], body()).await;
        let Some(roles) = roles else {
            assert_eq!(plain.status, StatusCode::OK, "{told}: {plain:?}");
            continue;
        };
        let _ = plain.problem(401, "unauthorized");
        assert!(plain.header("www-authenticate").starts_with("Bearer"), "{told}");
        let wrong = ["Authorization: Bearer nobody-0123456789"];
        let _ = api.send(method.clone(), &path, &wrong, body()).await.problem(401, "unauthorized");
        for role in ROLES {
            let bearer = format!("Authorization: Bearer {}", token(role));
            let answer = api.send(method.clone(), &path, &[&bearer], body()).await;
            let may = role == "admin" || roles.iter().any(|named| named == role);
            assert_eq!(answer.status != StatusCode::FORBIDDEN, may, "{told} as {role}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_tenant_s_token_knows_of_no_other_tenant_s_jobs() {
    let acme = "acme-0123456789abcdef";
    let tokens = format!("root:{ADMIN}:*:admin acme:{acme}:acme:enqueue+operate");
    let api = Api::start_with(&[("API_TOKENS", &tokens)]).await;
    let (root, acme) =
        (format!("Authorization: Bearer {ADMIN}"), format!("Authorization: Bearer {acme}"));
    let enqueue = async |bearer: &str, tenant: Option<&str>| {
        let mut body = request();
        if let Some(tenant) = tenant {
            body["tenant"] = json!(tenant);
        }
        api.send(Method::POST, "/v1/jobs", &[bearer], Some(body.to_string())).await
    };
    let theirs = enqueue(&root, Some("other")).await.json()["id"].clone();
    let theirs = theirs.as_str().unwrap();
    let _ = enqueue(&acme, Some("other")).await.problem(403, "tenant-refused");
    let own = enqueue(&acme, None).await.json()["id"].clone();
    let own = own.as_str().unwrap();
    for path in ["", "/events", "/artifact", "/transcript", "/live/index.m3u8"] {
        let path = format!("/v1/jobs/{theirs}{path}");
        let _ = api.send(Method::GET, &path, &[&acme], None).await.problem(404, "unknown-job");
    }
    for path in ["/cancel", "/replay"] {
        let path = format!("/v1/jobs/{theirs}{path}");
        let _ = api.send(Method::POST, &path, &[&acme], None).await.problem(404, "unknown-job");
    }
    let _ = api
        .send(Method::DELETE, &format!("/v1/jobs/{theirs}"), &[&acme], None)
        .await
        .problem(404, "unknown-job");
    let listed = api.send(Method::GET, "/v1/jobs", &[&acme], None).await.json();
    let ids: Vec<&Value> =
        listed["jobs"].as_array().unwrap().iter().map(|job| &job["id"]).collect();
    assert_eq!(ids, [own]);
    assert_eq!(listed["jobs"][0]["tenant"], "acme");
    let _ =
        api.send(Method::POST, "/v1/queue/pause", &[&acme], None).await.problem(403, "forbidden");
    let history = "/v1/queue/history";
    let _ = api.send(Method::GET, history, &[&acme], None).await.problem(403, "tenant-refused");
    assert_eq!(api.send(Method::GET, history, &[&root], None).await.status, StatusCode::OK);
    let both = api.send(Method::GET, "/v1/jobs", &[&root], None).await.json();
    assert_eq!(both["jobs"].as_array().unwrap().len(), 2);
    // The page of jobs leads to a job whose identifier is looked for.
    let form = "content-type: application/x-www-form-urlencoded";
    let login = format!("token={}", acme.trim_start_matches("Authorization: Bearer "));
    let entered = api.send(Method::POST, "/login", &[form], Some(login)).await;
    let cookie = entered.headers["set-cookie"].to_str().unwrap();
    let cookie = format!("cookie: {}", cookie.split(';').next().unwrap());
    for (id, status) in [(own, StatusCode::SEE_OTHER), (theirs, StatusCode::OK)] {
        let found = api.send(Method::GET, &format!("/jobs?q={id}"), &[&cookie], None).await;
        assert_eq!(found.status, status, "{id}: {:?}", found.headers);
        let path = found.headers.get("location").map(|path| path.to_str().unwrap());
        assert_eq!(path, (id == own).then_some(format!("/jobs/{own}")).as_deref());
    }
}

#[tokio::test]
async fn a_token_s_file_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    let entry = |token: &str| format!("app:{token}:*:read\n");
    let (old, new) = ("old-0123456789abcdef", "new-0123456789abcdefg");
    std::fs::write(&file, entry(old)).unwrap();
    let api = Api::start_with(&[("API_TOKENS_FILE", file.to_str().unwrap())]).await;
    let status = async |token: &str| {
        let bearer = format!("Authorization: Bearer {token}");
        api.send(Method::GET, "/v1/queue", &[&bearer], None).await.status
    };
    assert_eq!((status(old).await, status(new).await), (StatusCode::OK, StatusCode::UNAUTHORIZED));
    std::fs::write(&file, entry(new)).unwrap();
    let is_known = async || (status(new).await == StatusCode::OK).then_some(());
    until("the new token is known", is_known).await;
    assert_eq!(status(old).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn without_tokens_no_page_of_another_site_drives_it() {
    let api = Api::start().await;
    let refused: [&[&str]; 5] = [
        &["host: evil.example"],
        &["host: evil.example:8090", "origin: http://evil.example:8090"],
        &["origin: http://evil.example"],
        &["origin: null"],
        &["sec-fetch-site: cross-site"],
    ];
    for headers in refused {
        for path in ["/v1/jobs", "/v1/queue/pause"] {
            let body = Some(request().to_string());
            let answer = api.send(Method::POST, path, headers, body).await;
            let _ = answer.problem(403, "origin-refused");
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
        let answer = api.send(Method::GET, "/v1/jobs", headers, None).await;
        let _ = answer.problem(403, "origin-refused");
    }
    let stats = api.get("/v1/queue").await.json();
    assert_eq!((&stats["enqueued"], &stats["paused"]), (&json!(0), &json!(false)));
}

#[tokio::test]
async fn an_address_that_others_reach_needs_tokens() {
    let api = Api::start().await;
    let open = api.program.clone().env("HTTP_ADDR", "0.0.0.0:0");
    let _ = open.run(&["serve"]).await.unwrap().expect(78).saying("set API_TOKENS");
    let spoilt = api.program.clone().env("API_TOKENS", "app:short:*:read");
    let _ = spoilt.run(&["serve"]).await.unwrap().expect(78).saying("entry 1 has a token of fewer");
}
