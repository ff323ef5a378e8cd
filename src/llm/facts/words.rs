//! Words for numbers, months and days in the languages we check, folded.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::Weekday;

use super::Locale;

const EN_UNITS: &str = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen \
    sixteen seventeen eighteen nineteen";
const EN_TENS: &str = "twenty thirty forty fifty sixty seventy eighty ninety";
const ES_UNITS: &str = "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince \
    dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco \
    veintiseis veintisiete veintiocho veintinueve";
const ES_TENS: &str = "treinta cuarenta cincuenta sesenta setenta ochenta noventa";
const EN_ORDINALS: &str = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth \
    fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third \
    twenty-fourth twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first";

type Words = HashMap<String, u32>;

static ENGLISH: LazyLock<Words> = LazyLock::new(|| {
    let mut words: Words = EN_UNITS
        .split_whitespace()
        .map(str::to_owned)
        .zip(0..)
        .collect();
    for (ten, value) in EN_TENS.split_whitespace().zip((20..).step_by(10)) {
        words.insert(ten.to_owned(), value);
        for (unit, digit) in EN_UNITS.split_whitespace().zip(0..).take(10).skip(1) {
            words.insert(format!("{ten}-{unit}"), value + digit);
            words.insert(format!("{ten} {unit}"), value + digit);
        }
    }
    words.insert("dozen".into(), 12);
    words.insert("hundred".into(), 100);
    words.insert("thousand".into(), 1000);
    words
});

static SPANISH: LazyLock<Words> = LazyLock::new(|| {
    let mut words: Words = ES_UNITS
        .split_whitespace()
        .map(str::to_owned)
        .zip(0..)
        .collect();
    for (ten, value) in ES_TENS.split_whitespace().zip((30..).step_by(10)) {
        words.insert(ten.to_owned(), value);
        for (unit, digit) in ES_UNITS.split_whitespace().zip(0..).take(10).skip(1) {
            words.insert(format!("{ten} y {unit}"), value + digit);
        }
    }
    let hundreds =
        "doscient trescient cuatrocient quinient seiscient setecient ochocient novecient";
    for (stem, value) in hundreds.split_whitespace().zip((200..).step_by(100)) {
        words.insert(format!("{stem}os"), value);
        words.insert(format!("{stem}as"), value);
    }
    for (word, value) in [
        ("un", 1),
        ("ciento", 100),
        ("una", 1),
        ("veintiun", 21),
        ("docena", 12),
        ("cien", 100),
        ("mil", 1000),
    ] {
        words.insert(word.into(), value);
    }
    words
});

static ORDINALS: LazyLock<Words> = LazyLock::new(|| {
    let mut words: Words = EN_ORDINALS
        .split_whitespace()
        .map(str::to_owned)
        .zip(1..)
        .collect();
    words.insert("primero".into(), 1);
    words
});

fn words(language: Locale) -> &'static Words {
    match language {
        Locale::En => &ENGLISH,
        Locale::Es => &SPANISH,
    }
}

/// The value of a number word of either language, or of digits.
pub(super) fn number(word: &str) -> Option<u32> {
    let digits = word.parse().ok();
    let word = || ENGLISH.get(word).or_else(|| SPANISH.get(word)).copied();
    digits.or_else(word)
}

/// The day of the month that digits, a number word or an ordinal means.
pub(super) fn day(word: &str) -> Option<u32> {
    let ordinal = ORDINALS.get(word).copied();
    ordinal
        .or_else(|| number(word))
        .filter(|day| (1..=31).contains(day))
}

/// An alternation of the language's number words within `range`, longest first. No capturing group.
pub(super) fn numbers(language: Locale, range: std::ops::RangeInclusive<u32>) -> String {
    let within = words(language)
        .iter()
        .filter(|(_, value)| range.contains(value));
    alternation(within.map(|(word, _)| word.as_str()))
}

/// An alternation of what can stand for a day of the month.
pub(super) fn days() -> String {
    let ordinals = alternation(ORDINALS.keys().map(String::as_str));
    let (en, es) = (numbers(Locale::En, 1..=31), numbers(Locale::Es, 1..=31));
    format!(r"(?:[0-3]?\d|{ordinals}|{en}|{es})")
}

fn alternation<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut words: Vec<_> = words.collect();
    words.sort_by_key(|word| (std::cmp::Reverse(word.len()), *word));
    format!("(?:{})", words.join("|"))
}

/// Every name of the months.
pub(super) const MONTHS: &str = "(?:january|february|march|april|may|june|july|august|september|october|november|december\
    |enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre\
    |jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec|ene|abr|ago|dic)";
/// Full names that are no other words.
pub(super) const CLEAR_MONTHS: &str = "(?:january|february|april|june|july|august|september|october|november|december\
    |enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre)";
/// Full names of the days of the week.
pub(super) const WEEKDAYS: &str = "(?:mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?\
    |lunes|martes|miercoles|jueves|viernes|sabados?|domingos?)";
/// Full names and what they are cut to: some of these are other words too.
pub(super) const SHORT_WEEKDAYS: &str = "(?:mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?\
    |lunes|martes|miercoles|jueves|viernes|sabados?|domingos?\
    |mon|tues|tue|wed|thurs|thur|thu|fri|sat|sun|lun|mar|mie|jue|vie|sab|dom)";

/// 1 to 12.
pub(super) fn month(word: &str) -> Option<u32> {
    let prefix = word.get(..3)?;
    Some(match prefix {
        "jan" | "ene" => 1,
        "feb" => 2,
        "mar" => 3,
        "apr" | "abr" => 4,
        "may" => 5,
        "jun" => 6,
        "jul" => 7,
        "aug" | "ago" => 8,
        "sep" | "set" => 9,
        "oct" => 10,
        "nov" => 11,
        "dec" | "dic" => 12,
        _ => return None,
    })
}

/// The day of the week that a name or its beginning means.
pub(super) fn weekday(word: &str) -> Option<Weekday> {
    Some(match word.get(..3)? {
        "mon" | "lun" => Weekday::Mon,
        "tue" | "mar" => Weekday::Tue,
        "wed" | "mie" => Weekday::Wed,
        "thu" | "jue" => Weekday::Thu,
        "fri" | "vie" => Weekday::Fri,
        "sat" | "sab" => Weekday::Sat,
        "sun" | "dom" => Weekday::Sun,
        _ => return None,
    })
}
