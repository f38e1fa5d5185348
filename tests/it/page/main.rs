//! The pages for people as a browser shows them: `stillcast serve` on a private Redis, looked at in
//! headless Chromium through its own driver.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
mod desk;
mod entry;
mod formats;
mod jobs;
mod keys;
mod looks;
mod operate;
mod overview;
mod whole;
