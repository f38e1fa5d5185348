//! A text goes in; the words that it is about come out.

use std::collections::HashMap;

use unicode_segmentation::UnicodeSegmentation;

use super::ascii::fold;

/// Words that tell nothing of what a text is about.
const COMMON: &str = "\
    about above after again against almost along already also although always among another \
    anything around away back because been before being below between both came cannot come comes \
    could didn does doesn doing done down during each either else enough even ever every \
    everything feel feels felt first from gave getting give given going gone gonna good great \
    hadn half hardly hasn have haven having hence here hers herself himself however inside \
    instead into itself just keep keeps kept kind knew know known last later least less like \
    likely little long look looked lots made make makes many maybe mean might mine more most much \
    must myself nearly need needs never next nothing often okay once only onto other others ought \
    ours ourselves over perhaps please quite rather really right said same says seem seemed seems \
    shall should since some somehow someone something sometimes soon still such sure take taken \
    takes than that their theirs them themselves then there these they thing things think this \
    those though thought through thus till today together told tomorrow tonight took toward \
    towards tried turn under until upon used very want wanted wants wasn well went were weren \
    what whatever when where whether which while whose will with within without would wouldn \
    yeah year years yesterday your yours yourself \
    aber alle auch auf aus beim dann dass denn deren dich dies diese dieser doch durch eine einem \
    einen einer eines etwas euch fuer habe haben hatte hier ich ihre immer ist jetzt kann kein \
    keine mein meine mich nach nicht noch nur oder ohne schon sehr sein seine sich sind ueber und \
    uns unter vom von vor waren warum weil wenn werden wie wieder wird wurde zum zur \
    avec cette comme dans elle elles leur mais nous parce pour quand sans sont sous tout tous \
    vous como cuando donde ella ellos entre esta este esto hasta para pero porque quien sobre \
    tambien tiene todo una";

/// At most `limit` words, the most frequent first; lower case, in Latin letters, no two alike.
pub(super) fn content_words(text: &str, limit: usize) -> Vec<String> {
    let mut seen: HashMap<String, (usize, usize)> = HashMap::new();
    for (place, word) in candidates(text).enumerate() {
        let (count, _) = seen.entry(word).or_insert((0, place));
        *count += 1;
    }
    let mut ranked: Vec<(String, (usize, usize))> = seen.into_iter().collect();
    ranked.sort_by_key(|(_, (count, place))| (std::cmp::Reverse(*count), *place));
    let mut chosen: Vec<String> = Vec::new();
    for (word, _) in ranked {
        if chosen.len() < limit && !chosen.iter().any(|other| is_akin(other, &word)) {
            chosen.push(word);
        }
    }
    chosen
}

fn candidates(text: &str) -> impl Iterator<Item = String> {
    let is_link = |word: &&str| word.contains("://") || word.contains('@');
    text.split_whitespace()
        .filter(move |word| !is_link(word))
        .flat_map(UnicodeSegmentation::unicode_words)
        .map(|word| fold(word).to_ascii_lowercase())
        .filter(|word| is_content(word))
}

fn is_content(word: &str) -> bool {
    (4..=14).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_lowercase())
        && word.contains(['a', 'e', 'i', 'o', 'u', 'y'])
        && !COMMON.split_whitespace().any(|common| common == word)
}

/// Whether one word is the other with an ending.
fn is_akin(one: &str, other: &str) -> bool {
    let shared = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    shared >= 4 && one.len().abs_diff(other.len()) <= 3 && shared + 3 >= one.len().max(other.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_words_come_first_and_endings_count_once() {
        let text = "The sea was calm. I walked by the waves; a wave came, walking on, waves again. \
                    See https://example.org/harbour or mail me@harbour.example. Café, café!";
        assert_eq!(content_words(text, 4), ["waves", "cafe", "calm", "walked"]);
    }

    #[test]
    fn nothing_to_say_is_no_fault() {
        for text in
            ["", "🌊🌊", "שלום עולם", "a b c 1 2 3", "the and then", "https://a.example/harbour"]
        {
            assert_eq!(content_words(text, 9), Vec::<String>::new(), "{text}");
        }
    }
}
