//! The moment that a text speaks of, in English and Spanish, by code: "mañana a las 9", "next Friday", "in half an hour".
//!
//! A day without a time is its first moment. Hours from 1 to 7 that say neither morning nor evening are those after noon.

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Weekday,
};

use crate::template::Locale;
use crate::words::fold;
use crate::zone::Tz;

/// The first moment that a text names, seen from `now`; `None` where it names none that is.
pub fn when(text: &str, now: DateTime<Tz>) -> Option<DateTime<Tz>> {
    let words = words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Some(length) = from_now(&words) {
        return now.checked_add_signed(length);
    }
    let today = now.date_naive();
    let day = (0..words.len()).find_map(|at| day(&words[at..], before(&words, at), today));
    let time = (0..words.len()).find_map(|at| time(&words[at..], before(&words, at)));
    let (day, time) = match (day, time) {
        (None, None) => return None,
        (Some(day), time) => (day, time.unwrap_or(NaiveTime::MIN)),
        (None, Some(time)) => {
            let later = if time > now.time() {
                today
            } else {
                today.checked_add_days(Days::new(1))?
            };
            (later, time)
        }
    };
    let local = day.and_time(time);
    // What the clocks skip is as much later as they skip.
    let shown = [0, 30, 60, 120].into_iter();
    shown
        .map(|minutes| local + TimeDelta::minutes(minutes))
        .find_map(|local| now.timezone().from_local_datetime(&local).earliest())
}

/// Folded words; times and dates stay whole.
fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words =
        folded.split(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '/' | '-' | '.')));
    words
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn before<'w>(words: &[&'w str], at: usize) -> &'w str {
    at.checked_sub(1).map_or("", |before| words[before])
}

/// "in 20 minutes", "dentro de dos horas", "en media hora".
fn from_now(words: &[&str]) -> Option<TimeDelta> {
    (0..words.len()).find_map(|at| {
        let rest = match &words[at..] {
            ["dentro", "de", rest @ ..] | ["in" | "en", rest @ ..] => rest,
            _ => return None,
        };
        match rest {
            ["half", "an", "hour", ..] | ["media", "hora", ..] => Some(TimeDelta::minutes(30)),
            [count, unit, ..] => length(number(count)?, unit),
            _ => None,
        }
    })
}

fn length(count: i64, unit: &str) -> Option<TimeDelta> {
    match unit {
        "minute" | "minutes" | "min" | "minuto" | "minutos" => TimeDelta::try_minutes(count),
        "hour" | "hours" | "h" | "hora" | "horas" => TimeDelta::try_hours(count),
        "day" | "days" | "dia" | "dias" => TimeDelta::try_days(count),
        "week" | "weeks" | "semana" | "semanas" => TimeDelta::try_weeks(count),
        _ => None,
    }
}

fn number(word: &str) -> Option<i64> {
    const NAMES: [[&str; 4]; 12] = [
        ["one", "a", "un", "una"],
        ["two", "dos", "", ""],
        ["three", "tres", "", ""],
        ["four", "cuatro", "", ""],
        ["five", "cinco", "", ""],
        ["six", "seis", "", ""],
        ["seven", "siete", "", ""],
        ["eight", "ocho", "", ""],
        ["nine", "nueve", "", ""],
        ["ten", "diez", "", ""],
        ["eleven", "once", "", ""],
        ["twelve", "doce", "", ""],
    ];
    let named = (1_i64..)
        .zip(NAMES)
        .find(|(_, names)| names.contains(&word) || (word == "an" && names[0] == "one"));
    let number = named
        .map(|(number, _)| number)
        .or_else(|| word.parse().ok())?;
    (0..100_000).contains(&number).then_some(number)
}

/// The weekday of this name, in either language.
fn weekday(word: &str) -> Option<Weekday> {
    let mut days = (0..7).filter_map(|number| Weekday::try_from(number).ok());
    days.find(|day| {
        LOCALES
            .iter()
            .any(|locale| fold(locale.weekday(*day)) == word)
    })
}

/// The number of the month of this name, in either language.
fn month(word: &str) -> Option<u32> {
    let is = |locale: &Locale, number| locale.month(number).is_some_and(|name| fold(name) == word);
    (1..=12).find(|number| LOCALES.iter().any(|locale| is(locale, *number)))
}

const LOCALES: [Locale; 2] = [Locale::En, Locale::Es];

