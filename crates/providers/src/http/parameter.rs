//! A part of a request goes in; what to do where a server refuses it comes out.

use super::account::Capability;

/// A part of a request that a server may refuse.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// Its name on the wire.
    pub(crate) name: &'static str,
    /// Whether it carries the job's text.
    pub(crate) is_text: bool,
    /// The capability's setting that mends it, such as `VOICE`; without one, only another model or
    /// server does.
    setting: Option<&'static str>,
}

impl Parameter {
    /// One that no setting decides.
    pub(crate) const fn fixed(name: &'static str) -> Self {
        Self { name, is_text: false, setting: None }
    }

    /// One that the capability's `setting` decides.
    pub(crate) const fn set_by(name: &'static str, setting: &'static str) -> Self {
        Self { name, is_text: false, setting: Some(setting) }
    }

    /// One that carries the job's text.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self { name, is_text: true, setting: None }
    }

    /// What happened and what to do.
    pub(super) fn sentence(&self, capability: Capability) -> String {
        let name = self.name;
        match self.setting {
            Some(setting) => {
                format!("the server refuses the parameter `{name}`; correct {capability}_{setting}")
            }
            None => format!(
                "the server refuses the parameter `{name}`; set {capability}_MODEL or {capability}_BASE_URL to one that takes it"
            ),
        }
    }
}
