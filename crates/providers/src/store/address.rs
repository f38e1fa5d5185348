//! A key goes in; the address under which people fetch the object comes out.

use pipeline::ObjectKey;

/// The address of `key` below a public one.
pub(super) fn below(base: &str, key: &ObjectKey) -> String {
    format!("{}/{key}", base.trim_end_matches('/'))
}

/// A path as part of a URL.
pub(super) fn escape(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
    let escaped = |byte: u8| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    path.bytes().map(escaped).collect()
}
