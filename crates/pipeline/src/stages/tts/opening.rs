//! Passages go in; the same come out, but that the first sentence is one by itself: a voice takes as long to
//! answer as what it says is, and somebody is listening already.

use futures::{Stream, StreamExt, stream};

use crate::script::{SENTENCE_GAP, first_apart};
use crate::{Passage, StageError};

/// Where somebody is listening, the first sentence is parted from what follows it.
pub(super) fn opening(
    is_heard: bool,
    passages: impl Stream<Item = Result<Passage, StageError>>,
) -> impl Stream<Item = Result<Passage, StageError>> {
    let mut is_opening = is_heard;
    passages.flat_map(move |passage| {
        let is_speech = matches!(passage, Ok(Passage::Speech(_)));
        let is_first = is_speech && std::mem::take(&mut is_opening);
        let parts = match passage {
            Ok(Passage::Speech(text)) if is_first => parted(text),
            other => return stream::iter(vec![other]),
        };
        stream::iter(parts.into_iter().map(Ok).collect::<Vec<_>>())
    })
}

/// The sentence, the gap that there is between sentences, and what is left.
fn parted(text: String) -> Vec<Passage> {
    let Some((first, rest)) = first_apart(&text) else { return vec![Passage::Speech(text)] };
    let speech = |text: &str| Passage::Speech(text.to_owned());
    vec![speech(first), Passage::Pause(SENTENCE_GAP), speech(rest)]
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn opened(is_heard: bool, texts: &[&str]) -> Vec<Passage> {
        let passages = texts.iter().map(|text| Ok(Passage::Speech((*text).to_owned())));
        let pause = std::iter::once(Ok(Passage::Pause(SENTENCE_GAP)));
        let passages = stream::iter(pause.chain(passages));
        opening(is_heard, passages).map(Result::unwrap).collect().await
    }

    #[tokio::test]
    async fn the_first_sentence_is_said_apart_where_somebody_listens() {
        let (first, rest) =
            ("Let your shoulders sink a little lower.", "Notice the air, how cool it comes.");
        let both = format!("{first} {rest}");
        let (speech, pause) =
            (|text: &str| Passage::Speech(text.to_owned()), Passage::Pause(SENTENCE_GAP));
        let parted = [pause.clone(), speech(first), pause.clone(), speech(rest), speech(&both)];
        assert_eq!(opened(true, &[&both, &both]).await, parted, "the first alone");
        assert_eq!(opened(false, &[&both]).await, [pause.clone(), speech(&both)]);
        for short in ["Welcome. Notice the air, how cool it comes.", "One sentence that goes on."] {
            assert_eq!(opened(true, &[short]).await, [pause.clone(), speech(short)], "{short}");
        }
    }
}
