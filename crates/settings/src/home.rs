//! `STILLCAST_HOME` and `HOME` go in; the folder for this user's data comes out.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::reader::Reader;

/// Where it is when nobody says, below `HOME`.
const DEFAULT: &str = ".local/share/stillcast";

/// The folder that `stillcast_home` names, else the usual one below this user's home, as either was
/// written: it may be relative. `None` when there is neither.
pub fn home(reader: &mut Reader, environment: &Environment) -> Option<PathBuf> {
    let told = reader.text("stillcast_home").map(PathBuf::from);
    told.or_else(|| Some(Path::new(environment.get("HOME")?).join(DEFAULT)))
}
