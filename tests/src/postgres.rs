//! A Postgres of one's own: on a socket, gone with its owner.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use child::{Running, Spec, Stream};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use uuid::Uuid;

/// How long a server may take to start or to stop; reaching it is a failure, never a pass.
const WAIT_TIMEOUT: Duration = Duration::from_mins(1);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
const HINT: &str = "install it with: apt-get install postgresql";
/// Debian keeps the server's programs outside PATH, one folder a version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A running server and its folder.
pub struct Postgres {
    folder: TempDir,
    running: Option<Running>,
}

impl Postgres {
    /// A new cluster that syncs nothing: it lives for one test.
    pub async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("pg-").tempdir()?;
        // The server refuses root, and its user must be able to make its data here.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o1777))?;
        let mut server = Self { folder, running: None };
        let initdb = program("initdb")?
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync"])
            .arg("-D")
            .arg(server.data())
            .timeout(WAIT_TIMEOUT);
        initdb.run().await.context("initdb")?;
        server.resume().await?;
        Ok(server)
    }

    /// The address of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.path().display())
    }

    /// Makes an empty database; answers its address.
    pub async fn database(&self, name: &str) -> anyhow::Result<String> {
        let mut connection = self.connection("postgres").await?;
        sqlx::query(AssertSqlSafe(format!("create database {name}")))
            .execute(&mut connection)
            .await?;
        Ok(self.url(name))
    }

    /// A connection for the test itself.
    pub async fn connection(&self, database: &str) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(&self.url(database)).await?)
    }

    /// Runs statements of the test's own.
    pub async fn execute(&self, database: &str, statements: &str) -> anyhow::Result<()> {
        let mut connection = self.connection(database).await?;
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await?;
        Ok(())
    }

    /// A conversation of `tenant` with one message, in a migrated database.
    pub async fn converse(
        &self,
        database: &str,
        tenant: &str,
        words: &str,
    ) -> anyhow::Result<Uuid> {
        let (mut connection, id) = (self.connection(database).await?, Uuid::now_v7());
        let conversation = "insert into conversations (id, tenant, title) values ($1, $2, 'A day')";
        sqlx::query(conversation).bind(id).bind(tenant).execute(&mut connection).await?;
        let message = "insert into messages values ($1, $2, 1, 'user', $3)";
        let message = sqlx::query(message).bind(Uuid::now_v7()).bind(id).bind(words);
        message.execute(&mut connection).await?;
        Ok(id)
    }

    /// Keeps everybody from reading `table` until the connection is dropped.
    pub async fn lock(&self, database: &str, table: &str) -> anyhow::Result<PgConnection> {
        let mut connection = self.connection(database).await?;
        let lock = format!("begin; lock table {table} in access exclusive mode");
        sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut connection).await?;
        Ok(connection)
    }

    /// Ends it as an operator does: clients are cut off, nothing is lost.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(mut running) = self.running.take() {
            kill(Pid::from_raw(running.pid()), Signal::SIGINT)?;
            tokio::time::timeout(WAIT_TIMEOUT, running.wait()).await??;
        }
        Ok(())
    }

    /// Starts it again on the same data.
    pub async fn resume(&mut self) -> anyhow::Result<()> {
        let log = std::fs::File::create(self.folder.path().join("log"))?;
        let server = program("postgres")?
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.folder.path())
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "full_page_writes=off"])
            .args(["-c", "synchronous_commit=off", "-c", "autovacuum=off"])
            .stderr(Stream::File(log));
        self.running = Some(server.spawn().await?);
        let connecting = async {
            while let Err(error) = self.connection("postgres").await {
                tracing::debug!("not yet: {error}");
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        tokio::time::timeout(WAIT_TIMEOUT, connecting).await.context("postgres does not answer")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

/// A program of the server; as the user `postgres` where the caller is root.
fn program(name: &str) -> anyhow::Result<Spec> {
    let path = folder().join(name);
    // Of all that is ours, the test's own entry in /proc says who we are.
    if std::fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(Spec::new(path).hint(HINT));
    }
    // A change of user takes the parent-death signal away: it is asked for again.
    let spec = Spec::new("setpriv").args(["--reuid=postgres", "--regid=postgres"]);
    Ok(spec.args(["--clear-groups", "--pdeathsig=INT", "--"]).arg(path).hint(HINT))
}

/// The newest version that Debian has installed, else whatever PATH knows.
fn folder() -> PathBuf {
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.path()).max_by_key(|path| number(path));
    newest.map(|version| version.join("bin")).unwrap_or_default()
}
