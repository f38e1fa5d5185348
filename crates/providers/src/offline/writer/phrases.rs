//! The words of a source go in, to choose a place by; what the offline writer can say comes
//! out. Templates name words as words, so that any word fits.

use fastrand::Rng;

/// How a meditation begins.
pub(super) const ARRIVALS: [&str; 4] = [
    "Welcome. There is nothing you need to finish right now, and nowhere else you need to be. \
     [pause 3s] Find a position that feels kind to your body, and when you are ready, let your eyes close.",
    "Hello, and thank you for taking these few minutes. Let the day behind you stay behind you for a while. \
     [pause 3s] Sit or lie in a way that lets you rest, and allow your eyes to grow soft, or to close.",
    "Settle in, gently. The next few minutes belong to you, and they ask for nothing in return. \
     [pause 3s] Let your hands find a place to lie, and let your gaze sink down, or your eyes fall shut.",
    "Be welcome here, just as you are. Whatever brought you to this moment may rest outside the door. \
     [pause 3s] Make yourself a little more comfortable than you think you need to be, and close your eyes.",
];

/// How the body lets go.
pub(super) const BODIES: [&str; 4] = [
    "Notice the weight of your body, and the ground that carries it without effort. Let your shoulders \
     drop a little. Let your jaw loosen. Soften the small muscles around your eyes, and let your belly be easy. [pause 4s]",
    "Begin at the top of your head, and let a slow warmth travel down. Over the forehead, over the cheeks, \
     down the neck, along both arms to the tips of your fingers. Wherever it passes, something may let go. [pause 4s]",
    "Feel the places where you are being held: your back, your legs, the soles of your feet. Give them \
     a little more of your weight. There is no need to hold yourself up just now. You are supported. [pause 4s]",
    "Turn your attention to your hands. Notice their warmth, and the air that touches them. Then let that \
     same quiet attention spread through your arms, your chest, and all the way down to your feet. [pause 4s]",
];

/// How the breath becomes slow.
pub(super) const BREATHS: [&str; 4] = [
    "Now let a breath come in through the nose, slowly. [pause 2s] And let it go, a little longer than it came. \
     [pause 3s] Once more, in. [pause 2s] And out. [pause 4s] From here on, the breath can find its own way.",
    "Bring your attention to your breath. You do not have to change it. [pause 3s] Follow one breath all the way in, \
     to the small stillness at the top, [pause 2s] and all the way out, to the small stillness at the end. [pause 4s]",
    "Breathe in, and count slowly to four. [pause 4s] Hold nothing. Breathe out, and count slowly to six. [pause 5s] \
     With every breath out, the body learns again how simple it is to rest.",
    "Listen to your breathing as you would listen to waves, far away. One rises. [pause 3s] One falls. [pause 3s] \
     You do not need to row. The breath carries you all by itself.",
];

/// How the source's first three words come in.
pub(super) const THEMES: [&str; 4] = [
    "Something of your own is here with you. Let a single word come first: {1}. [pause 3s] You do not need to \
     explain it, or to solve it. Beside it, let there be {2}. [pause 2s] And a little further off, {3}. [pause 3s] \
     Three words, like three small lights on the water.",
    "You have carried words with you into this stillness. One of them is {1}. [pause 3s] Let it be as large \
     or as small as it likes. Another one is {2}. [pause 2s] And another, {3}. [pause 3s] Set them down \
     before you, one beside the other, as you would set down stones from a walk.",
    "Think of {1}, only for a moment. [pause 3s] See what the body does with that word, and let the body do it. \
     Now think of {2}. [pause 2s] And now of {3}. [pause 3s] None of them asks for an answer. \
     They only want to be seen, and then they can rest.",
    "Let us be gentle with what fills your mind. If {1} is there, let it be there. [pause 3s] If {2} \
     comes, it may come. [pause 2s] If {3} knocks at the door, open it, smile, and go on breathing. [pause 3s] \
     There is room in you for all of it.",
];

