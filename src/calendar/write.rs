//! iCalendar text (RFC 5545) of what is to be written.

use chrono::{DateTime, Utc};

use super::Moment;
use super::remote::Draft;

/// A VCALENDAR with the one event of a draft, `stamp` being when it was written.
pub fn calendar(draft: &Draft, stamp: DateTime<Utc>) -> String {
    let mut lines = Lines::default();
    lines.add("BEGIN", "VCALENDAR");
    lines.add("VERSION", "2.0");
    lines.add("PRODID", "-//Reveille//EN");
    lines.add("BEGIN", "VEVENT");
    lines.add("UID", &draft.uid);
    lines.add("DTSTAMP", &stamp.format("%Y%m%dT%H%M%SZ").to_string());
    lines.moment("DTSTART", draft.start);
    lines.moment("DTEND", draft.end);
    lines.text("SUMMARY", &draft.title);
    lines.text("LOCATION", &draft.location);
    lines.text("DESCRIPTION", &draft.description);
    lines.add("END", "VEVENT");
    lines.add("END", "VCALENDAR");
    lines.0
}

/// Content lines, each ended and none longer than 75 octets.
#[derive(Debug, Default)]
pub struct Lines(pub String);

impl Lines {
    /// A line whose value is written as it is.
    pub fn add(&mut self, name: &str, value: &str) {
        let mut room = 75;
        for character in name.chars().chain([':']).chain(value.chars()) {
            if character.len_utf8() > room {
                self.0.push_str("\r\n ");
                room = 74;
            }
            room -= character.len_utf8();
            self.0.push(character);
        }
        self.0.push_str("\r\n");
    }

    /// A line of text; nothing for an empty one.
    pub fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.add(name, &escaped(text));
        }
    }

    /// A day, or a time in UTC.
    pub fn moment(&mut self, name: &str, moment: Moment) {
        match moment {
            Moment::Day(day) => self.add(
                &format!("{name};VALUE=DATE"),
                &day.format("%Y%m%d").to_string(),
            ),
            Moment::At(time) => self.add(name, &time.to_utc().format("%Y%m%dT%H%M%SZ").to_string()),
        }
    }
}

/// TEXT of RFC 5545, 3.3.11; control characters, which it does not allow, are left out.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.replace("\r\n", "\n").chars() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push('\t'),
            other if other.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Range;
    use crate::calendar::look::bytes_of;
    use crate::zone::Tz;

    #[test]
    fn a_draft_comes_back_as_it_was() {
        let at = |text: &str| Moment::At(DateTime::parse_from_rfc3339(text).expect("a time"));
        let draft = Draft {
            uid: "abc123".to_owned(),
            title: format!("Ñandú; \\n, \"x\" {}", "é🦀".repeat(60)),
            location: String::new(),
            description: "END:VEVENT\r\nBEGIN:VEVENT".to_owned(),
            start: at("2026-11-24T17:30:00+01:00"),
            end: at("2026-11-24T18:30:00+01:00"),
            zone: Tz::UTC,
        };
        let written = calendar(&draft, DateTime::UNIX_EPOCH);
        assert!(
            written.split("\r\n").all(|line| line.len() <= 75),
            "{written}"
        );
        let day = Range::day(chrono::NaiveDate::from_ymd_opt(2026, 11, 24).expect("a date"));
        let looked = bytes_of(written.as_bytes(), day, Tz::UTC).expect("a calendar");
        let [item] = &looked.items[..] else {
            panic!("{looked:?}");
        };
        assert_eq!((&item.title, &item.uid), (&draft.title, &draft.uid));
        assert_eq!(item.description, "END:VEVENT\nBEGIN:VEVENT");
        assert_eq!(
            (item.start.time(), item.end.time()),
            ("16:30".to_owned(), "17:30".to_owned())
        );
    }
}
