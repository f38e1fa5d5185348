//! What is said, and in which language, goes in; what its chapters are called comes out.

use crate::spoken::prevailing_language;

/// Arriving, body and closing.
pub(super) type Titles = [&'static str; 3];

/// By the language's first subtag.
const TITLES: [(&str, Titles); 27] = [
    ("ar", ["الوصول", "التأمل", "الختام"]),
    ("bn", ["আগমন", "ধ্যান", "সমাপ্তি"]),
    ("cs", ["Příchod", "Meditace", "Závěr"]),
    ("da", ["Ankomst", "Meditation", "Afslutning"]),
    ("de", ["Ankommen", "Meditation", "Ausklang"]),
    ("el", ["Άφιξη", "Διαλογισμός", "Κλείσιμο"]),
    ("en", ["Arriving", "Body", "Closing"]),
    ("es", ["Llegada", "Meditación", "Cierre"]),
    ("fa", ["رسیدن", "مراقبه", "پایان"]),
    ("fi", ["Saapuminen", "Meditaatio", "Lopetus"]),
    ("fr", ["Arrivée", "Méditation", "Clôture"]),
    ("he", ["הגעה", "מדיטציה", "סיום"]),
    ("hi", ["आगमन", "ध्यान", "समापन"]),
    ("id", ["Memulai", "Meditasi", "Penutup"]),
    ("it", ["Arrivo", "Meditazione", "Chiusura"]),
    ("ja", ["はじまり", "瞑想", "おわり"]),
    ("ko", ["시작", "명상", "마무리"]),
    ("nl", ["Aankomen", "Meditatie", "Afronding"]),
    ("no", ["Ankomst", "Meditasjon", "Avslutning"]),
    ("pl", ["Początek", "Medytacja", "Zakończenie"]),
    ("pt", ["Chegada", "Meditação", "Encerramento"]),
    ("ru", ["Начало", "Медитация", "Завершение"]),
    ("sv", ["Ankomst", "Meditation", "Avslutning"]),
    ("th", ["เริ่มต้น", "สมาธิ", "สิ้นสุด"]),
    ("tr", ["Başlangıç", "Meditasyon", "Kapanış"]),
    ("vi", ["Bắt đầu", "Thiền", "Kết thúc"]),
    ("zh", ["开始", "冥想", "结束"]),
];

/// The titles of chapters in `language`, or else in the one that `text` itself tells; `None` where nobody
/// knows them: a chapter in a wrong language is worse than none.
pub(super) fn titles(language: Option<&str>, text: &str) -> Option<Titles> {
    let named = language.or_else(|| prevailing_language(text))?.to_ascii_lowercase();
    let first = named.split('-').next().unwrap_or_default();
    let known = if first == "nb" || first == "nn" { "no" } else { first };
    TITLES.iter().find(|(tag, _)| *tag == known).map(|(_, titles)| *titles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chapters_are_called_in_the_language_of_the_words_or_not_at_all() {
        let first = |language, text| titles(language, text).map(|titles| titles[0]);
        assert_eq!(first(Some("de-AT"), "anything"), Some("Ankommen"));
        assert_eq!(first(Some("nb"), ""), Some("Ankomst"));
        assert_eq!(first(Some("sw"), "Let the breath come and go."), None);
        assert_eq!(first(None, "Let the breath come and go."), Some("Arriving"));
        assert_eq!(first(None, "Atme ein und lass das Licht herein."), Some("Ankommen"));
        assert_eq!(first(None, "ゆっくりと息を吸ってください。"), Some("はじまり"));
        assert_eq!(first(None, "慢慢地吸气。"), Some("开始"));
        assert_eq!(first(None, "천천히 숨을 들이쉬세요."), Some("시작"));
        assert_eq!(first(None, "หายใจเข้าช้าๆ"), Some("เริ่มต้น"));
        // Persian and Arabic, Marathi and Hindi are written alike.
        assert_eq!(first(None, "تنفس ببطء واشعر بالهواء."), None);
        assert_eq!(first(None, "Respirez lentement."), None);
    }
}
