//! Where content comes from and files go: the database, the folder or bucket, the scratch folder.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::reader::Reader;
use super::{BucketConfig, BucketKey, DatabaseConfig, StorageConfig, redact};

/// Where a setting is at fault, the reader keeps that, and nothing of this is used.
pub(super) fn database(reader: &mut Reader) -> DatabaseConfig {
    let url = database_url(reader);
    let messages = query(reader, "messages_query");
    let sources = query(reader, "sources_query");
    if sources.is_some() && reader.is_empty("messages_query") {
        let message = "is read with MESSAGES_QUERY only; set both, or none for the sample schema";
        reader.fault("SOURCES_QUERY".to_owned(), message);
    }
    DatabaseConfig { url, messages, sources }
}

fn database_url(reader: &mut Reader) -> Option<SecretString> {
    // The secret was already read from it.
    reader.text("database_url_file");
    let url = reader.read("database_url", |url| match url.split_once("://") {
        None if url.is_empty() => Ok(None),
        Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => Ok(Some(url.to_owned())),
        _ => Err("is an address such as postgres://user:password@host/database".to_owned()),
    })??;
    reader.show("database_url", redact::address(&url));
    Some(url.into())
}

/// The adapter knows what a query must bind; here it is only taken.
fn query(reader: &mut Reader, name: &'static str) -> Option<String> {
    reader.read(name, |text| match text {
        "" => Ok(None),
        _ if text.contains("$1") && text.contains("$2") => Ok(Some(text.to_owned())),
        _ => Err("must bind $1, the tenant, and $2, the conversation".to_owned()),
    })?
}

pub(super) fn storage(reader: &mut Reader, home: Option<&Path>) -> Option<StorageConfig> {
    let url = storage_url(reader);
    let public_base_url = reader.read("public_base_url", |text| match text.split_once("://") {
        None if text.is_empty() => Ok(None),
        Some(("http" | "https", rest)) if !rest.is_empty() => Ok(Some(text.to_owned())),
        _ => Err("is an address such as https://media.example.org".to_owned()),
    });
    let bucket = bucket(reader);
    let scratch = scratch(reader, home);
    Some(StorageConfig {
        url: url?,
        public_base_url: public_base_url?,
        bucket: bucket?,
        scratch: scratch?,
    })
}

fn storage_url(reader: &mut Reader) -> Option<String> {
    let url = reader.read("storage_url", |text| match text.split_once("://") {
        None if text.is_empty() => Ok(None),
        Some(("file", path)) if path.starts_with('/') && !path.contains('%') => {
            Ok(Some(text.to_owned()))
        }
        Some(("s3", place)) if !place.is_empty() && !place.starts_with('/') => {
            Ok(Some(text.to_owned()))
        }
        _ => Err("is file:// and an absolute path without `%`, or s3://bucket/prefix".to_owned()),
    })?;
    if url.is_none() {
        let message = "it names the place for finished files: file:///a/folder or s3://a-bucket";
        reader.missing("storage_url", message);
    }
    url
}

fn bucket(reader: &mut Reader) -> Option<BucketConfig> {
    let endpoint = reader.read("s3_endpoint", |text| match text.split_once("://") {
        None if text.is_empty() => Ok(None),
        Some(("http" | "https", rest)) if !rest.is_empty() => Ok(Some(text.to_owned())),
        _ => Err("is an address such as http://127.0.0.1:9000".to_owned()),
    });
    let region = reader.text("aws_region");
    let key = bucket_key(reader);
    Some(BucketConfig { endpoint: endpoint?, region, key })
}

fn bucket_key(reader: &mut Reader) -> Option<BucketKey> {
    reader.text("aws_secret_access_key_file");
    reader.text("aws_session_token_file");
    let id = reader.text("aws_access_key_id");
    let key = secret(reader, "aws_secret_access_key");
    let session_token = secret(reader, "aws_session_token");
    match (id, key) {
        (Some(id), Some(secret)) => return Some(BucketKey { id, secret, session_token }),
        (None, None) => {}
        (None, Some(_)) => {
            reader.missing("aws_access_key_id", "and AWS_SECRET_ACCESS_KEY is; set both or none");
        }
        (Some(_), None) => {
            reader.missing("aws_secret_access_key", "and AWS_ACCESS_KEY_ID is; set both or none");
        }
    }
    None
}

fn secret(reader: &mut Reader, name: &'static str) -> Option<SecretString> {
    let text = reader.text(name)?;
    reader.show(name, "***".to_owned());
    Some(text.into())
}

fn scratch(reader: &mut Reader, home: Option<&Path>) -> Option<PathBuf> {
    let told = reader.text("stillcast_home").map(PathBuf::from);
    let folder = told.or_else(|| Some(home?.join(".local/share/stillcast")));
    let Some(folder) = folder.filter(|folder| folder.is_absolute()) else {
        let message = "and HOME names no absolute folder; set it to a folder for unfinished files";
        reader.missing("stillcast_home", message);
        return None;
    };
    reader.show("stillcast_home", folder.display().to_string());
    Some(folder.join("scratch"))
}
