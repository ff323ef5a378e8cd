//! Words as people mean them: without case, accents and simple inflection.

use icu_normalizer::DecomposingNormalizerBorrowed;
use rust_stemmers::{Algorithm, Stemmer};

/// Small letters without accents.
pub fn fold(text: &str) -> String {
    let lower = text.to_lowercase();
    if lower.is_ascii() {
        return lower;
    }
    let apart = DecomposingNormalizerBorrowed::new_nfkd().normalize(&lower);
    let shown = apart.chars().filter(|c| !is_mark(*c));
    // Sharp s and the like stay: they are letters.
    shown.collect()
}

/// Combining accents, and what has no width.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{fe0f}' | '\u{feff}' | '\u{ad}')
}

/// The words of a text, folded, in their order.
pub fn words(text: &str) -> Vec<String> {
    fold(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The roots of a folded word, in the languages whose inflection is known.
pub fn stems(word: &str) -> [String; 2] {
    [(Algorithm::English, 1), (Algorithm::Spanish, SHORT)].map(|(language, least)| {
        let stem = Stemmer::create(language).stem(word);
        match stem.chars().count() {
            length if length >= least => stem.into_owned(),
            _ => word.to_owned(),
        }
    })
}

/// Less of a Spanish word is no root: "hoyo" is not "hoy".
const SHORT: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_do_not_matter() {
        assert_eq!(fold("¿Qué MAÑANA?"), "¿que manana?");
        assert_eq!(fold("ＡＢＣ ﬁn"), "abc fin");
        assert_eq!(
            words("¿Qué tengo en la agenda?"),
            ["que", "tengo", "en", "la", "agenda"]
        );
        assert_eq!(words("cal\u{200b}en\u{202e}dar"), ["calendar"]);
        assert_eq!(words(" -- "), Vec::<String>::new());
    }

    #[test]
    fn simple_inflection_does_not_matter() {
        let alike = |one: &str, other: &str| {
            let [ones, others] = [one, other].map(|word| stems(&fold(word)));
            ones.iter().zip(&others).any(|(one, other)| one == other)
        };
        for (one, other) in [
            ("event", "events"),
            ("evento", "eventos"),
            ("reunión", "reuniones"),
            ("calendar", "calendars"),
            ("meeting", "meetings"),
        ] {
            assert!(alike(one, other), "{one} {other}");
        }
        assert!(!alike("agenda", "mail"));
        assert!(!alike("hoy", "hoyo"));
    }
}
