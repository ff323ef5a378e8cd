//! The words of the languages that templates speak.

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// A language of names and phrases.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

const WEEKDAYS_EN: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const WEEKDAYS_ES: [&str; 7] = [
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
    "domingo",
];
const MONTHS_EN: [&str; 12] = [
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
const MONTHS_ES: [&str; 12] = [
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

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateStyle {
    /// "Friday 20 November".
    Long,
    /// "Fri 20 Nov".
    Short,
    /// "2026-11-20".
    Iso,
}

impl Locale {
    /// The language's code (ISO 639-1), which templates see as `locale`.
    pub fn code(self) -> &'static str {
        match self {
            Locale::En => "en",
            Locale::Es => "es",
        }
    }

    /// The day's name as it stands in a sentence: "Friday", "viernes".
    pub fn weekday(self, day: Weekday) -> &'static str {
        let names = match self {
            Locale::En => WEEKDAYS_EN,
            Locale::Es => WEEKDAYS_ES,
        };
        names[day.num_days_from_monday() as usize]
    }

    /// The name of month 1 to 12; `None` for other numbers.
    pub fn month(self, number: u32) -> Option<&'static str> {
        let names = match self {
            Locale::En => MONTHS_EN,
            Locale::Es => MONTHS_ES,
        };
        names.get(number.checked_sub(1)? as usize).copied()
    }

    /// The date in words; the year is told only where it is not `this_year`.
    pub fn date(self, date: NaiveDate, style: DateStyle, this_year: i32) -> String {
        let day = date.day();
        let year = (date.year() != this_year).then(|| date.year());
        let weekday = self.weekday(date.weekday());
        let month = self.month(date.month()).expect("a date's month is 1 to 12");
        let of = match (style, self) {
            (DateStyle::Iso, _) => return date.to_string(),
            (DateStyle::Short, _) => {
                let text = format!("{} {day} {}", short(weekday), short(month));
                return year.map_or(text.clone(), |year| format!("{text} {year}"));
            }
            (DateStyle::Long, Locale::En) => " ",
            (DateStyle::Long, Locale::Es) => " de ",
        };
        let text = format!("{weekday} {day}{of}{month}");
        year.map_or(text.clone(), |year| format!("{text}{of}{year}"))
    }

    /// The time of what lasts all day.
    pub fn all_day(self) -> &'static str {
        match self {
            Locale::En => "all day",
            Locale::Es => "todo el día",
        }
    }

    /// How far away something is: negative `seconds` are in the past.
    pub fn relative(self, seconds: i64) -> String {
        let (count, unit) = match seconds.unsigned_abs() {
            0..60 => return String::from(self.just_now()),
            s @ 60..3_600 => (s / 60, ["minute", "minutes", "minuto", "minutos"]),
            s @ 3_600..86_400 => (s / 3_600, ["hour", "hours", "hora", "horas"]),
            s @ 86_400..2_592_000 => (s / 86_400, ["day", "days", "día", "días"]),
            s @ 2_592_000..31_536_000 => (s / 2_592_000, ["month", "months", "mes", "meses"]),
            s => (s / 31_536_000, ["year", "years", "año", "años"]),
        };
        let plural = usize::from(count != 1);
        match (self, seconds < 0) {
            (Locale::En, true) => format!("{count} {} ago", unit[plural]),
            (Locale::En, false) => format!("in {count} {}", unit[plural]),
            (Locale::Es, true) => format!("hace {count} {}", unit[2 + plural]),
            (Locale::Es, false) => format!("dentro de {count} {}", unit[2 + plural]),
        }
    }

    /// A number with one decimal place, which is left out where it is zero.
    pub fn decimal(self, number: f64) -> String {
        let text = format!("{number:.1}");
        let text = text.strip_suffix(".0").unwrap_or(&text);
        match self {
            Locale::En => text.to_owned(),
            Locale::Es => text.replace('.', ","),
        }
    }

    fn just_now(self) -> &'static str {
        match self {
            Locale::En => "just now",
            Locale::Es => "ahora mismo",
        }
    }
}

/// The first three letters.
fn short(name: &str) -> &str {
    name.char_indices()
        .nth(3)
        .map_or(name, |(end, _)| &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_people_write_them() {
        let check = |locale: Locale, date: &str, style, expected: &str| {
            let date = date.parse().expect("a date");
            assert_eq!(locale.date(date, style, 2026), expected);
        };
        check(
            Locale::En,
            "2026-11-20",
            DateStyle::Long,
            "Friday 20 November",
        );
        check(
            Locale::Es,
            "2026-11-20",
            DateStyle::Long,
            "viernes 20 de noviembre",
        );
        check(
            Locale::En,
            "2027-01-01",
            DateStyle::Long,
            "Friday 1 January 2027",
        );
        check(
            Locale::Es,
            "2027-01-01",
            DateStyle::Long,
            "viernes 1 de enero de 2027",
        );
        check(Locale::En, "2026-11-20", DateStyle::Short, "Fri 20 Nov");
        check(Locale::Es, "2026-11-21", DateStyle::Short, "sáb 21 nov");
        check(Locale::Es, "2027-12-01", DateStyle::Short, "mié 1 dic 2027");
        check(Locale::Es, "2026-11-20", DateStyle::Iso, "2026-11-20");
    }

    #[test]
    fn distances_are_told_in_their_largest_unit() {
        let check = |seconds, en: &str, es: &str| {
            assert_eq!(Locale::En.relative(seconds), en);
            assert_eq!(Locale::Es.relative(seconds), es);
        };
        check(0, "just now", "ahora mismo");
        check(-59, "just now", "ahora mismo");
        check(-60, "1 minute ago", "hace 1 minuto");
        check(-300, "5 minutes ago", "hace 5 minutos");
        check(300, "in 5 minutes", "dentro de 5 minutos");
        check(-7_200, "2 hours ago", "hace 2 horas");
        check(86_400, "in 1 day", "dentro de 1 día");
        check(-5_184_000, "2 months ago", "hace 2 meses");
        check(-31_536_000, "1 year ago", "hace 1 año");
        check(i64::MIN, "292471208677 years ago", "hace 292471208677 años");
    }
}
