//! Names of numbers, weekdays, months and units in both languages, folded.

use chrono::Weekday;

/// The number that the words begin with, and how many words it is: digits (five at most), or a name up to 59.
pub(super) fn number(words: &[&str]) -> Option<(u32, usize)> {
    let first = *words.first()?;
    if first.as_bytes().first()?.is_ascii_digit() {
        let plain = first.len() <= 5 && first.bytes().all(|byte| byte.is_ascii_digit());
        return if plain {
            Some((first.parse().ok()?, 1))
        } else {
            None
        };
    }
    let tens = match first {
        "twenty" | "veinte" => 20,
        "thirty" | "treinta" => 30,
        "forty" | "cuarenta" => 40,
        "fifty" | "cincuenta" => 50,
        _ => return named(first).map(|number| (number, 1)),
    };
    let one = |word: &str| named(word).filter(|number| *number < 10);
    Some(match words {
        [_, "y", last, ..] if one(last).is_some() && tens > 20 => (tens + one(last)?, 3),
        [_, last, ..] if one(last).is_some() && first.ends_with('y') => (tens + one(last)?, 2),
        _ => (tens, 1),
    })
}

/// As [`number`], and "a", "an", "a couple of", "un par de".
pub(super) fn count(words: &[&str]) -> Option<(u32, usize)> {
    match words {
        ["a", "couple", "of", ..] | ["un", "par", "de", ..] => Some((2, 3)),
        ["a" | "an", ..] => Some((1, 1)),
        _ => number(words),
    }
}

fn named(word: &str) -> Option<u32> {
    const NAMES: [(&str, &str); 20] = [
        ("one", "uno"),
        ("two", "dos"),
        ("three", "tres"),
        ("four", "cuatro"),
        ("five", "cinco"),
        ("six", "seis"),
        ("seven", "siete"),
        ("eight", "ocho"),
        ("nine", "nueve"),
        ("ten", "diez"),
        ("eleven", "once"),
        ("twelve", "doce"),
        ("thirteen", "trece"),
        ("fourteen", "catorce"),
        ("fifteen", "quince"),
        ("sixteen", "dieciseis"),
        ("seventeen", "diecisiete"),
        ("eighteen", "dieciocho"),
        ("nineteen", "diecinueve"),
        ("twenty", "veinte"),
    ];
    if let Some(rest) = word.strip_prefix("veinti") {
        let one = if rest == "un" || rest == "una" {
            "uno"
        } else {
            rest
        };
        return named(one).filter(|one| *one < 10).map(|one| 20 + one);
    }
    let word = if word == "un" || word == "una" {
        "uno"
    } else {
        word
    };
    (1..)
        .zip(NAMES)
        .find(|(_, (english, spanish))| *english == word || *spanish == word)
        .map(|(number, _)| number)
}

/// The ordinal number that the words begin with, up to 31: "3rd", "1º", "first", "primero"; -1 is the last.
pub(super) fn ordinal(words: &[&str]) -> Option<(i8, usize)> {
    let number = match words {
        ["first" | "primer" | "primero" | "primera" | "primeros", ..] => 1,
        ["second" | "segundo" | "segunda" | "segundos", ..] => 2,
        ["third" | "tercer" | "tercero" | "tercera" | "terceros", ..] => 3,
        ["fourth" | "cuarto" | "cuarta" | "cuartos", ..] => 4,
        ["fifth" | "quinto" | "quinta", ..] => 5,
        ["sixth", ..] => 6,
        ["seventh", ..] => 7,
        ["eighth", ..] => 8,
        ["ninth", ..] => 9,
        ["tenth", ..] => 10,
        ["eleventh", ..] => 11,
        ["twelfth", ..] => 12,
        ["fifteenth", ..] => 15,
        ["twentieth", ..] => 20,
        ["last" | "ultimo" | "ultima" | "ultimos", ..] => -1,
        ["twenty", one, ..] if ordinal(&[one]).is_some_and(|(one, _)| (1..10).contains(&one)) => {
            return ordinal(&[one]).map(|(one, _)| (20 + one, 2));
        }
        [_, "st" | "nd" | "rd" | "th" | "o" | "er", ..] => {
            let day = day_of_month(words[0])?;
            return i8::try_from(day).ok().map(|day| (day, 2));
        }
        _ => return None,
    };
    Some((number, 1))
}

/// A day of a month in digits.
pub(super) fn day_of_month(word: &str) -> Option<u32> {
    let plain = word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit());
    let day = word.parse().ok().filter(|_| plain)?;
    (1..=31).contains(&day).then_some(day)
}

