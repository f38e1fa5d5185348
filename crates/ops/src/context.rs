//! What every command is given: the settings and the screen.

use crate::config::Config;
use crate::render::Screen;

/// The settings and the screen of this run.
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) screen: Screen,
}