/// The day that the words begin with.
fn day(words: &[&str], before: &str, today: NaiveDate) -> Option<NaiveDate> {
    let after = |days| today.checked_add_days(Days::new(days));
    match words {
        ["today" | "hoy" | "tonight", ..] | ["esta", "noche" | "tarde", ..] => return Some(today),
        ["day", "after", "tomorrow", ..] | ["pasado", "manana", ..] => return after(2),
        ["tomorrow", ..] => return after(1),
        // "Por la mañana" is in the morning.
        ["manana", ..] if before != "la" && before != "pasado" => return after(1),
        _ => {}
    }
    let first = *words.first()?;
    if let Some(weekday) = weekday(first) {
        let days =
            (7 + weekday.num_days_from_monday() - today.weekday().num_days_from_monday()) % 7;
        return after(if days == 0 { 7 } else { days.into() });
    }
    if let Ok(date) = first.parse() {
        return Some(date);
    }
    dated(words, today)
}

/// "21 de noviembre", "November 21st", "21/11", "21/11/2026".
fn dated(words: &[&str], today: NaiveDate) -> Option<NaiveDate> {
    let (day, month, year) = match words {
        [day, "de" | "of", name, "de", year, ..] if month(name).is_some() && year.len() == 4 => {
            (ordinal(day)?, month(name)?, year.parse().ok())
        }
        [day, "de" | "of", name, ..] | [day, name, ..] if month(name).is_some() => {
            (ordinal(day)?, month(name)?, None)
        }
        [name, day, ..] if month(name).is_some() => (ordinal(day)?, month(name)?, None),
        [slashed, ..] if slashed.contains('/') => {
            let mut parts = slashed.split('/');
            let (day, month) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            (
                day,
                month,
                parts
                    .next()
                    .and_then(|year| year.parse().ok())
                    .filter(|year| *year > 1900),
            )
        }
        _ => return None,
    };
    if let Some(year) = year {
        return NaiveDate::from_ymd_opt(year, month, day);
    }
    let this_year = NaiveDate::from_ymd_opt(today.year(), month, day)?;
    match this_year < today {
        true => this_year.checked_add_months(Months::new(12)),
        false => Some(this_year),
    }
}

fn ordinal(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    digits.parse().ok().filter(|day| (1..=31).contains(day))
}

/// The time of the day that the words begin with.
fn time(words: &[&str], before: &str) -> Option<NaiveTime> {
    let at = |hour: u32, minute: u32| NaiveTime::from_hms_opt(hour, minute, 0);
    match words {
        ["noon" | "mediodia", ..] => return at(12, 0),
        ["midnight" | "medianoche", ..] => return at(0, 0),
        ["half", "past", hour, rest @ ..] => return part_of_day(clock(hour)?.0, 30, rest),
        ["quarter", "past", hour, rest @ ..] => return part_of_day(clock(hour)?.0, 15, rest),
        ["quarter", "to", hour, rest @ ..] => {
            return part_of_day(clock(hour)?.0, 0, rest).map(|time| time - TimeDelta::minutes(15));
        }
        _ => {}
    }
    let (first, rest) = words.split_first()?;
    let (hour, minute, sure) = clock(first)?;
    // A bare number is a time only where something says so.
    let said = matches!(before, "at" | "las" | "la" | "around" | "sobre");
    let half = matches!(
        rest,
        ["am" | "pm" | "a.m" | "p.m" | "h" | "horas" | "oclock", ..]
    );
    if !(sure || said || half) {
        return None;
    }
    match rest {
        ["y", "media", rest @ ..] => part_of_day(hour, 30, rest),
        ["y", "cuarto", rest @ ..] => part_of_day(hour, 15, rest),
        ["menos", "cuarto", rest @ ..] => {
            part_of_day(hour, 0, rest).map(|time| time - TimeDelta::minutes(15))
        }
        // With minutes after a colon an early hour is meant as it is written, unless the rest says more.
        rest if sure && first.contains(':') && first.len() == 5 => {
            named(rest).map_or(at(hour, minute), |_| part_of_day(hour, minute, rest))
        }
        rest => match first
            .strip_suffix("pm")
            .map(|_| true)
            .or(first.strip_suffix("am").map(|_| false))
        {
            Some(evening) => at(of_day(hour, evening), minute),
            None => part_of_day(hour, minute, rest),
        },
    }
}

