//! Transcripts in many scripts: of like length, whole by the contract, in passages that a voice can
//! say.

use unicode_segmentation::UnicodeSegmentation;

use super::read;
use crate::pace;
use crate::script::{MAX_PASSAGE, Passage, ScriptFault};

/// Characters of calm English in a second: 140 words a minute, 0.6 of an ordinary pace.
const CALM: f64 = 12.15;

/// A language: a few sentences of a meditation, and how many letters, syllables or characters a
/// calm reader says in a minute, counted as people of that script would.
struct Language {
    tag: &'static str,
    paragraph: &'static str,
    calm: usize,
}

#[rustfmt::skip]
const LANGUAGES: [Language; 11] = [
    Language { tag: "zh", calm: 153, paragraph: "慢慢地吸气，感觉空气进入身体。慢慢地呼气，让肩膀放松下来。没有什么需要做的，只是静静地坐在这里，听着远处的雨声。" },
    Language { tag: "ja", calm: 215, paragraph: "ゆっくりと息を吸って、空気が体に入ってくるのを感じてください。ゆっくりと息を吐いて、肩の力を抜きましょう。何もする必要はありません。ただ静かに座って、遠くの雨の音を聞いてください。" },
    Language { tag: "ko", calm: 210, paragraph: "천천히 숨을 들이쉬며 공기가 몸으로 들어오는 것을 느껴 보세요. 천천히 숨을 내쉬며 어깨의 힘을 빼세요. 아무것도 할 필요가 없습니다. 그저 조용히 앉아 먼 곳의 빗소리를 들어 보세요." },
    Language { tag: "th", calm: 365, paragraph: "ค่อยๆ หายใจเข้า รู้สึกถึงอากาศที่ไหลเข้าสู่ร่างกาย ค่อยๆ หายใจออก ปล่อยให้ไหล่ผ่อนคลาย ไม่มีอะไรที่ต้องทำ เพียงนั่งอยู่ตรงนี้อย่างเงียบสงบ ฟังเสียงฝนที่อยู่ไกลออกไป" },
    Language { tag: "lo", calm: 365, paragraph: "ຄ່ອຍໆຫາຍໃຈເຂົ້າ ຮູ້ສຶກເຖິງອາກາດທີ່ເຂົ້າສູ່ຮ່າງກາຍ ຄ່ອຍໆຫາຍໃຈອອກ ປ່ອຍໃຫ້ບ່າໄຫລ່ຜ່ອນຄາຍ ບໍ່ມີຫຍັງທີ່ຕ້ອງເຮັດ" },
    Language { tag: "ar", calm: 367, paragraph: "تنفس ببطء واشعر بالهواء يدخل إلى جسدك. أخرج الزفير ببطء ودع كتفيك يسترخيان. لا شيء يجب أن تفعله الآن، فقط اجلس هنا بهدوء، واستمع إلى صوت المطر البعيد." },
    Language { tag: "he", calm: 500, paragraph: "נשמו לאט והרגישו את האוויר נכנס לגוף. נשפו לאט ותנו לכתפיים להתרפות. אין שום דבר שצריך לעשות, רק לשבת כאן בשקט ולהקשיב לקול הגשם הרחוק." },
    Language { tag: "hi", calm: 234, paragraph: "धीरे-धीरे साँस अंदर लें और हवा को शरीर में आते हुए महसूस करें। धीरे-धीरे साँस छोड़ें और कंधों को ढीला होने दें। कुछ भी करने की ज़रूरत नहीं है, बस यहाँ शांति से बैठें और दूर की बारिश सुनें।" },
    Language { tag: "my", calm: 240, paragraph: "ဖြည်းဖြည်းချင်း အသက်ရှူသွင်းပါ။ လေသည် ခန္ဓာကိုယ်ထဲသို့ ဝင်လာသည်ကို ခံစားပါ။ ဖြည်းဖြည်းချင်း အသက်ရှူထုတ်ပါ။ ပခုံးများကို လျှော့ချပါ။" },
    Language { tag: "km", calm: 240, paragraph: "ដកដង្ហើមចូលយឺតៗ មានអារម្មណ៍ថាខ្យល់ចូលក្នុងខ្លួន។ ដកដង្ហើមចេញយឺតៗ ទុកឱ្យស្មាធូរស្រាល។ មិនមានអ្វីត្រូវធ្វើទេ។" },
    Language { tag: "en", calm: 592, paragraph: "Breathe in slowly and feel the air come into the body. Breathe out slowly and let the shoulders soften. There is nothing that has to be done, only sit here quietly, and listen to the rain far away." },
];

