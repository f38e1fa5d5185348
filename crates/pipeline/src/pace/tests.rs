//! The table against translations of one text, and against what people count.

use super::*;

/// The first article of the Universal Declaration of Human Rights.
#[rustfmt::skip]
const ARTICLE: [(&str, &str); 13] = [
    ("en", "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood."),
    ("de", "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen."),
    ("ru", "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства."),
    ("el", "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι με λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης."),
    ("zh", "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。"),
    ("ja", "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。"),
    ("ko", "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다."),
    ("th", "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ"),
    ("lo", "ມະນຸດທຸກຄົນເກີດມາມີກຽດສັກສີ ສິດທິ ເສລີພາບ ແລະ ຄວາມສະເໝີພາບເທົ່າທຽມກັນ ທຸກຄົນມີເຫດຜົນ ແລະ ຄວາມຄິດຄວາມເຫັນສ່ວນຕົວຂອງໃຜຂອງມັນ"),
    ("km", "មនុស្សទាំងអស់កើតមកមានសេរីភាព និងសមភាព ក្នុងផ្នែកសេចក្ដីថ្លៃថ្នូរ និងសិទ្ធិ។"),
    ("ar", "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق. وقد وهبوا عقلًا وضميرًا وعليهم أن يعامل بعضهم بعضًا بروح الإخاء."),
    ("he", "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון, לפיכך חובה עליהם לנהוג איש ברעהו ברוח של אחווה."),
    ("hi", "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए।"),
];

#[test]
fn what_says_the_same_takes_about_as_long() {
    let english = letters(ARTICLE[0].1);
    for (tag, text) in ARTICLE {
        // Languages differ by what they say, not only by how: Japanese needs most words here. The
        // Khmer and Lao texts are the first sentence, or nearly that.
        let ratio = letters(text) / english;
        let (least, most) = if tag == "km" { (0.3, 1.0) } else { (0.65, 1.75) };
        assert!((least..=most).contains(&ratio), "{tag}: {ratio:.2}");
    }
}

#[test]
fn a_text_weighs_what_it_takes_to_say() {
    // Words, and letters as of English.
    let cases = [
        ("", 0.0, 0.0),
        ("Breathe in, 10 times.", 4.0, 21.0),
        ("Дыши медленно.", 2.0, 14.0),
        (
            "静かに",
            255.0_f64.recip() * 228.0 + 2.0 * 228.0 / 455.0,
            1215.0 / 255.0 + 2.0 * 1215.0 / 455.0,
        ),
        ("放松。", 2.0 * 228.0 / 255.0, 2.0 * 1215.0 / 255.0 + 1.0),
        // By runs.
        ("打开 WiFi", 2.0 * 228.0 / 255.0 + 1.0, 2.0 * 1215.0 / 255.0 + 5.0),
        // Marks weigh nothing of their own.
        ("कि", 228.0 / 390.0, 987.0 / 390.0),
        ("각", 228.0 / 350.0, 987.0 / 350.0),
        ("스\u{1175}", 2.0 * 228.0 / 350.0 / 2.0, 987.0 / 350.0),
    ];
    for (text, counted, weight) in cases {
        let about = |one: f64, other: f64| (one - other).abs() < 1e-9;
        assert!(about(words(text), counted), "{text}: {} words", words(text));
        assert!(about(letters(text), weight), "{text}: {} letters", letters(text));
    }
}

#[test]
fn a_length_is_asked_for_in_units_of_the_script() {
    for (like, words, unit) in [
        ("", 400..=500, "words"),
        ("A slow evening.", 400..=500, "words"),
        ("Медленный вечер", 400..=500, "words"),
        ("雨の夜、猫が帰ってこない。", 626..=783, "characters"),
        ("下雨的夜晚。", 447..=559, "characters"),
        ("비 오는 저녁", 614..=768, "syllables"),
        ("ค่ำคืนที่ฝนตก", 1070..=1338, "characters"),
        ("مساء ممطر", 1074..=1342, "letters"),
        ("下雨的夜晚 with Wi-Fi", 447..=559, "characters"),
    ] {
        assert_eq!(in_script(&WORDS, None, like), (words, unit), "{like}");
    }
    for (tag, unit) in [("de", "words"), ("zh-Hant", "characters"), ("KO", "syllables")] {
        assert_eq!(in_script(&WORDS, Some(tag), "雨").1, unit, "{tag}");
    }
}
