//! Days from today, as job files say them.

/// Days from today: the first, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// 0 is today.
    pub first: u32,
    /// At least 1.
    pub count: u32,
}

crate::config::value::from_text!(
    Days,
    days,
    "Days",
    Some("^(today|tomorrow|week|[0-9]+d)$"),
    "today, tomorrow, week or a number of days, as \"3d\""
);

fn days(text: &str) -> Result<Days, (String, String)> {
    let (first, count) = match text {
        "today" => (0, 1),
        "tomorrow" => (1, 1),
        "week" => (0, 7),
        other => {
            let count = other
                .strip_suffix('d')
                .and_then(|number| number.parse().ok());
            (
                0,
                count.filter(|count| (1..=366).contains(count)).unwrap_or(0),
            )
        }
    };
    if count == 0 {
        let right = "write today, tomorrow, week or a number of days up to 366, as \"3d\"";
        return Err((format!("`{text}` is not a range of days"), right.to_owned()));
    }
    Ok(Days { first, count })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_days() {
        let check = |text: &str, expected: Option<(u32, u32)>| {
            let read = days(text).ok().map(|days| (days.first, days.count));
            assert_eq!(read, expected, "{text}");
        };
        check("today", Some((0, 1)));
        check("tomorrow", Some((1, 1)));
        check("week", Some((0, 7)));
        check("3d", Some((0, 3)));
        check("0d", None);
        check("367d", None);
        check("-1d", None);
        check("tody", None);
    }
}