/// A thought for one word.
pub(super) const REFLECTIONS: [&str; 10] = [
    "Breathing in, you notice the word {1}. Breathing out, you let it float a little further away. [pause 3s]",
    "Perhaps there is also {1}. Imagine holding it in an open hand, so lightly that a breeze could take it. [pause 3s]",
    "And what of {1}? Give it one full breath of your attention, and then one full breath of rest. [pause 4s]",
    "When {1} comes to mind, greet it like somebody you know, and let it walk beside you without hurry. [pause 3s]",
    "Say to yourself, very quietly: {1}. Hear how the word fades, and how calm it is after the last sound. [pause 3s]",
    "Somewhere in you lives the word {1}. Let it grow warm, the way a stone grows warm in the evening sun. [pause 3s]",
    "Let {1} be a cloud for a moment. It has a shape, it drifts, and the sky behind it stays wide. [pause 3s]",
    "Of {1} you know a great deal already. For now you may know nothing at all, and simply be here. [pause 3s]",
    "You can lay {1} down like a coat beside the door. It will keep. You can take it up again later. [pause 3s]",
    "Notice where in the body the word {1} is felt, and let the breath go there, softly, as if to visit. [pause 4s]",
];

/// How words and place come together.
pub(super) const GATHERINGS: [&str; 4] = [
    "Here, in this place, look once more at what you brought. {1} is here, and so is {2}. They seem smaller now, \
     or softer, or only further away. Let the place hold them for you. [pause 5s]",
    "If you like, leave something here. It may be {1}. It may be {2}. It may be something that has no name. \
     This place is patient, and it keeps whatever you give it. [pause 5s]",
    "Let the quiet around you reach inward, to {1}, to {2}, to {3}, and to everything between them. \
     Nothing has to be pushed away. The quiet is wide enough. [pause 5s]",
    "Now imagine that the light of this place falls on {1}, and on {2}, and that it is a friendly light. \
     Nothing has changed, and still it looks different. [pause 5s]",
];

/// How one comes back.
pub(super) const RETURNS: [&str; 4] = [
    "Slowly, begin to come back. Hear the sounds around you. Feel the air on your skin. Move your fingers, \
     and then your toes, as if you were waking up in the morning of a free day. [pause 3s]",
    "It is time to return, and there is no hurry. Let a deeper breath come in. Stretch a little, if that \
     feels good. Notice that the stillness does not stay behind. It comes along. [pause 3s]",
    "Let the picture fade now, gently. Come back to the weight of your body, to the room, to this hour. \
     Take with you what did you good, and let the rest remain. [pause 3s]",
    "Gather your attention, and bring it back to the breath, to your hands, to your feet on the ground. \
     When you are ready, let a little light in through your eyes. [pause 3s]",
];

/// How a meditation ends.
pub(super) const CLOSES: [&str; 4] = [
    "And should {1} return to you today, you will know what to do: one breath in, one breath out, \
     and a little room around it. Be well. [pause 2s]",
    "May you go on lightly. May {1} be kind to you, and may you be kind to yourself. \
     Thank you for these quiet minutes. [pause 2s]",
    "You have done enough. Whatever the day still holds, you can meet it from here, one breath at a time. \
     Rest well, and go gently. [pause 2s]",
    "Keep this calm somewhere close, like a smooth stone in a pocket. Whenever {1} grows loud, \
     you can reach for it. Until next time. [pause 2s]",
];

