//! What is stored under a key today must be found under it tomorrow: the keys of one job, pinned.

use std::sync::Arc;

use stillcast_enqueue::{Format, Identifier, Options};

use super::fakes::TestRun;
use super::shared_state::SharedState;

/// A change here lets every running fleet pay again for all that it has: it must be meant.
#[tokio::test(start_paused = true)]
async fn keys_of_another_version_find_the_same_values() {
    let shared = Arc::new(SharedState::default());
    let options = Options {
        voice: Identifier::parse("voice", "low").ok(),
        language: Identifier::parse("language", "de").ok(),
        variant: 3,
    };
    TestRun::of(&shared, Format::Video).with(options).attempt().await.unwrap();
    let mut keys = shared.keys();
    keys.dedup_by_key(|key| key.split('/').nth(1).unwrap_or_default().to_owned());
    assert_eq!(
        keys,
        [
            "default/delivery/e50524cf1e98c9db5506f6c303ca776d9c3ae04883729dc3e34664e6ae38b0f7",
            "default/image/8c0aa9ef16a50cd84288b974f8021b34acddcc57fa2bfeea0e4cc5f68bc95a15",
            "default/passage/11d89a22f3bf172755f521701ee4541124ca690e999ff8032a0bc2065f4d665e",
            "default/transcript/1ec7973d3f7276aaf3087d299d7c010d94d5f56cf69dc0bf2da08a8c667d1e04",
            "default/tts/390047d8720699e9cbf1bbf2a4dcb800cb93dcc1ce257243aaca211f2cd1ba70",
        ]
    );
}
