//! Durations and sizes as people read them.

use minijinja::{Error, ErrorKind, Value};

use super::locale::Locale;

/// A number, or a text that is one; `what` names it in the error.
pub(super) fn number(value: &Value, what: &str) -> Result<f64, Error> {
    let number = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => f64::try_from(value.clone()).ok(),
    };
    number.filter(|number| number.is_finite()).ok_or_else(|| {
        let text = format!("{value:.60} is not {what}");
        Error::new(ErrorKind::InvalidOperation, text)
    })
}

/// Seconds, from a number or from a text such as "90s", "250ms", "5m", "3h", "2d".
pub(super) fn seconds(value: &Value) -> Result<f64, Error> {
    let Some(text) = value.as_str() else {
        return number(value, "a number of seconds");
    };
    let text = text.trim();
    let end = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (count, unit) = text.split_at(end);
    let scale = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => f64::NAN,
    };
    number(&Value::from(count), "a duration")
        .map(|count| count * scale)
        .and_then(|seconds| number(&Value::from(seconds), "a duration"))
        .map_err(|_| {
            let text = format!("{value:.60} is not a duration, as 90, \"90s\" and \"3h\" are");
            Error::new(ErrorKind::InvalidOperation, text)
        })
}

/// The two largest units: "350 ms", "4.1 s", "1 min 30 s", "1 h 30 min", "2 d 3 h".
pub(super) fn duration(seconds: f64, locale: Locale) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let seconds = seconds.abs();
    if seconds == 0.0 {
        return "0 s".into();
    }
    if seconds < 0.9995 {
        return format!("{sign}{:.0} ms", seconds * 1_000.0);
    }
    if seconds < 9.95 {
        return format!("{sign}{} s", locale.decimal(seconds));
    }
    // `as` saturates, and longer than the age of the universe is long enough.
    let whole = seconds.round() as u64;
    let (large, small, per) = match whole {
        0..60 => return format!("{sign}{whole} s"),
        60..3_600 => ((whole / 60, "min"), (whole % 60, "s"), 60),
        3_600..86_400 => ((whole / 3_600, "h"), (whole % 3_600 / 60, "min"), 60),
        _ => ((whole / 86_400, "d"), (whole % 86_400 / 3_600, "h"), 24),
    };
    debug_assert!(small.0 < per);
    match small.0 {
        0 => format!("{sign}{} {}", large.0, large.1),
        _ => format!("{sign}{} {} {} {}", large.0, large.1, small.0, small.1),
    }
}

/// Binary units (IEC 80000-13) with one decimal place: "512 B", "1.5 GiB".
pub(super) fn bytes(bytes: f64, locale: Locale) -> String {
    let mut scaled = bytes;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        // 1023.95 would be printed as 1024.0.
        if scaled.abs() < 1023.95 {
            break;
        }
        scaled /= 1024.0;
        unit = larger;
    }
    format!("{} {unit}", locale.decimal(scaled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        let check = |seconds: f64, expected: &str| {
            assert_eq!(duration(seconds, Locale::En), expected, "{seconds}");
        };
        check(0.0, "0 s");
        check(0.35, "350 ms");
        check(0.9999, "1 s");
        check(4.12, "4.1 s");
        check(59.0, "59 s");
        check(59.6, "1 min");
        check(90.0, "1 min 30 s");
        check(5_400.0, "1 h 30 min");
        check(86_399.0, "23 h 59 min");
        check(183_600.0, "2 d 3 h");
        check(-90.0, "-1 min 30 s");
        check(1e300, "213503982334601 d 7 h");
        assert_eq!(duration(4.12, Locale::Es), "4,1 s");
    }

    #[test]
    fn sizes_have_binary_units() {
        let check = |size: f64, expected: &str| assert_eq!(bytes(size, Locale::En), expected);
        check(0.0, "0 B");
        check(512.0, "512 B");
        check(1_023.0, "1023 B");
        check(1_024.0, "1 KiB");
        check(1_048_575.0, "1 MiB");
        check(1_610_612_736.0, "1.5 GiB");
        check(1e18, "888.2 PiB");
        assert_eq!(bytes(1_610_612_736.0, Locale::Es), "1,5 GiB");
    }
}
