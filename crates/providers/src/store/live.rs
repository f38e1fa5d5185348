//! What a record calls the playlist of a live sound goes in; the list as far as there is sound comes out, and
//! where each of its parts lies.

use pipeline::{LiveList, LivePart, ObjectKey, ProviderError};

use super::contract::Store;

/// What parts are called.
pub const LIVE_TYPE: &str = "audio/mp4";
/// What their list is called.
pub const LIVE_LIST_TYPE: &str = "application/vnd.apple.mpegurl";

/// A live sound in a store.
#[derive(Clone, Debug)]
pub struct LiveSound {
    folder: ObjectKey,
}

impl LiveSound {
    /// The sound whose playlist a record calls `key`; `None` when that is no key of one.
    pub fn of(key: &str) -> Option<Self> {
        let folder = ObjectKey::parse(key.rsplit_once('/')?.0).ok()?;
        Some(Self { folder })
    }

    /// The playlist as far as there is sound, of parts in the folder of its making; `None` before the first
    /// one. It has an end when all of it is there, and when its job `has_ended`.
    pub async fn list(
        &self,
        store: &dyn Store,
        has_ended: bool,
    ) -> Result<Option<String>, ProviderError> {
        let listed = store.list(&self.folder).await?;
        let part = |key: &ObjectKey| LivePart::parse(key.as_str().rsplit('/').next()?);
        let list = LiveList::of(listed.iter().filter_map(|one| part(&one.key)));
        Ok(list.map(|list| list.render(&format!("{}/", self.making()), has_ended)))
    }

    /// The key of the part that is called `name` in the folder of its making; `None` when there is no such
    /// part, of this making.
    pub fn part(&self, making: &str, name: &str) -> Option<String> {
        let is_part = making == self.making() && LivePart::parse(name).is_some();
        let key = is_part.then(|| self.folder.join(name)).and_then(Result::ok);
        key.map(|key| key.to_string())
    }

    fn making(&self) -> &str {
        self.folder.as_str().rsplit('/').next().unwrap_or_default()
    }
}