/// `17`, `17:30`, `5pm`, `17h`, `cinco`: hour, minute, and whether it can be nothing but a time.
fn clock(word: &str) -> Option<(u32, u32, bool)> {
    let bare = ["am", "pm", "h"]
        .iter()
        .find_map(|end| word.strip_suffix(end))
        .filter(|bare| !bare.is_empty());
    let sure = bare.is_some() || word.contains(':');
    let (hour, minute) = bare
        .unwrap_or(word)
        .split_once([':', '.'])
        .unwrap_or((bare.unwrap_or(word), "0"));
    let hour = u32::try_from(number(hour)?).ok()?;
    let minute = minute.parse().ok()?;
    (hour < 24 && minute < 60).then_some((hour, minute, sure))
}

/// Whether the words say that it is after noon.
fn named(rest: &[&str]) -> Option<bool> {
    match rest {
        ["am" | "a.m", ..]
        | ["de" | "por", "la", "manana" | "madrugada", ..]
        | ["in", "the", "morning", ..] => Some(false),
        ["pm" | "p.m", ..] | ["de" | "por", "la", "tarde" | "noche", ..] => Some(true),
        ["in", "the", "afternoon" | "evening", ..] | ["at", "night", ..] | ["tonight", ..] => {
            Some(true)
        }
        _ => None,
    }
}

fn part_of_day(hour: u32, minute: u32, rest: &[&str]) -> Option<NaiveTime> {
    let evening = named(rest).unwrap_or((1..8).contains(&hour) || hour == 12);
    NaiveTime::from_hms_opt(of_day(hour, evening), minute, 0)
}

fn of_day(hour: u32, evening: bool) -> u32 {
    match (hour, evening) {
        (12, false) => 0,
        (1..12, true) => hour + 12,
        _ => hour,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it is understood on Friday 20 November 2026, 10:30 in Madrid.
    fn said(text: &str) -> String {
        let madrid = Tz::named("Europe/Madrid").unwrap();
        let now = madrid.with_ymd_and_hms(2026, 11, 20, 10, 30, 0).unwrap();
        when(text, now).map_or_else(
            || "-".to_owned(),
            |when| when.format("%a %d %b %H:%M").to_string(),
        )
    }

    #[test]
    fn moments_are_understood_as_people_mean_them() {
        for (text, expected) in [
            ("¿Qué tengo mañana?", "Sat 21 Nov 00:00"),
            (
                "recuérdame mañana a las 9 llamar al dentista",
                "Sat 21 Nov 09:00",
            ),
            ("mañana por la mañana", "Sat 21 Nov 00:00"),
            ("pasado mañana a las 17:30", "Sun 22 Nov 17:30"),
            ("el lunes a las 5", "Mon 23 Nov 17:00"),
            ("el lunes a las 5 de la mañana", "Mon 23 Nov 05:00"),
            ("el viernes", "Fri 27 Nov 00:00"),
            ("next Friday", "Fri 27 Nov 00:00"),
            ("am I free on Friday at 5", "Fri 27 Nov 17:00"),
            (
                "cita dentista el martes a las 17:30 una hora",
                "Tue 24 Nov 17:30",
            ),
            ("tomorrow at 5pm", "Sat 21 Nov 17:00"),
            ("tomorrow at 5 a.m.", "Sat 21 Nov 05:00"),
            ("tomorrow at half past 8", "Sat 21 Nov 08:30"),
            ("hoy a las ocho y media de la noche", "Fri 20 Nov 20:30"),
            ("a las 5", "Fri 20 Nov 17:00"),
            ("at 9:15", "Sat 21 Nov 09:15"),
            ("at noon", "Fri 20 Nov 12:00"),
            ("in half an hour", "Fri 20 Nov 11:00"),
            ("dentro de dos horas", "Fri 20 Nov 12:30"),
            ("en 3 días", "Mon 23 Nov 10:30"),
            ("el 21 de diciembre a las 12", "Mon 21 Dec 12:00"),
            ("December 1st", "Tue 01 Dec 00:00"),
            ("on 2026-12-24", "Thu 24 Dec 00:00"),
            ("3/1", "Sun 03 Jan 00:00"),
            ("the day after tomorrow", "Sun 22 Nov 00:00"),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "hello",
            "I have 5 apples",
            "lunch 14.50 with client",
            "in the house",
            "32/13",
            "99:99",
            "a las 77",
            "en casa",
        ] {
            assert_eq!(said(text), "-", "{text}");
        }
    }

    #[test]
    fn what_the_clocks_skip_comes_after_it() {
        let madrid = Tz::named("Europe/Madrid").unwrap();
        let now = madrid.with_ymd_and_hms(2026, 3, 28, 10, 0, 0).unwrap();
        let at = when("tomorrow at 02:30", now).unwrap();
        assert_eq!(at.to_rfc3339(), "2026-03-29T03:00:00+02:00");
    }
}