/// What is counted in such scripts: what people call characters, without spaces and full stops.
fn count(text: &str) -> usize {
    text.graphemes(true).filter(|grapheme| grapheme.starts_with(char::is_alphanumeric)).count()
}

impl Language {
    /// Paragraphs that a calm reader needs `minutes` for.
    fn minutes(&self, minutes: f64) -> String {
        let paragraphs = minutes * self.calm as f64 / count(self.paragraph) as f64;
        let whole = (0..).take_while(|number| f64::from(*number) < paragraphs);
        let paragraphs: Vec<&str> = whole.map(|_| self.paragraph).collect();
        paragraphs.join("\n\n")
    }
}

#[test]
fn three_to_four_minutes_are_a_transcript_in_every_script() {
    for language in LANGUAGES {
        let tag = language.tag;
        let passages =
            read(&language.minutes(3.15)).unwrap_or_else(|fault| panic!("{tag}: {fault}"));
        let spoken: Vec<&String> = passages.iter().filter_map(speech).collect();
        let seconds = |text: &&String| pace::letters(text) / CALM;
        let whole: f64 = spoken.iter().map(seconds).sum();
        assert!((170.0..=260.0).contains(&whole), "{tag}: {whole:.0} s");
        for passage in &spoken {
            assert!(passage.chars().count() <= MAX_PASSAGE, "{tag}");
            assert!((3.0..=34.0).contains(&seconds(passage)), "{tag}: {:.1} s", seconds(passage));
        }
        let short = read(&language.minutes(0.5)).unwrap_err();
        assert!(matches!(short, ScriptFault::TooShort(50..=110)), "{tag}: {short}");
        assert_eq!(read(&language.minutes(6.0)), Err(ScriptFault::TooLong), "{tag}");
    }
}

#[test]
fn a_sentence_without_end_is_cut_where_a_voice_would_breathe() {
    let clause = "让呼吸自由地来去，";
    let spaced = "หายใจเข้าช้าๆ ";
    let cases = [
        ("A clause of some words, ".repeat(40), ","),
        (clause.repeat(30), "，"),
        (spaced.repeat(60), "ๆ"),
        ("قطرة من المطر، ".repeat(60), "،"),
        ("words and nothing else ".repeat(40), "s e"),
        ("静".repeat(500), "静"),
        ("नि".repeat(500), "नि"),
    ];
    for (text, _) in &cases {
        let passages = super::super::passage::split(text);
        assert!(passages.len() > 1, "{text:.40}");
        let lengths: Vec<f64> = passages.iter().map(|passage| pace::letters(passage)).collect();
        let (least, most) = (
            lengths.iter().copied().fold(f64::MAX, f64::min),
            lengths.iter().copied().fold(0.0, f64::max),
        );
        assert!(most <= MAX_PASSAGE as f64 && least > most / 2.0, "{text:.40}: {lengths:?}");
        let graphemes: Vec<&str> = text.graphemes(true).filter(|g| !g.trim().is_empty()).collect();
        let kept: Vec<&str> = passages
            .iter()
            .flat_map(|passage| passage.graphemes(true))
            .filter(|g| !g.trim().is_empty())
            .collect();
        assert_eq!(kept, graphemes, "no grapheme is torn, none lost");
    }
    for (text, end) in &cases[..4] {
        let passages = super::super::passage::split(text);
        for passage in passages.iter().take(passages.len() - 1) {
            assert!(passage.ends_with(end), "{passage}");
        }
    }
}

fn speech(passage: &Passage) -> Option<&String> {
    match passage {
        Passage::Speech(text) => Some(text),
        Passage::Pause(_) => None,
    }
}
