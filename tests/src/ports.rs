//! A port that nobody listens at, for a program that cannot be told to choose one itself.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;

/// Below the ports that Linux gives to connections: one of those could be taken by any client of this
/// machine before the program listens there.
const RANGE: std::ops::Range<u16> = 10_000..30_000;
/// Ports that are tried.
const TRIES: usize = 100;

/// An address of this machine, drawn by chance, so that tests that run beside each other draw others.
pub async fn free_address() -> anyhow::Result<SocketAddr> {
    for _ in 0..TRIES {
        let address = SocketAddr::from(([127, 0, 0, 1], fastrand::u16(RANGE)));
        if TcpListener::bind(address).await.is_ok() {
            return Ok(address);
        }
    }
    Err(anyhow::anyhow!("{TRIES} ports are taken")).context("no free port")
}
