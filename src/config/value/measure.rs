//! Numbers with a unit.

use std::time::Duration;

use super::from_text;

type Wrong = (String, String);

/// A length of time: `"250ms"`, `"90s"`, `"5m"`, `"3h"`, `"7d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

from_text!(
    Span,
    span,
    "Duration",
    Some("^[0-9]+(ms|s|m|h|d)$"),
    "a number and a unit: ms, s, m, h or d, as \"90s\" or \"5m\""
);

impl Span {
    /// Reads a duration; the error says what is wrong and what would be right.
    pub fn parse(text: &str) -> Result<Self, (String, String)> {
        span(text)
    }
}

/// A number of bytes: `"512B"`, `"16KiB"`, `"5MiB"`, `"1GiB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

from_text!(
    Size,
    size,
    "Size",
    Some("^[0-9]+(B|KiB|MiB|GiB)$"),
    "a number and a unit: B, KiB, MiB or GiB, as \"16KiB\""
);

/// A share of a whole, 0 to 100: `"90%"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percent(pub f64);

from_text!(
    Percent,
    percent,
    "Percent",
    Some(r"^[0-9]+(\.[0-9]+)?%$"),
    "a number from 0 to 100 and %, as \"90%\""
);

/// A temperature in degrees Celsius: `"75C"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Celsius(pub f64);

from_text!(
    Celsius,
    celsius,
    "Celsius",
    Some(r"^-?[0-9]+(\.[0-9]+)?C$"),
    "degrees Celsius, as \"75C\""
);

fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    Some((text[..digits].parse().ok()?, text[digits..].trim_start()))
}

fn span(text: &str) -> Result<Span, Wrong> {
    let wrong = || {
        (
            format!("`{text}` is not a duration"),
            "write a number and ms, s, m, h or d, as \"90s\" or \"5m\"".to_owned(),
        )
    };
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    // Ten thousand days is further than any schedule, and keeps date arithmetic from overflowing.
    match number.checked_mul(millis) {
        Some(all) if all <= 10_000 * 86_400_000 => Ok(Span(Duration::from_millis(all))),
        _ => Err((
            format!("`{text}` is longer than 10000 days"),
            "use a shorter duration".to_owned(),
        )),
    }
}

fn size(text: &str) -> Result<Size, Wrong> {
    let wrong = || {
        (
            format!("`{text}` is not a size"),
            "write a number and B, KiB, MiB or GiB, as \"16KiB\"".to_owned(),
        )
    };
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let factor = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(factor).map(Size).ok_or_else(wrong)
}

fn percent(text: &str) -> Result<Percent, Wrong> {
    let number = text.strip_suffix('%').and_then(|n| n.trim().parse().ok());
    match number {
        Some(share) if (0.0..=100.0).contains(&share) => Ok(Percent(share)),
        _ => Err((
            format!("`{text}` is not a percentage"),
            "write a number from 0 to 100 and %, as \"90%\"".to_owned(),
        )),
    }
}

fn celsius(text: &str) -> Result<Celsius, Wrong> {
    let number = text.strip_suffix('C').and_then(|n| n.trim().parse().ok());
    match number {
        Some(degrees) if (-273.0..=1000.0).contains(&degrees) => Ok(Celsius(degrees)),
        _ => Err((
            format!("`{text}` is not a temperature"),
            "write degrees Celsius and C, as \"75C\"".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_carry_their_unit() {
        let check = |text: &str, millis: Option<u64>| {
            let read = span(text).ok().map(|span| span.0.as_millis());
            assert_eq!(read, millis.map(u128::from), "{text}");
        };
        check("250ms", Some(250));
        check("90s", Some(90_000));
        check("3h", Some(10_800_000));
        check("7d", Some(604_800_000));
        check("90", None);
        check("s", None);
        check("-5m", None);
        check("1.5h", None);
        check("99999999999999999999d", None);
        check("10001d", None);
    }

    #[test]
    fn sizes_carry_their_unit() {
        let check = |text: &str, bytes: Option<u64>| {
            assert_eq!(size(text).ok().map(|size| size.0), bytes, "{text}");
        };
        check("512B", Some(512));
        check("16KiB", Some(16_384));
        check("1GiB", Some(1 << 30));
        check("16kb", None);
        check("99999999999999GiB", None);
    }
}
