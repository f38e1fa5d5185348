//! `stillcast migrate` on a database of its own.

use serde_json::Value;
use tests::postgres::Postgres;
use tests::program::Program;

#[tokio::test]
async fn migrating_twice_changes_nothing_and_mistakes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Postgres::start().await.unwrap();
    let url = server.database("fresh").await.unwrap();
    let stillcast = Program::stillcast(folder.path());
    let on = |url: &str| stillcast.clone().env("DATABASE_URL", url);

    let _ = stillcast.run(&["migrate"]).await.unwrap().expect(78).saying("set DATABASE_URL");
    let _ = on("mysql://x").run(&["migrate"]).await.unwrap().expect(78).saying("postgres://");
    let away = format!("postgres://x@localhost/x?host={}", folder.path().display());
    let _ =
        on(&away).run(&["migrate"]).await.unwrap().expect(69).saying("apt-get install postgresql");

    // Two at once: one applies, the other finds nothing left to do.
    let (program, arguments) = (on(&url), ["migrate", "--json"]);
    let (one, other) = tokio::join!(program.run(&arguments), program.run(&arguments));
    let answers: [Value; 2] = [one, other].map(|ran| ran.unwrap().expect(0).json());
    let appliers = answers.iter().filter(|answer| answer["applied"] != Value::Array(vec![]));
    assert_eq!(appliers.count(), 1, "{answers:?}");
    let again = program.run(&["migrate"]).await.unwrap().expect(0);
    assert_eq!(again.stdout, "nothing to do\n");
}
