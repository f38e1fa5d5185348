//! How words are said: told to the voice and to nobody else, and bought anew only where it changes.

use stillcast_enqueue::{Job, Lexicon, Options, Source};
use tests::simulator::{Endpoint, Latency};

use crate::paid_harness::{PaidHarness, TEXT};

fn job(tenant: &str, words: &[(&str, &str)]) -> Job {
    let words = words.iter().map(|(word, said)| ((*word).to_owned(), (*said).to_owned()));
    let options = Options { lexicon: Lexicon::new(words), ..Options::default() };
    let job = Job::audio(Source::Text(TEXT.to_owned())).with_options(options);
    Job { tenant: tenant.to_owned(), ..job }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lexicon_is_heard_and_not_read_and_another_one_buys_only_what_it_changes() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let file = paid.server.folder().join("lexicon.toml");
    std::fs::write(
        &file,
        "[\"*\"]\n\"open your eyes\" = \"see\"\n[acme]\ngently = \"/ˈdʒɛntli/\"\n",
    )
    .unwrap();
    let harness = paid.harness().set("LEXICON_FILE", &file.display().to_string());
    let worker = harness.set("TTS_IPA", "[{word}](/{ipa}/)").start(&[]).await;

    let first = paid.enqueue(&[job("acme", &[("come back", "return")])]).await;
    let record = paid.done(&first).await.remove(0);
    let heard = || -> Vec<String> {
        let asked = paid.simulator.asked(Endpoint::Speech).into_iter();
        asked.map(|call| call["input"].as_str().unwrap().to_owned()).collect()
    };
    let said = heard();
    let last = "Now return to the room, [gently](/ˈdʒɛntli/), and see when you like.";
    assert!(said.iter().any(|text| text.ends_with(last)), "{said:#?}");

    let captions = record.extras["captions.vtt"].key.clone();
    let captions = std::fs::read_to_string(paid.store().join(captions)).unwrap();
    let read = captions.split(['<', '>']).filter(|part| !part.starts_with("00:"));
    let read = read.collect::<String>();
    assert!(
        read.contains("Now come back to the room, gently, and open your eyes when you like."),
        "{read}"
    );

    let (bought, drafts) = (said.len(), paid.simulator.asked(Endpoint::Chat).len());
    let second = paid.enqueue(&[job("acme", &[("come back", "come home")])]).await;
    paid.done(&second).await;
    let changed = heard().split_off(bought);
    assert!(changed.iter().all(|text| text.contains("Now come home to the room")), "{changed:#?}");
    assert_eq!((changed.len(), paid.simulator.asked(Endpoint::Chat).len()), (1, drafts));
    let log = worker.log();
    assert!(!log.contains("come home"), "a log holds a word");
}
