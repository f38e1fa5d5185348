//! Three sentinels go by the primary that they are told, and name another one when it is gone.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Context;
use child::{Running, Spec, Stream};
use redis::FromRedisValue;
use tempfile::TempDir;

use crate::ports::free_address;
use crate::server::Server;
use crate::wait::look;

/// The primary's name there.
pub const NAME: &str = "evening";
/// Longest wait for what sentinels agree on.
const WAIT_TIMEOUT: Duration = Duration::from_secs(90);
/// How long a primary must be silent until it is taken for dead, and how long a fail-over may take, in ms.
const DOWN_AFTER_MS: u32 = 2000;
const FAILOVER_MS: u32 = 5000;

/// The three.
pub struct Sentinels {
    ports: Vec<u16>,
    _running: Vec<Running>,
    _folder: TempDir,
}

impl Sentinels {
    /// They watch `primary`, and return once all know each other and its one replica.
    pub async fn start(primary: &Server) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("sc-").tempdir()?;
        let (mut ports, mut running) = (Vec::new(), Vec::new());
        for number in 1..=3 {
            let port = free_address().await?.port();
            let file = folder.path().join(format!("{number}.conf"));
            std::fs::write(&file, configuration(port, primary.port(), folder.path()))?;
            let log = std::fs::File::create(folder.path().join(format!("{number}.log")))?;
            let sentinel = Spec::new("redis-server").arg(&file).arg("--sentinel");
            running.push(sentinel.stdout(Stream::File(log)).spawn().await?);
            ports.push(port);
        }
        let sentinels = Self { ports, _running: running, _folder: folder };
        sentinels
            .until("they know each other and the replica", async || {
                sentinels.all_are_ready().await.then_some(())
            })
            .await?;
        Ok(sentinels)
    }

    /// The address, for clients that ask them.
    #[must_use]
    pub fn url(&self) -> String {
        let hosts: Vec<String> =
            self.ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        format!("redis+sentinel://{}/{NAME}", hosts.join(","))
    }

    /// Has them promote a replica, and returns once all name it: its port.
    pub async fn fail_over(&self) -> anyhow::Result<u16> {
        let before = self.named(self.ports[0]).await.context("a primary")?;
        self.until("they take a fail-over on", async || {
            let begun = ask::<String>(self.ports[0], &["FAILOVER", NAME]).await;
            begun.ok().map(drop)
        })
        .await?;
        self.until_another_than(before).await
    }

    /// Returns once all name another primary than the one on port `before`: its port.
    pub async fn until_another_than(&self, before: u16) -> anyhow::Result<u16> {
        self.until("they name another primary", async || {
            let mut named = Vec::new();
            for port in &self.ports {
                named.push(self.named(*port).await?);
            }
            let first = named[0];
            (first != before && named.iter().all(|port| *port == first)).then_some(first)
        })
        .await
    }

    /// Returns once the replica follows, so that it may be promoted in turn.
    pub async fn until_whole(&self) -> anyhow::Result<()> {
        self.until("a replica follows", async || self.all_are_ready().await.then_some(())).await
    }

    async fn named(&self, sentinel: u16) -> Option<u16> {
        let place: (String, u16) = ask(sentinel, &["GET-MASTER-ADDR-BY-NAME", NAME]).await.ok()?;
        Some(place.1)
    }

    async fn all_are_ready(&self) -> bool {
        for port in &self.ports {
            if ask::<String>(*port, &["CKQUORUM", NAME]).await.is_err() {
                return false;
            }
            let replicas = ask::<Vec<HashMap<String, String>>>(*port, &["REPLICAS", NAME]).await;
            let is = |replica: &HashMap<String, String>, field: &str, value: &str| {
                replica.get(field).is_some_and(|found| found == value)
            };
            let is_up = |replica: &HashMap<String, String>| {
                is(replica, "flags", "slave") && is(replica, "master-link-status", "ok")
            };
            if !replicas.is_ok_and(|replicas| replicas.iter().any(is_up)) {
                return false;
            }
        }
        true
    }

    async fn until<T>(&self, what: &str, at: impl AsyncFnMut() -> Option<T>) -> anyhow::Result<T> {
        look(WAIT_TIMEOUT, at).await.with_context(|| format!("not within {WAIT_TIMEOUT:?}: {what}"))
    }
}

fn configuration(port: u16, primary: u16, folder: &std::path::Path) -> String {
    format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor {NAME} 127.0.0.1 {primary} 2\n\
         sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}\n\
         sentinel failover-timeout {NAME} {FAILOVER_MS}\n",
        folder.display()
    )
}

async fn ask<T: FromRedisValue>(sentinel: u16, words: &[&str]) -> anyhow::Result<T> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{sentinel}"))?;
    let mut connection = client.get_multiplexed_async_connection().await?;
    Ok(redis::cmd("SENTINEL").arg(words).query_async(&mut connection).await?)
}
