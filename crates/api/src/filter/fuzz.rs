//! Whatever somebody types as a filter: it is read, written and read again as the same, or refused by
//! a place in it, and a refusal repeats nothing of it.

use proptest::prelude::*;

use super::Filter;

const SECRET: &str = "Marzipanturm";

const FILTERS: [&str; 6] = [
    "state:dead,done code:speech-silent -tenant:acme age>5m priority>=7",
    "meta.show=\"Marzipanturm\" meta.\"a b\":x*,\"y \\\" z\"*",
    "id:0191d0c4*,job-2 stage:tts format:video provider:openai",
    "age<=1d12h30m5s age:0s priority:3 priority<9",
    "-id:\"\" -meta.k:\"*\"",
    "tenant:Marzipanturm,\"Marzipanturm",
];

proptest! {
    #[test]
    fn a_filter_survives_its_text_or_a_fault_names_a_place_in_it(
        text in fuzzing::text(&FILTERS),
    ) {
        match Filter::parse(&text) {
            Ok(filter) => {
                let written = filter.to_string();
                prop_assert_eq!(Filter::parse(&written), Ok(filter), "{}", written);
            }
            Err(fault) => {
                prop_assert!((1..=text.chars().count() + 1).contains(&fault.at), "{:?}", fault);
                prop_assert!(!fault.takes.contains(SECRET), "{:?}", fault);
            }
        }
    }
}
