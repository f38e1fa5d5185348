//! A long way: one thing after another is looked at, heard or felt, each with words of its own, so that
//! an hour of them never says a sentence twice.

use fastrand::Rng;

/// Things of one kind, and what is said of each: `{1}` is the thing, and each sentence names it.
struct Walk {
    things: &'static [&'static str],
    begins: [&'static str; 4],
    goes_on: [&'static str; 4],
    ends: [&'static str; 4],
}

/// All paragraphs of all walks, each walk in its own order, one walk behind the other.
pub(super) fn paragraphs(rng: &mut Rng) -> Vec<String> {
    let mut walks: Vec<&Walk> = WALKS.iter().collect();
    // The body first: whoever has arrived in it hears and sees better.
    if let Some(later) = walks.get_mut(1..) {
        rng.shuffle(later);
    }
    walks.into_iter().flat_map(|walk| walk.paragraphs(rng)).collect()
}

impl Walk {
    fn paragraphs(&self, rng: &mut Rng) -> Vec<String> {
        let from = [rng.usize(..4), rng.usize(..4), rng.usize(..4)];
        let paragraph = |(index, thing): (usize, &&str)| {
            // Steps of their own length, so that the same three meet late.
            let of = |pool: &[&str; 4], at: usize| pool[at % 4].replace("{1}", thing);
            let begin = of(&self.begins, from[0] + index);
            let middle = of(&self.goes_on, from[1] + index + index / 4);
            let end = of(&self.ends, from[2] + index + index / 16);
            format!("{begin} [pause 3s] {middle} [pause 4s] {end} [pause 5s]")
        };
        self.things.iter().enumerate().map(paragraph).collect()
    }
}

const WALKS: [Walk; 4] = [
    Walk {
        things: &[
            "the crown of your head",
            "your forehead",
            "the space between your eyebrows",
            "your left eye",
            "your right eye",
            "the bridge of your nose",
            "your cheeks",
            "your upper lip",
            "your lower lip",
            "your tongue",
            "the hinge of your jaw",
            "your throat",
            "the back of your neck",
            "your left shoulder",
            "your right shoulder",
            "your left upper arm",
            "your right upper arm",
            "the crook of your left elbow",
            "the crook of your right elbow",
            "your left wrist",
            "your right wrist",
            "the palm of your left hand",
            "the palm of your right hand",
            "the tips of your fingers",
            "your collarbones",
            "the middle of your chest",
            "your ribs",
            "your upper back",
            "the space between your shoulder blades",
            "your lower back",
            "your belly",
            "your hips",
            "your left thigh",
            "your right thigh",
            "your left knee",
            "your right knee",
            "your left calf",
            "your right calf",
            "your ankles",
            "the soles of your feet",
        ],
        begins: [
            "Let your attention come to rest on {1}, as lightly as a hand on a sleeping cat.",
            "Now travel on to {1}, without any hurry, and stay there for a while.",
            "Next, become aware of {1}, just as it feels in this very moment.",
            "Let the light of your attention wander a little further, until it falls on {1}.",
        ],
        goes_on: [
            "Perhaps {1} feels warm, or cool, or of nothing at all, and each of these is welcome.",
            "Imagine that the next breath flows through {1}, and makes a little room there.",
            "Whatever {1} has carried today, it may put down for as long as you are here.",
            "Notice the smallest feeling in {1}, a tingling, a pulse, the touch of the air.",
        ],
        ends: [
            "With the breath that goes, {1} may become softer than it was.",
            "Thank {1} quietly, for all that it does without ever being asked.",
            "Let {1} be heavy now, and held from below.",
            "Before you move on, give {1} one more breath that wants nothing.",
        ],
    },
    Walk {
        things: &[
            "the wind in tall grass",
            "rain on a tin roof",
            "a clock in another room",
            "a train far away",
            "the pages of a book",
            "an oar in the water",
            "snow that falls",
            "a kettle before it sings",
            "the wings of a bird",
            "gravel under slow steps",
            "a door that is closed with care",
            "a bee in the lavender",
            "the sea in a shell",
            "a broom on a stone floor",
            "a fire that burns low",
            "a cello behind a wall",
            "leaves on a path in October",
            "a fountain at night",
            "the breath of somebody asleep",
            "a bicycle that rolls by",
            "wool on wooden needles",
            "a bell across the valley",
            "bread that is broken",
            "the first drops of a summer rain",
            "a boat against its mooring",
            "a pencil on paper",
            "an owl at the edge of the wood",
            "the hum of a quiet street",
        ],
        begins: [
            "Listen inwardly, and let there be {1}.",
            "Call to mind how it sounds, {1}, when nobody speaks.",
            "Somewhere, further off than you can see, there is {1}.",
            "Let your ears remember {1}, from a day when there was time.",
        ],
        goes_on: [
            "You need not do anything about {1}: it comes to you by itself, and by itself it goes.",
            "Follow {1} for as long as it lasts, like a thread that runs through your fingers.",
            "Let {1} come nearer, and then further away, until it is only just there.",
            "Between you and {1} there is a wide space, and in that space you can rest.",
        ],
        ends: [
            "When {1} has faded, listen to the quiet that it leaves behind.",
            "And then let {1} become so soft that it might be your own breath.",
            "Now even {1} grows still, and you are simply here.",
            "Keep of {1} only the calm, and let the sound of it go.",
        ],
    },
    Walk {
        things: &[
            "the blue of early morning",
            "the green below old trees",
            "the grey of a dove",
            "the gold of ripe barley",
            "the white of a linen sheet",
            "the red of a brick wall at dusk",
            "the brown of turned earth",
            "the silver of a still lake",
            "the pink inside a shell",
            "the amber of tea in a glass",
            "the violet of distant hills",
            "the black of wet slate",
            "the cream of old paper",
            "the copper of a worn coin",
            "the rust of autumn ferns",
            "the pale yellow of a candle",
            "the turquoise of shallow water",
            "the indigo before night",
            "the rose of a winter sunset",
            "the clear nothing of glass",
            "the olive of summer hedges",
            "the ivory of piano keys",
            "the orange of a lamp in a window",
            "the deep green of moss",
            "the soft brown of a wooden floor",
            "the pearl of morning fog",
        ],
        begins: [
            "Behind your closed eyes, let there be {1}.",
            "Look, without straining, for {1}, and wait until it comes.",
            "Paint the dark in front of you with {1}, in one slow stroke.",
            "Let the evening in you take on a colour: {1}.",
        ],
        goes_on: [
            "Notice how {1} spreads, from the middle outward, until there is nothing else.",
            "Breathe {1} in, and see how it settles in your chest like fine dust in sunlight.",
            "There is room in {1} for everything that was loud today, and it becomes smaller there.",
            "Rest your gaze on {1}, as you would rest it on the horizon.",
        ],
        ends: [
            "Slowly, {1} grows paler, and the dark comes back like a friend.",
            "Let {1} sink to the ground of you, and stay there as a little warmth.",
            "Whenever you like, {1} will be there again: you need only close your eyes.",
            "Now let {1} go, and look at nothing for a while.",
        ],
    },
    Walk {
        things: &[
            "somebody who was kind to you",
            "an old friend",
            "a child you know",
            "a teacher you liked",
            "the neighbour whose name you forgot",
            "somebody who is travelling tonight",
            "somebody who works while others sleep",
            "whoever baked your bread",
            "somebody who is waiting for news",
            "an animal that trusts you",
            "somebody you miss",
            "a stranger on a train",
            "somebody who was impatient with you",
            "the one who planted a tree",
            "somebody who is learning to walk",
            "somebody very old",
            "whoever sleeps under your roof",
            "somebody who cannot sleep",
            "the one you were ten years ago",
            "the one you will be in ten years",
            "somebody far across the sea",
            "a musician in the street",
            "the person who found what you had lost",
            "somebody who needs courage tomorrow",
        ],
        begins: [
            "Think for a moment of {1}.",
            "Let somebody come into this quiet with you: {1}.",
            "Make a little room beside you for {1}.",
            "See before you, as clearly or as dimly as it comes, {1}.",
        ],
        goes_on: [
            "Wish {1} a good night, a soft bed, and a morning without worry.",
            "Imagine that {1} takes a deep breath in this moment, just as you do.",
            "What you wish for yourself, wish it for {1} too, in your own words.",
            "Let a light fall on {1}, and let it be the same light that falls on you.",
        ],
        ends: [
            "May {1} be well, and may {1} be at peace.",
            "Then let {1} walk on, and keep the warmth that stays.",
            "Send {1} one breath of kindness, and ask for nothing back.",
            "And as {1} grows distant, notice how wide your heart can be.",
        ],
    },
];
