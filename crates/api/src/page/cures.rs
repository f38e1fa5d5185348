//! The code of a failure goes in; what a person can do about it comes out.

/// What to do, by the code; the first row that fits. Codes that share a beginning share a cure.
const CURES: [(&str, &str); 28] = [
    (
        "key-refused",
        "Put a valid key into the worker's settings, then resume the queue: nothing was lost.",
    ),
    (
        "access-denied",
        "Give the worker's key the right that the message names, then resume the queue.",
    ),
    ("quota-exhausted", "Top up the account at the provider, then resume the queue."),
    ("model-unknown", "Name a model that the provider has: LLM_MODEL, TTS_MODEL or IMAGE_MODEL."),
    ("voice-unknown", "Ask for a voice that the provider has, or leave options.voice out."),
    (
        "voice-script",
        "Ask for a voice that speaks the text's language, or name the language in options.language.",
    ),
    ("language-unsupported", "Ask for another language, or for another voice provider."),
    ("parameter-refused", "The provider does not take a setting; the worker's log names it."),
    ("content-refused", "The provider will not make this. Change the text, and enqueue it anew."),
    (
        "self-harm",
        "Do not replay it. Show whoever asked for it where there is help, such as a crisis line.",
    ),
    ("content-flagged", "Moderation flags this. Change the text, and enqueue it anew."),
    ("content-too-long", "Shorten the text, and enqueue it anew."),
    (
        "content-timeout",
        "Replay it: what is finished is kept. If it comes again, raise CONTENT_GENERATION_TIMEOUT.",
    ),
    (
        "attempt-timeout",
        "Replay it: what is finished is kept. If it comes again, raise CONTENT_GENERATION_TIMEOUT.",
    ),
    (
        "duration-out-of-reach",
        "Ask for the length that the message names, or for another voice: nothing is paid twice.",
    ),
    (
        "container-unfit",
        "Ask for a container that holds the format, or leave options.container out.",
    ),
    ("rate-limited", "Replay it later, or ask the provider for a higher limit."),
    ("waste-limit", "The provider spoils what it sells. Look at its set-up before you replay."),
    (
        "speech-",
        "The voice gave what nobody can listen to. Replay it once; if it comes again, change voice or model.",
    ),
    (
        "transcript-",
        "The writer gave what cannot be spoken. Replay it once; if it comes again, change LLM_MODEL.",
    ),
    ("thought-", "The writer's thoughts cannot be told from its words. Choose another LLM_MODEL."),
    (
        "image-",
        "The picture cannot be used. Replay it once; if it comes again, change IMAGE_MODEL.",
    ),
    (
        "conversation-",
        "The conversation is not as the job needs it. Look at it in the database, then replay.",
    ),
    ("source-", "The source is not as the job needs it. Look at it, then replay."),
    ("database-", "See that the database answers at the worker's DATABASE_URL, then replay."),
    (
        "store-",
        "See that the store answers and may be written to: STORAGE_URL. Then replay: nothing is paid again.",
    ),
    (
        "ffmpeg-",
        "Install FFmpeg with its usual parts on the worker's host; the worker's --check names what is missing.",
    ),
    ("command-", "See that TTS_COMMAND runs by hand on the worker's host, then replay."),
];

/// What to do about a failure.
pub(super) fn cure(code: &str) -> &'static str {
    let fits = |known: &str| code == known || (known.ends_with('-') && code.starts_with(known));
    let found = CURES.into_iter().find(|(known, _)| fits(known));
    let otherwise = "Replay it once: what is finished is kept, and is not paid again. If it comes again, \
                     the worker's log says more.";
    found.map_or(otherwise, |(_, cure)| cure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_its_own_goes_before_its_family() {
        assert!(cure("voice-unknown").contains("options.voice"));
        assert!(cure("speech-silent").starts_with("The voice gave"));
        assert!(cure("key-refused-otherwise").starts_with("Replay it once"));
    }
}
