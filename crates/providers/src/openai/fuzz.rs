//! Whatever a server streams, cut anywhere: words come out of it or a fault, the same ones for each cut.

use proptest::prelude::*;

use super::answer::words_in;
use super::wrapped::unwrap;

const ANSWERS: [&str; 5] = [
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Rest. <think>let me\"},\"finish_reason\":null}]}\n\n\
     data: {\"choices\":[{\"delta\":{\"content\":\" see</think> Ruhe — 静か.\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    "\u{feff}: ping\r\n\r\nevent: message\r\ndata:{\"choices\":null,\"usage\":{\"prompt_tokens\":3.0,\"completion_tokens\":\"7\"}}\r\n\r\n",
    "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"Rest.\"}]},\"finish_reason\":\"length\"}],\"usage\":null}",
    "data: {\"error\":{\"message\":\"no\",\"code\":402,\"type\":\"insufficient_quota\"}}\n\n",
    "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"I should\"}}]}\rdata: {\"choices\":[]}\r\r",
];
const PICTURES: [&str; 4] = [
    "data:image/png;base64,iVBORw0KGgo=",
    "iVBORw0K\nGgo",
    "_9j_4AAQ-SkZJRg",
    "https://img.example.org/1.png",
];

proptest! {
    #[test]
    fn an_answer_says_the_same_however_it_is_cut(
        answer in fuzzing::bytes(&ANSWERS.map(str::as_bytes)),
        cuts in fuzzing::cuts(),
    ) {
        prop_assert_eq!(words_in(fuzzing::pieces(&answer, &cuts)), words_in([answer.as_slice()]));
    }

    #[test]
    fn a_wrapped_picture_is_unwrapped_or_refused(text in fuzzing::text(&PICTURES)) {
        let _ = unwrap(&text);
    }
}
