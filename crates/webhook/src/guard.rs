//! An address goes in; whether a stranger may have it called comes out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks of IPv4 that lead into somebody's own network, to nobody, or to everybody: the registry of
/// special-purpose addresses (RFC 6890 and its successors), and what clouds answer metadata on outside
/// of it.
const CLOSED_V4: [(Ipv4Addr, u8); 17] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Azure's host, in a block that is public otherwise.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, reserved, broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];
/// What is public of IPv6: all of `2000::/3` but these.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const CLOSED_V6: [(Ipv6Addr, u8); 4] = [
    // Protocols: Teredo, benchmarks, ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    // 6to4: an address of IPv4 in disguise, out of use.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
];
/// IPv6-only networks reach IPv4 by it.
const NAT64: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Whether `address` leads to a machine of the public internet, whatever it is dressed in.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !CLOSED_V4.iter().any(|(net, bits)| contains_v4(*net, *bits, v4)),
        IpAddr::V6(v6) => match disguised(v6) {
            Some(v4) => is_public(v4.into()),
            None => {
                contains_v6(GLOBAL_V6.0, GLOBAL_V6.1, v6)
                    && !CLOSED_V6.iter().any(|(net, bits)| contains_v6(*net, *bits, v6))
            }
        },
    }
}

/// The address of IPv4 to which a system or a gateway turns this one.
fn disguised(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = v6.octets();
    let translated = contains_v6(NAT64.0, NAT64.1, v6).then(|| Ipv4Addr::new(a, b, c, d));
    v6.to_ipv4_mapped().or(translated)
}

fn contains_v4(net: Ipv4Addr, bits: u8, address: Ipv4Addr) -> bool {
    (net.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(bits)
}

fn contains_v6(net: Ipv6Addr, bits: u8, address: Ipv6Addr) -> bool {
    (net.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(bits)
}

/// Receivers of an operator's own: names, and blocks of addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowed {
    hosts: Vec<String>,
    blocks: Vec<(IpAddr, u8)>,
}

impl Allowed {
    /// Reads names (`hooks.internal`), addresses (`127.0.0.1`, `::1`) and blocks (`10.1.0.0/16`).
    pub(crate) fn new<'entry>(entries: impl IntoIterator<Item = &'entry str>) -> Self {
        let mut allowed = Self::default();
        for entry in entries {
            match block(entry) {
                Some(block) => allowed.blocks.push(block),
                None => allowed.hosts.push(plain(entry)),
            }
        }
        allowed
    }

    /// Whether the host itself is named: then wherever its name leads is the operator's business.
    pub(crate) fn names(&self, host: &str) -> bool {
        let host = plain(host);
        self.hosts.contains(&host)
            || literal(&host).is_some_and(|address| self.has_address(address))
    }

    /// Whether a connection may go there.
    pub(crate) fn may_reach(&self, address: IpAddr) -> bool {
        is_public(address) || self.has_address(address)
    }

    fn has_address(&self, address: IpAddr) -> bool {
        self.blocks.iter().any(|(net, bits)| match (*net, address) {
            (IpAddr::V4(net), IpAddr::V4(v4)) => contains_v4(net, *bits, v4),
            (IpAddr::V6(net), IpAddr::V6(v6)) => contains_v6(net, *bits, v6),
            _ => false,
        })
    }
}

/// The address that a host is, where it is one.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn plain(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

fn block(entry: &str) -> Option<(IpAddr, u8)> {
    let (net, bits) = match entry.split_once('/') {
        Some((net, bits)) => (net, Some(bits.parse().ok()?)),
        None => (entry, None),
    };
    let net = literal(net)?;
    let whole = if net.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(whole);
    (bits <= whole).then_some((net, bits))
}
