//! Answers without words, one after another: how few of them are bought.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_day_of_waste_buys_less_than_twenty_answers() {
    for waste in Waste::ALL {
        let cooldown = Cooldown::default();
        let (mut bought, began) = (0, Instant::now());
        while began.elapsed() < Duration::from_hours(24) {
            match cooldown.forbids() {
                Some(met) => assert_eq!(met, waste),
                None => {
                    bought += 1;
                    cooldown.wasted(waste);
                }
            }
            tokio::time::advance(Duration::from_secs(30)).await;
        }
        assert!((10..20).contains(&bought), "{waste:?}: {bought}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_answer_without_words_is_an_accident_and_words_end_a_row() {
    let cooldown = Cooldown::default();
    for _ in 0..3 {
        cooldown.wasted(Waste::Empty);
        assert_eq!(cooldown.forbids(), None);
        cooldown.has_written();
    }
    cooldown.wasted(Waste::Empty);
    cooldown.wasted(Waste::OnlyThought);
    assert_eq!(cooldown.forbids(), Some(Waste::OnlyThought));
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(cooldown.forbids(), None);
}