const WEEKDAYS: [[&str; 7]; 7] = [
    ["monday", "lunes", "mon", "lun", "mondays", "", ""],
    ["tuesday", "martes", "tue", "tues", "tuesdays", "", ""],
    [
        "wednesday",
        "miercoles",
        "wed",
        "mie",
        "wednesdays",
        "weds",
        "",
    ],
    [
        "thursday",
        "jueves",
        "thu",
        "jue",
        "thursdays",
        "thurs",
        "thur",
    ],
    ["friday", "viernes", "fri", "vie", "fridays", "", ""],
    ["saturday", "sabado", "sab", "sabados", "saturdays", "", ""],
    ["sunday", "domingo", "domingos", "sundays", "", "", ""],
];

/// The weekday of this name.
pub(super) fn weekday(word: &str) -> Option<Weekday> {
    if word.is_empty() {
        return None;
    }
    let number = WEEKDAYS.iter().position(|names| names.contains(&word))?;
    Weekday::try_from(u8::try_from(number).ok()?).ok()
}

/// As [`weekday`], with short names that are other words too: for lists of weekdays.
pub(super) fn weekday_in_list(word: &str) -> Option<Weekday> {
    match word {
        "sat" => Some(Weekday::Sat),
        "sun" | "dom" => Some(Weekday::Sun),
        "mar" => Some(Weekday::Tue),
        _ => weekday(word),
    }
}

/// Whether a weekday's name says more than one in itself: "Mondays", "sábados".
pub(super) fn is_plural(word: &str) -> bool {
    weekday(word).is_some()
        && (word.ends_with("days") || word.ends_with("dos") || word == "domingos")
}

pub(super) const ENGLISH_DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
pub(super) const SPANISH_DAYS: [&str; 7] = [
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
    "domingo",
];
pub(super) const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const SPANISH_MONTHS: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

/// The number of the month of this name.
pub(super) fn month(word: &str) -> Option<u32> {
    Some(match word {
        "january" | "enero" | "jan" | "ene" => 1,
        "february" | "febrero" | "feb" => 2,
        "march" | "marzo" | "mar" => 3,
        "april" | "abril" | "apr" | "abr" => 4,
        "may" | "mayo" => 5,
        "june" | "junio" | "jun" => 6,
        "july" | "julio" | "jul" => 7,
        "august" | "agosto" | "aug" | "ago" => 8,
        "september" | "septiembre" | "setiembre" | "sep" | "sept" => 9,
        "october" | "octubre" | "oct" => 10,
        "november" | "noviembre" | "nov" => 11,
        "december" | "diciembre" | "dec" | "dic" => 12,
        _ => return None,
    })
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Fortnight,
    Month,
    Quarter,
    Year,
}

/// The unit of this name.
pub(super) fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "second" | "seconds" | "sec" | "secs" | "segundo" | "segundos" => Unit::Second,
        "minute" | "minutes" | "min" | "mins" | "minuto" | "minutos" => Unit::Minute,
        "hour" | "hours" | "h" | "hr" | "hrs" | "hora" | "horas" => Unit::Hour,
        "day" | "days" | "dia" | "dias" => Unit::Day,
        "week" | "weeks" | "semana" | "semanas" => Unit::Week,
        "fortnight" | "fortnights" | "quincena" | "quincenas" => Unit::Fortnight,
        "month" | "months" | "mes" | "meses" => Unit::Month,
        "quarter" | "quarters" | "trimestre" | "trimestres" => Unit::Quarter,
        "year" | "years" | "ano" | "anos" => Unit::Year,
        _ => return None,
    })
}

/// Words of time that are no Spanish ones.
pub(super) fn is_english(word: &str) -> bool {
    matches!(
        word,
        "every"
            | "each"
            | "on"
            | "at"
            | "the"
            | "in"
            | "from"
            | "to"
            | "until"
            | "till"
            | "for"
            | "today"
            | "tomorrow"
            | "tonight"
            | "yesterday"
            | "next"
            | "this"
            | "last"
            | "noon"
            | "midnight"
            | "midday"
            | "am"
            | "pm"
            | "daily"
            | "weekly"
            | "monthly"
            | "yearly"
            | "annually"
            | "hourly"
            | "once"
            | "weekdays"
            | "weekends"
            | "weekend"
            | "morning"
            | "afternoon"
            | "evening"
            | "night"
            | "half"
            | "quarter"
            | "ago"
            | "hour"
            | "hours"
            | "minutes"
            | "of"
            | "and"
            | "fortnightly"
            | "between"
    ) || (weekday(word).is_some() && (word.ends_with("day") || word.ends_with("days")))
        || ENGLISH_MONTHS
            .iter()
            .any(|name| name.eq_ignore_ascii_case(word))
}
