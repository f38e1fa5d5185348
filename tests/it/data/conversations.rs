//! Rows go in; the text, or the sentence that says what is wrong with them, comes out.

use pipeline::{FailureClass, SourceStore};
use providers::postgres::{PostgresSources, Queries};
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use crate::support::Content;

#[tokio::test]
async fn a_conversation_is_told_as_far_as_it_fits() {
    let content = Content::new().await;
    let said = [
        ("system", "You are kind."),
        ("user", "I cannot sleep."),
        ("assistant", "Tell me more."),
        ("tool", "{}"),
        ("user", "The sea was loud, 👨‍👩‍👧‍👦 too."),
    ];
    let id = content.converse("acme", &said).await;
    let mut connection = content.connection().await;
    for (position, title, body) in [(1, Some("Waves"), "They roll."), (0, None, "A shell.")] {
        sqlx::query(
            "insert into source_contents (id, conversation_id, kind, title, body, sha256, position)
             values ($1, $2, 'note', $3, $4, sha256($4::bytea), $5)",
        )
        .bind(Uuid::now_v7())
        .bind(id)
        .bind(title)
        .bind(body)
        .bind(position)
        .execute(&mut connection)
        .await
        .unwrap();
    }
    let whole = "An evening\n\nuser: I cannot sleep.\n\nassistant: Tell me more.\n\n\
                 user: The sea was loud, 👨‍👩‍👧‍👦 too.\n\nA shell.\n\nWaves\nThey roll.";
    assert_eq!(content.text("acme", id).await, Ok((whole.to_owned(), 0)));

    let old = "old ".repeat(400);
    let new = "new ".repeat(400);
    let long = content.converse("acme", &[("user", &old), ("user", &new), ("user", "Last.")]).await;
    let (text, cut) = content.text("acme", long).await.unwrap();
    assert!(text.ends_with("user: Last.") && text.contains(new.trim()), "{text}");
    assert!(text.chars().count() <= 2_000 && cut > 1_000, "{} {cut}", text.chars().count());

    // Of a message of 10 MB, only what fits leaves the server.
    let huge = content.converse("acme", &[("user", &"x".repeat(10 << 20))]).await;
    let conversation = content.sources().load("acme", huge).await.unwrap();
    assert_eq!(conversation.messages[0].text.len(), 2_000);
    assert_eq!(conversation.messages[0].characters, 10 << 20);
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_yours_are_the_same() {
    let content = Content::new().await;
    let id = content.converse("acme", &[("user", "A secret of acme.")]).await;
    let sources = content.sources();
    let missing = sources.load("acme", Uuid::now_v7()).await.unwrap_err();
    let foreign = sources.load("other", id).await.unwrap_err();
    for error in [&missing, &foreign] {
        assert_eq!(
            (error.code, error.failure),
            ("conversation-not-found", FailureClass::Permanent)
        );
    }
    assert!(!format!("{foreign:?}").contains("secret"));
    let empty = content.converse("acme", &[("tool", "{}"), ("user", "  ")]).await;
    assert_eq!(content.text("acme", empty).await, Err("empty".to_owned()));
    assert!(content.text("acme' or '1'='1", id).await.is_err());
}

#[tokio::test]
async fn an_own_schema_is_two_queries() {
    let content = Content::new().await;
    let mut connection = content.connection().await;
    let setup = "
        create table talks (org varchar(40), talk text, at timestamptz, who text, what jsonb);
        insert into talks values
          ('acme', '00000000-0000-0000-0000-000000000001', now(), 'Ada', '\"late\"'),
          ('acme', '00000000-0000-0000-0000-000000000001', now() - interval '1 hour', 'Bo', null),
          ('acme', '00000000-0000-0000-0000-000000000001', now() - interval '2 hours', null, '\"early\"'),
          ('other', '00000000-0000-0000-0000-000000000001', now(), 'Eve', '\"not yours\"')";
    sqlx::raw_sql(setup).execute(&mut connection).await.unwrap();
    let messages = "select who, what #>> '{}' from talks where org = $1 and talk = $2::text
                    order by at desc;";
    let load = async |messages: &str, sources: Option<&str>| {
        let queries = Queries::of(messages, sources).unwrap();
        let sources = PostgresSources::new(content.database.clone(), queries);
        sources.load("acme", Uuid::from_u128(1)).await
    };
    let conversation = load(messages, None).await.unwrap();
    assert_eq!(conversation.text().unwrap().text, "early\n\nAda: late");
    assert_eq!(conversation.empty_rows, 1, "a row of NULLs is noted");

    let nobodys = "select who, who from talks where org = $1 || 'x' and talk = $2::text";
    assert_eq!(load(nobodys, None).await.unwrap_err().code, "conversation-not-found");
    for broken in [
        "select who, what from no_such_table where $1 = '' and $2 is null",
        "select who from talks where org = $1 and talk = $2::text",
        "select who what from from talks where org = $1 and talk = $2::text",
        "select who, what from talks where org = $1 and talk = $2",
    ] {
        let error = load(broken, None).await.unwrap_err();
        assert_eq!(error.code, "database-refused", "{broken}");
        assert_eq!(error.failure, FailureClass::Misconfigured);
        assert!(error.message.contains("MESSAGES_QUERY"), "{error}");
    }
    let quoting =
        "select who, (what #>> '{}')::int::text from talks where org = $1 and talk = $2::text";
    let error = load(messages, Some(quoting)).await.unwrap_err();
    assert_eq!((error.code, error.failure), ("row-broken", FailureClass::Permanent));
    assert!(!format!("{error:?} {error}").contains("late"), "a row is never quoted: {error:?}");
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let content = Content::new().await;
    let mut connection = content.connection().await;
    let fill = "
        insert into conversations (id, tenant)
          select md5('c' || n)::uuid, 'tenant' || n % 10 from generate_series(1, 1000) n;
        insert into messages (id, conversation_id, seq, role, content)
          select md5('m' || n)::uuid, md5('c' || 1 + n % 1000)::uuid, n, 'user', repeat('word ', 20)
          from generate_series(1, 100000) n;
        insert into source_contents (id, conversation_id, kind, body, sha256, position)
          select md5('s' || n)::uuid, md5('c' || 1 + n % 1000)::uuid, 'note', repeat('word ', 20),
                 sha256(n::text::bytea), n
          from generate_series(1, 20000) n;
        analyze";
    sqlx::raw_sql(fill).execute(&mut connection).await.unwrap();
    let id: Uuid =
        sqlx::query("select md5('c7')::uuid").fetch_one(&mut connection).await.unwrap().get(0);
    let queries = Queries::default();
    let statements = [
        (queries.conversation().unwrap(), "conversations_pkey"),
        (queries.messages(), "messages_conversation_id_seq_key"),
        (queries.sources().unwrap(), "source_contents_"),
    ];
    for (statement, index) in statements {
        let explain = AssertSqlSafe(format!("explain {statement}"));
        let explained = sqlx::query(explain).bind("tenant7").bind(id);
        let rows = explained.fetch_all(&mut connection).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{plan}");
    }
    let conversation = content.sources().load("tenant7", id).await.unwrap();
    assert_eq!(conversation.messages.len(), 20, "of 100 messages, those of 2,000 characters");
}
