//! A Redis of one's own: durable as in production, on a socket and a port, gone with its owner.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use child::{Running, Spec};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::authority::Authority;
use crate::ports::free_address;
use crate::wait::look;

/// How long a server may take to answer its first PING.
const WAIT_TIMEOUT: Duration = Duration::from_secs(20);

/// A running server and its folder.
pub struct Server {
    folder: PathBuf,
    /// Gone with the server, unless its owner has named a folder.
    _temporary: Option<TempDir>,
    port: u16,
    running: Option<Running>,
    maxmemory: Option<String>,
    appendfsync: &'static str,
    core: Option<usize>,
    tls: Option<Authority>,
    more: Vec<String>,
}

impl Server {
    /// Starts with `appendfsync always`, so that a kill loses nothing.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(None).await
    }

    /// Starts with `appendfsync everysec`, so that the disk of this machine is not what is measured.
    pub async fn start_everysec() -> anyhow::Result<Self> {
        Self::start_as(None, "everysec").await
    }

    /// Starts with `appendfsync always` in a folder that stays, on whatever lies there.
    pub async fn start_in(folder: &Path) -> anyhow::Result<Self> {
        let mut server = Self::made("always").await?;
        server.folder = folder.to_owned();
        server.resume().await?;
        Ok(server)
    }

    /// Starts with a memory limit such as `64mb`.
    pub async fn start_with(maxmemory: Option<&str>) -> anyhow::Result<Self> {
        Self::start_as(maxmemory, "always").await
    }

    /// The same, on one core alone: what else runs on it is measured too otherwise.
    pub async fn start_everysec_on(core: Option<usize>) -> anyhow::Result<Self> {
        let mut server = Self::made("everysec").await?;
        server.core = core;
        server.resume().await?;
        Ok(server)
    }

    async fn start_as(maxmemory: Option<&str>, appendfsync: &'static str) -> anyhow::Result<Self> {
        let mut server = Self::made(appendfsync).await?;
        server.maxmemory = maxmemory.map(ToOwned::to_owned);
        server.resume().await?;
        Ok(server)
    }

    /// Starts with TLS on its port, by a certificate of `authority`; nothing is said there in plain.
    pub async fn start_tls(authority: Authority) -> anyhow::Result<Self> {
        let mut server = Self::made("always").await?;
        server.tls = Some(authority);
        server.resume().await?;
        Ok(server)
    }

    /// Starts a node of a cluster, alone until [`Cluster`](crate::cluster::Cluster) has joined it.
    pub(crate) async fn start_node() -> anyhow::Result<Self> {
        let mut server = Self::made("always").await?;
        let bus = free_port().await?.to_string();
        let words = ["--cluster-enabled", "yes", "--cluster-port", &bus];
        server.more = words.map(ToOwned::to_owned).to_vec();
        server.resume().await?;
        Ok(server)
    }

    async fn made(appendfsync: &'static str) -> anyhow::Result<Self> {
        let temporary = tempfile::Builder::new().prefix("sc-").tempdir()?;
        let port = free_port().await?;
        Ok(Self {
            folder: temporary.path().to_owned(),
            _temporary: Some(temporary),
            port,
            running: None,
            maxmemory: None,
            appendfsync,
            core: None,
            tls: None,
            more: Vec::new(),
        })
    }

    /// Where a test may keep its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address over the socket.
    #[must_use]
    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The address with TLS, of a server that has it.
    #[must_use]
    pub fn tls_url(&self) -> String {
        format!("rediss://localhost:{}", self.port)
    }

    /// What a client of that address must trust.
    #[must_use]
    pub fn certificate(&self) -> Option<PathBuf> {
        self.tls.as_ref().map(Authority::certificate)
    }

    /// The port on the loopback, for a wire that can be cut.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("redis.sock")
    }

    /// The port by which nodes of a cluster talk to each other.
    pub(crate) fn bus(&self) -> Option<&str> {
        self.more.last().map(String::as_str)
    }

    /// Stops the process where it stands: it takes connections, and answers nobody.
    pub fn stand_still(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on.
    pub fn go_on(&self) -> anyhow::Result<()> {
        self.signal(Signal::SIGCONT)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let running = self.running.as_ref().context("the server does not run")?;
        Ok(kill(Pid::from_raw(running.pid()), signal)?)
    }

    /// Says `words` to the server; its answer is thrown away.
    pub async fn say(&self, words: &[&str]) -> anyhow::Result<()> {
        let (name, arguments) = words.split_first().context("no command")?;
        // A machine that is busy elsewhere takes its time.
        let patient = ConnectionManagerConfig::new().set_response_timeout(Some(WAIT_TIMEOUT));
        let client = redis::Client::open(self.url())?;
        let mut connection = ConnectionManager::new_with_config(client, patient).await?;
        let answer: redis::Value =
            redis::cmd(name).arg(arguments).query_async(&mut connection).await?;
        drop(answer);
        Ok(())
    }

    /// Becomes a replica of `primary`, and waits until it has all that is there.
    pub async fn follow(&self, primary: &Self) -> anyhow::Result<()> {
        primary.configure("repl-diskless-sync-delay", "0").await?;
        self.say(&["REPLICAOF", "127.0.0.1", &primary.port.to_string()]).await?;
        // Written after the snapshot, and by no key: once it is here, the rest comes at once.
        primary.say(&["PUBLISH", "replication", "follows"]).await?;
        self.until_replicated(primary).await
    }

    /// Waits until this replica of `primary` has all that was written there before the call. That it has
    /// loaded the snapshot is not enough: until its first acknowledgement, up to a second later, the
    /// primary keeps back what was written since.
    pub async fn until_replicated(&self, primary: &Self) -> anyhow::Result<()> {
        let wanted = primary.replication("master_repl_offset").await?;
        let replicated = look(WAIT_TIMEOUT, async || {
            let is_up = self.replication_info().await.ok()?.contains("master_link_status:up");
            let offset = self.replication("slave_repl_offset").await.ok()?;
            (is_up && offset >= wanted).then_some(())
        });
        replicated.await.context("the replica never caught up")
    }

    /// One number of what the server says of its replication.
    async fn replication(&self, name: &str) -> anyhow::Result<u64> {
        let info = self.replication_info().await?;
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Ok(line.with_context(|| format!("no {name}"))?.trim().parse()?)
    }

    async fn replication_info(&self) -> anyhow::Result<String> {
        let mut connection = self.connection().await?;
        Ok(redis::cmd("INFO").arg("replication").query_async(&mut connection).await?)
    }

    /// Kills the server as a power cut would.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut running) = self.running.take() {
            kill(Pid::from_raw(running.pid()), Signal::SIGKILL)?;
            // How it ended is known: it was killed.
            let _ = running.wait().await;
        }
        Ok(())
    }

    /// Starts it again on the same data.
    pub async fn resume(&mut self) -> anyhow::Result<()> {
        // The socket of a killed server would be found, and lead nowhere.
        let _ = std::fs::remove_file(self.socket());
        self.running = Some(self.spec()?.spawn().await?);
        let client = redis::Client::open(self.url())?;
        let pinging = async {
            loop {
                let answered = match client.get_multiplexed_async_connection().await {
                    Ok(mut open) => redis::cmd("PING").query_async::<String>(&mut open).await,
                    Err(error) => Err(error),
                };
                if answered.is_ok() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(WAIT_TIMEOUT, pinging).await?;
        Ok(())
    }

    fn spec(&self) -> anyhow::Result<Spec> {
        let log = std::fs::File::create(self.folder.join("redis.log"))?;
        let program = match self.core {
            Some(core) => Spec::new("taskset").args(["-c", &core.to_string(), "redis-server"]),
            None => Spec::new("redis-server"),
        };
        let mut spec = program
            .hint("install it with: apt-get install redis-server")
            .args(["--bind", "127.0.0.1", "--save", ""])
            .args([
                if self.tls.is_some() { "--tls-port" } else { "--port" },
                &self.port.to_string(),
            ])
            .args(["--appendonly", "yes", "--appendfsync", self.appendfsync])
            .args(["--loglevel", "warning"])
            .args(["--maxmemory-policy", "noeviction", "--maxclients", "2000"])
            .arg("--unixsocket")
            .arg(self.socket())
            .arg("--dir")
            .arg(&self.folder)
            .args(&self.more)
            .stdout(child::Stream::File(log));
        if let Some(authority) = &self.tls {
            let [certificate, key] = authority.server();
            spec = spec.args(["--port", "0", "--tls-auth-clients", "no"]).arg("--tls-cert-file");
            spec = spec.arg(certificate).arg("--tls-key-file").arg(key);
            spec = spec.arg("--tls-ca-cert-file").arg(authority.certificate());
        }
        if let Some(maxmemory) = &self.maxmemory {
            spec = spec.args(["--maxmemory", maxmemory]);
        }
        Ok(spec)
    }

    /// Any command, for tests of crates that know no Redis.
    pub async fn command<T: redis::FromRedisValue>(&self, words: &[&[u8]]) -> anyhow::Result<T> {
        let mut command = redis::cmd(std::str::from_utf8(words[0])?);
        Ok(command.arg(&words[1..]).query_async(&mut self.connection().await?).await?)
    }

    /// The names of all keys like `pattern`.
    pub async fn keys(&self, pattern: &str) -> anyhow::Result<Vec<String>> {
        let mut connection = self.connection().await?;
        Ok(redis::cmd("KEYS").arg(pattern).query_async(&mut connection).await?)
    }

    /// The fields of the hash at `key`; none when there is no such key.
    pub async fn hash(&self, key: &str) -> anyhow::Result<HashMap<String, String>> {
        let mut connection = self.connection().await?;
        Ok(redis::cmd("HGETALL").arg(key).query_async(&mut connection).await?)
    }

    /// Cuts off every client, as an operator's `CLIENT KILL` does; they may come again.
    pub async fn cut_clients(&self) -> anyhow::Result<usize> {
        let mut connection = self.connection().await?;
        let cut = redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("normal").clone();
        Ok(cut.query_async(&mut connection).await?)
    }

    /// Changes a setting while it runs, such as `maxmemory-policy`.
    pub async fn configure(&self, name: &str, value: &str) -> anyhow::Result<()> {
        let mut connection = self.connection().await?;
        Ok(redis::cmd("CONFIG")
            .arg("SET")
            .arg(name)
            .arg(value)
            .query_async(&mut connection)
            .await?)
    }

    /// A number that the server tells of itself, such as `used_memory`.
    pub async fn told(&self, name: &str) -> anyhow::Result<u64> {
        let mut connection = self.connection().await?;
        let info: String =
            redis::cmd("INFO").arg("everything").query_async(&mut connection).await?;
        let told = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Ok(told.ok_or_else(|| anyhow::anyhow!("it does not tell {name}"))?.trim().parse()?)
    }

    /// Puts values there until so many bytes of its memory are used.
    pub async fn fill(&self, used: u64) -> anyhow::Result<()> {
        let mut connection = self.connection().await?;
        while self.told("used_memory").await? < used {
            let mut put = redis::cmd("RPUSH");
            put.arg("filling").arg(vec![b'x'; 128 << 10]);
            let _: usize = put.query_async(&mut connection).await?;
        }
        Ok(())
    }

    /// Puts values there without end, as other users of a cache do, until the answer is dropped.
    pub async fn crowd(&self, bytes: usize) -> anyhow::Result<JoinSet<()>> {
        let mut connection = self.connection().await?;
        let mut crowd = JoinSet::new();
        crowd.spawn(async move {
            for n in 0_u64.. {
                let mut set = redis::cmd("SET");
                set.arg(format!("crowd:{n}")).arg(vec![b'x'; bytes]);
                // A server that takes nothing more is crowded too.
                let _: redis::RedisResult<()> = set.query_async(&mut connection).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        Ok(crowd)
    }

    /// A connection for the test itself.
    pub async fn connection(&self) -> anyhow::Result<ConnectionManager> {
        Ok(ConnectionManager::new(redis::Client::open(self.url())?).await?)
    }
}

async fn free_port() -> anyhow::Result<u16> {
    Ok(free_address().await?.port())
}
