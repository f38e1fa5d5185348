//! `WORKER_ADDR` goes in; where probes and scrapes are answered comes out.

use std::net::SocketAddr;

use settings::Reader;

/// Reads the section: an address, or `None` for nowhere. The outer `None` is a fault.
#[expect(clippy::option_option, reason = "to answer nowhere is no fault")]
pub(super) fn read(reader: &mut Reader) -> Option<Option<SocketAddr>> {
    reader.read("worker_addr", |text| match text {
        "off" => Ok(None),
        _ => text
            .parse()
            .map(Some)
            .map_err(|_| "is an address such as 127.0.0.1:8091, or off".to_owned()),
    })
}
