//! Three nodes that share the slots of a cluster; nothing goes in, their addresses come out.

use anyhow::Context;
use futures::future::try_join_all;

use crate::server::Server;
use crate::wait::{WAIT_TIMEOUT, look};

/// The first and the last slot of each node.
const SLOTS: [[&str; 2]; 3] = [["0", "5460"], ["5461", "10922"], ["10923", "16383"]];

/// A cluster without replicas.
pub struct Cluster {
    nodes: Vec<Server>,
}

impl Cluster {
    /// Starts the nodes and waits until they agree.
    pub async fn start() -> anyhow::Result<Self> {
        let nodes = try_join_all(SLOTS.map(|_| Server::start_node())).await?;
        for (node, [first, last]) in nodes.iter().zip(SLOTS) {
            node.say(&["CLUSTER", "ADDSLOTSRANGE", first, last]).await?;
        }
        for node in &nodes[1..] {
            let (port, bus) = (node.port().to_string(), node.bus().context("a bus")?);
            nodes[0].say(&["CLUSTER", "MEET", "127.0.0.1", &port, bus]).await?;
        }
        for node in &nodes {
            let agreed = look(WAIT_TIMEOUT, async || {
                let mut connection = node.connection().await.ok()?;
                let info = redis::cmd("CLUSTER").arg("INFO").clone();
                let info: String = info.query_async(&mut connection).await.ok()?;
                let agreed = info.contains("cluster_state:ok")
                    && info.contains("cluster_slots_assigned:16384");
                agreed.then_some(())
            });
            agreed.await.context("the nodes never agreed")?;
        }
        Ok(Self { nodes })
    }

    /// The node that keeps `key`, and one that does not.
    pub async fn keeper_and_stranger(&self, key: &str) -> anyhow::Result<(&Server, &Server)> {
        let mut connection = self.nodes[0].connection().await?;
        let asking = redis::cmd("CLUSTER").arg("KEYSLOT").arg(key).clone();
        let slot: u32 = asking.query_async(&mut connection).await?;
        let keeps = |[_, last]: &[&str; 2]| last.parse().is_ok_and(|last: u32| slot <= last);
        let at = SLOTS.iter().position(keeps).context("a slot beyond the last")?;
        Ok((&self.nodes[at], &self.nodes[(at + 1) % SLOTS.len()]))
    }
}
