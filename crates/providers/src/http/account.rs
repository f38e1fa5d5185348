//! The settings of a capability go in; the account on which it is bought comes out.

use secrecy::SecretString;

pub use stillcast_enqueue::capability::Capability;

/// Where and as whom a capability is bought.
#[derive(Clone, Debug)]
pub struct Account {
    /// What is bought.
    pub capability: Capability,
    /// The address in front of the vendor's paths, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The account's key; servers of one's own may need none.
    pub key: Option<SecretString>,
    /// The model's name, as the server knows it.
    pub model: String,
}