/// More rest, where the words alone are too few.
pub(super) const REST: [&str; 8] = [
    "There is nothing to do. The breath comes, and the breath goes, and you are allowed to watch it. [pause 4s]",
    "If a thought carries you off, that is no mistake. Notice it, and come back with the next breath. [pause 4s]",
    "Let the space between two breaths grow a little wider, and rest in it for as long as it lasts. [pause 5s]",
    "Feel how the body breathes on its own, as it has done every night of your life. You can trust it. [pause 4s]",
    "Perhaps you notice a sound, near or far. Let it arrive, let it pass, and hear the quiet behind it. [pause 5s]",
    "With each breath out, let your shoulders sink a little more, and your forehead become smooth and cool. [pause 4s]",
    "Stay here for a few breaths, without counting them, without judging them, without going anywhere. [pause 6s]",
    "Let kindness spread through you like warmth from a cup of tea held in both hands. [pause 4s]",
];

/// Somewhere to rest, and the words that lead there.
pub(super) struct Place {
    /// Words of a source that ask for it; also what is dwelt on when the source has too few.
    pub(super) words: [&'static str; 10],
    /// What one sees there.
    pub(super) scene: &'static str,
}

impl Place {
    /// The place that most of the words belong to; any, when none does.
    pub(super) fn choose(words: &[String], rng: &mut Rng) -> &'static Self {
        let fallback = &PLACES[rng.usize(..PLACES.len())];
        let score = |place: &Self| {
            let belongs = |word: &&String| place.words.iter().any(|hint| word.starts_with(hint));
            words.iter().filter(belongs).count()
        };
        PLACES
            .iter()
            .max_by_key(|place| score(place))
            .filter(|best| score(best) > 0)
            .unwrap_or(fallback)
    }
}

const PLACES: [Place; 6] = [
    Place {
        words: [
            "wave", "shore", "ocean", "beach", "tide", "harbour", "sail", "island", "salt", "coast",
        ],
        scene: "Imagine now that you are standing by the sea, early, before anyone else has come. The sand \
                is cool and firm. Long waves arrive from far away, fold over, and slip back with a sigh. [pause 4s] \
                The light is low and golden, and the horizon is one clear, quiet line. [pause 4s]",
    },
    Place {
        words: [
            "forest", "tree", "leaf", "leaves", "moss", "path", "wood", "fern", "root", "shade",
        ],
        scene: "Imagine now a path that leads into a forest. The ground is soft with moss, and each step \
                makes hardly a sound. High above you, leaves move in a wind that you cannot feel. [pause 4s] \
                The light comes down in slow green columns, and the air smells of rain and bark. [pause 4s]",
    },
    Place {
        words: [
            "mountain", "summit", "valley", "snow", "climb", "stone", "ridge", "height", "cloud",
            "rock",
        ],
        scene: "Imagine now a bench high on a mountain slope, with the whole valley at your feet. Ridge lies \
                behind ridge, each one a paler blue, until they become sky. [pause 4s] Far below, a bell rings once. \
                The air is clear, and it is so still that you can hear your own breath. [pause 4s]",
    },
    Place {
        words: [
            "meadow", "grass", "flower", "summer", "garden", "field", "honey", "barley", "clover",
            "lark",
        ],
        scene: "Imagine now a meadow in late summer. The grass is tall, and it bends and rises as if the field \
                itself were breathing. Bees go about their work without any haste. [pause 4s] You lie down, \
                the earth is warm beneath you, and small white clouds drift through the blue. [pause 4s]",
    },
    Place {
        words: [
            "river", "water", "stream", "rain", "bridge", "lake", "boat", "reed", "spring", "flow",
        ],
        scene: "Imagine now that you are sitting beside a slow river in the evening. The water carries leaves, \
                and light, and the reflections of trees, and it holds on to none of them. [pause 4s] You may give it \
                whatever you no longer need. It takes it, turns it once, and carries it out of sight. [pause 4s]",
    },
    Place {
        words: [
            "night", "star", "moon", "sleep", "dream", "dark", "lantern", "evening", "silence",
            "candle",
        ],
        scene: "Imagine now a clear night, and yourself under it, wrapped in something warm. One star appears, \
                and then another, until you stop counting. The moon climbs slowly over the dark hills. [pause 4s] \
                All of it is far older than any worry, and all of it is quiet. [pause 4s]",
    },
];
