//! A number of words goes in, that much of a guided meditation comes out: always the same for the
//! same chances.

use fastrand::Rng;

/// Sentences of about ten words that fit behind each other in any order.
const SENTENCES: [&str; 24] = [
    "Let your shoulders sink a little lower with each slow breath.",
    "There is nothing to do now, and nowhere else to be.",
    "Feel the ground beneath you, patient and steady, holding your weight.",
    "Notice the air as it comes in, cool at the edge.",
    "With the next breath, let the face become soft and wide.",
    "Thoughts may come like small boats, and they may drift on.",
    "Somewhere far away a bell has rung, and silence follows it.",
    "Rest in the space between two breaths, as long as it lasts.",
    "Your hands are warm and heavy, like stones in the sun.",
    "Let the evening light fall over all that the day has left.",
    "Whatever was loud is further away now, and growing softer still.",
    "Imagine a shore at dusk, with water that comes and goes.",
    "Each wave brings a little quiet, and takes a little weight.",
    "You need not hold on to anything that wants to leave.",
    "Follow the breath down into the belly, and wait for it there.",
    "If the mind wanders, bring it home as you would a child.",
    "The path ahead is soft with moss, and no one hurries you.",
    "Listen to the room around you without naming any of it.",
    "A kind of trust grows here, slowly, like light before morning.",
    "Let the jaw be loose, and the tongue rest where it likes.",
    "Breathe out a little longer than you have breathed in before.",
    "Behind the eyes there is room, dark and calm and wide.",
    "Nothing is missing from this moment, and nothing in it is wrong.",
    "Stay here for a while, and let the stillness look after you.",
];
const CLOSING: &str = "Now come back to the room, gently, and open your eyes when you like.";

/// At least `words` words, and at most one sentence more, in paragraphs of so many sentences; the
/// last one comes back to the room.
pub(super) fn meditation(words: usize, sentences: usize, rng: &mut Rng) -> Vec<String> {
    let mut paragraphs = Vec::new();
    let mut count = spoken(CLOSING);
    while count < words {
        let mut paragraph = Vec::new();
        while paragraph.len() < sentences && count < words {
            let sentence = SENTENCES[rng.usize(..SENTENCES.len())];
            count += spoken(sentence);
            paragraph.push(sentence);
        }
        paragraphs.push(format!("{} [pause 2s]\n\n", paragraph.join(" ")));
    }
    paragraphs.push(CLOSING.to_owned());
    paragraphs
}

/// Words without the marks for pauses.
pub(super) fn spoken(text: &str) -> usize {
    let speech = text.split('[').filter_map(|part| part.rsplit(']').next());
    speech.map(|part| part.split_whitespace().count()).sum()
}
