//! Words of errors: classes, and that no row is quoted. What needs a server is in `tests/it/data`.

use pipeline::FailureClass;

use super::*;

#[test]
fn an_address_is_checked_before_anything_connects() {
    assert!(Database::open("redis://host", "test", 1).is_err());
    let shown = Database::open("not an address", "test", 1).unwrap_err().to_string();
    assert!(shown.contains("DATABASE_URL") && !shown.contains("not an address"));
}

#[tokio::test]
async fn nobody_at_the_address_is_worth_waiting_for() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("postgres://nobody@localhost/x?host={}", folder.path().display());
    let database = Database::open(&url, "test", 1).unwrap();
    let error = database.probe().await.unwrap_err();
    assert_eq!(error.code, "database-away", "{error}");
    assert!(matches!(error.failure, FailureClass::Transient { retry_after: Some(_) }));
}

#[test]
fn an_error_shows_neither_rows_nor_passwords() {
    let broken = failure::of_query(sqlx::Error::Decode("my secret".into()));
    assert_eq!((broken.code, broken.failure), ("row-broken", FailureClass::Permanent));
    let other = failure::of_query(sqlx::Error::InvalidArgument("my secret".to_owned()));
    assert!(!format!("{broken:?} {other:?}").contains("secret"), "{other:?}");
}
