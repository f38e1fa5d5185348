//! `STORAGE_URL`, `PUBLIC_BASE_URL`, `S3_ENDPOINT`, `AWS_…` and `STILLCAST_HOME` go in; where files go,
//! finished and not, comes out.

use std::path::PathBuf;

use settings::{BucketConfig, Environment, Reader, address};

/// Where files go.
#[derive(Debug)]
pub(crate) struct StorageConfig {
    /// The store's address.
    pub(crate) url: String,
    /// What people fetch from instead.
    pub(crate) public_base_url: Option<String>,
    /// How a bucket is reached.
    pub(crate) bucket: BucketConfig,
    /// The folder for unfinished files.
    pub(crate) scratch: PathBuf,
}

/// Reads the section; `environment` tells where this user is at home.
pub(super) fn read(reader: &mut Reader, environment: &Environment) -> Option<StorageConfig> {
    let hint = "it names the place for finished files: file:///a/folder or s3://a-bucket";
    let url = reader.required("storage_url", hint, storage_url);
    let public_base_url =
        reader.optional("public_base_url", |text| address::http(text, "https://media.example.org"));
    let bucket = BucketConfig::read(reader);
    let scratch = scratch(reader, environment);
    Some(StorageConfig { url: url?, public_base_url, bucket, scratch: scratch? })
}

fn storage_url(text: &str) -> Result<String, String> {
    address::storage(text)
}

fn scratch(reader: &mut Reader, environment: &Environment) -> Option<PathBuf> {
    let home = settings::home(reader, environment);
    let Some(folder) = home.filter(|folder| folder.is_absolute()) else {
        let hint = "and HOME names no absolute folder; set it to a folder for unfinished files";
        reader.missing("stillcast_home", hint);
        return None;
    };
    reader.show("stillcast_home", folder.display().to_string());
    Some(folder.join("scratch"))
}
