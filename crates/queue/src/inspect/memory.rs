//! Nothing goes in; what the queue's Redis says of its memory and its clients comes out.

use std::collections::HashMap;

use super::inspector::Inspector;
use crate::QueueError;

/// What the queue's Redis says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerNumbers {
    /// Bytes that it uses.
    pub used_bytes: u64,
    /// Bytes that it may use; 0 for as many as there are.
    pub max_bytes: u64,
    /// Connections that are open.
    pub clients: u64,
    /// Commands that it has served since it began.
    pub commands: u64,
}

impl Inspector {
    /// `None` for a user of Redis who may not ask (`+info`).
    pub async fn server_numbers(&self) -> Result<Option<ServerNumbers>, QueueError> {
        let mut info = redis::cmd("INFO");
        let sections = ["memory", "clients", "stats"];
        match info.arg(&sections).query_async::<String>(&mut self.connection.clone()).await {
            Ok(said) => Ok(Some(ServerNumbers::of(&said))),
            Err(error) if error.code() == Some("NOPERM") => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl ServerNumbers {
    pub(super) fn of(said: &str) -> Self {
        let pairs: HashMap<&str, &str> =
            said.lines().filter_map(|line| line.trim_end().split_once(':')).collect();
        let number = |name: &str| pairs.get(name).and_then(|text| text.parse().ok());
        Self {
            used_bytes: number("used_memory").unwrap_or_default(),
            max_bytes: number("maxmemory").unwrap_or_default(),
            clients: number("connected_clients").unwrap_or_default(),
            commands: number("total_commands_processed").unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read() {
        let said = "# Memory\r\nused_memory:1048576\r\nused_memory_rss:9\r\nmaxmemory:0\r\n\
                    # Clients\r\nconnected_clients:3\r\ntotal_commands_processed:77\r\n";
        let read = ServerNumbers { used_bytes: 1 << 20, max_bytes: 0, clients: 3, commands: 77 };
        assert_eq!(ServerNumbers::of(said), read);
    }
}
