//! The address of a datagram socket goes in, as `NOTIFY_SOCKET` spells it; a socket that sends there
//! comes out.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram as Blocking};

use tokio::net::UnixDatagram;

/// Connects to the path, or behind `@` to the abstract name; `None` for any other spelling.
pub(crate) fn connect(address: &OsStr) -> io::Result<Option<UnixDatagram>> {
    let address = match address.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        [b'/', ..] => SocketAddr::from_pathname(address)?,
        _ => return Ok(None),
    };
    let socket = Blocking::unbound()?;
    socket.connect_addr(&address)?;
    socket.set_nonblocking(true)?;
    UnixDatagram::from_std(socket).map(Some)
}
