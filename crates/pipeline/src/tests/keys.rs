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
        ..Options::default()
    };
    TestRun::of(&shared, Format::Video).with(options).attempt().await.unwrap();
    let mut keys = shared.keys();
    keys.dedup_by_key(|key| key.split('/').nth(1).unwrap_or_default().to_owned());
    assert_eq!(
        keys,
        [
            "default/delivery/4692f4899070c9bcb5148daa787700ed03c2e6fe943623ef48f6f47d7ba513c7",
            "default/image/8c0aa9ef16a50cd84288b974f8021b34acddcc57fa2bfeea0e4cc5f68bc95a15",
            "default/passage/0f4d04a864fafcc273e4d1f8d4dcc64c53a9221b13b15bafb0fea608563eeded",
            "default/transcript/c0f652e05aeecbd0e1e104b89058a6fa9da04691532771b9b34bafa36b2a545c",
            "default/tts/58e952dc9d11ce3011896ef9431cd9ed6ec0ee7b1cd1bd8b955a150ef9ddd9cd",
        ]
    );
}
