//! A folder goes in; the objects below it come out, or are deleted.

use std::time::Duration;

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{Delete, Object, ObjectIdentifier};
use pipeline::{Listed, ObjectKey, ProviderError};

use super::bucket::Bucket;
use super::failure;

/// Most keys that one request deletes.
const BATCH: usize = 1_000;

impl Bucket {
    /// What lies below the folder, with the age that this host's clock gives it.
    #[expect(clippy::disallowed_methods, reason = "objects carry the store's wall clock only")]
    pub(super) async fn list(&self, prefix: &ObjectKey) -> Result<Vec<Listed>, ProviderError> {
        let now = DateTime::from(std::time::SystemTime::now()).secs();
        let below = format!("{}/", self.key(prefix));
        let request = self.client.list_objects_v2().bucket(&*self.name).prefix(below);
        let mut pages = request.into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = pages.try_next().await.map_err(failure::of)? {
            all.extend(page.contents().iter().filter_map(|object| self.listed(object, now)));
        }
        Ok(all)
    }

    /// None for what we would never have put: that is not ours to count or delete.
    fn listed(&self, object: &Object, now: i64) -> Option<Listed> {
        let key = object.key()?.strip_prefix(&*self.prefix)?;
        let key = ObjectKey::parse(key).ok()?;
        let since = object.last_modified().map_or(0, |put| now - put.secs());
        let age = Duration::from_secs(u64::try_from(since).unwrap_or(0));
        let bytes = object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
        Some(Listed { key, bytes, age })
    }

    /// Deletes what lies below the folder, and an object under its own key; says how many.
    pub(super) async fn delete_prefix(&self, prefix: &ObjectKey) -> Result<usize, ProviderError> {
        let below = self.list(prefix).await?;
        let mut keys: Vec<String> = below.iter().map(|object| self.key(&object.key)).collect();
        keys.extend(self.exactly(prefix).await?);
        for batch in keys.chunks(BATCH) {
            self.delete(batch).await?;
        }
        Ok(keys.len())
    }

    /// The object under `key`, if there is one: of all keys that begin so, the first. Not asked by
    /// HEAD, since stores on a file system take a folder for an object.
    async fn exactly(&self, key: &ObjectKey) -> Result<Option<String>, ProviderError> {
        let key = self.key(key);
        let first = self.client.list_objects_v2().bucket(&*self.name).prefix(&key).max_keys(1);
        let page = first.send().await.map_err(failure::of)?;
        let found = page.contents().first().and_then(|object| object.key());
        Ok(found.filter(|found| *found == key).map(str::to_owned))
    }

    pub(super) async fn delete(&self, keys: &[String]) -> Result<(), ProviderError> {
        let object = |key: &String| ObjectIdentifier::builder().key(key).build();
        let objects: Result<Vec<_>, _> = keys.iter().map(object).collect();
        let objects = objects.map_err(|error| failure::invalid(&error))?;
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
        let delete = delete.map_err(|error| failure::invalid(&error))?;
        let request = self.client.delete_objects().bucket(&*self.name).delete(delete);
        let deleted = request.send().await.map_err(failure::of)?;
        match deleted.errors().first() {
            Some(error) => Err(failure::of_code(error.code(), None, None)),
            None => Ok(()),
        }
    }
}
