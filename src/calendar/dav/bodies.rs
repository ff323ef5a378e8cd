//! What is asked: small texts of XML (RFC 4791, RFC 6578).

use std::fmt::Write;

use chrono::{Days, NaiveDate};

use crate::calendar::Range;

const OPEN: &str = concat!(
    r#"<?xml version="1.0" encoding="utf-8"?>"#,
    r#"<R xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/">"#
);

/// PROPFIND: what a place is, and where its user's calendars are.
pub fn place() -> String {
    propfind(concat!(
        "<D:resourcetype/><D:displayname/><D:current-user-principal/><C:calendar-home-set/>",
        "<C:supported-calendar-component-set/><D:current-user-privilege-set/>"
    ))
}

/// PROPFIND: how one can learn what changed in a calendar.
pub fn abilities() -> String {
    propfind("<D:resourcetype/><D:supported-report-set/><S:getctag/>")
}

/// REPORT sync-collection (RFC 6578, section 3.2); an empty token asks for all.
pub fn sync(token: &str) -> String {
    let token = escaped(token);
    report(
        "D:sync-collection",
        &format!(
            "<D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>\
             <D:prop><D:getetag/></D:prop>"
        ),
    )
}

/// REPORT calendar-query (RFC 4791, section 7.8): the versions of the events of some days, whatever the zone.
pub fn query(window: Range) -> String {
    let time = |day: NaiveDate| day.format("%Y%m%dT000000Z").to_string();
    let start = window.start.checked_sub_days(Days::new(1));
    let end = window.end().checked_add_days(Days::new(1));
    let (start, end) = (
        time(start.unwrap_or(window.start)),
        time(end.unwrap_or(window.end())),
    );
    report(
        "C:calendar-query",
        &format!(
            "<D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name=\"VCALENDAR\">\
             <C:comp-filter name=\"VEVENT\"><C:time-range start=\"{start}\" end=\"{end}\"/>\
             </C:comp-filter></C:comp-filter></C:filter>"
        ),
    )
}

/// REPORT calendar-multiget (RFC 4791, section 7.9).
pub fn multiget(ids: &[String]) -> String {
    let mut inner = "<D:prop><D:getetag/><C:calendar-data/></D:prop>".to_owned();
    for id in ids {
        // Writing to a string never fails.
        let _ = write!(inner, "<D:href>{}</D:href>", escaped(id));
    }
    report("C:calendar-multiget", &inner)
}

fn propfind(properties: &str) -> String {
    report("D:propfind", &format!("<D:prop>{properties}</D:prop>"))
}

fn report(root: &str, inner: &str) -> String {
    format!(
        "{}{inner}</{root}>",
        OPEN.replacen("<R ", &format!("<{root} "), 1)
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other if other.is_control() => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_said_cannot_become_markup() {
        let asked = sync("</D:sync-token><x a=\"&\">\u{0}");
        assert!(
            asked.contains(
                "<D:sync-token>&lt;/D:sync-token&gt;&lt;x a=\"&amp;\"&gt;</D:sync-token>"
            ),
            "{asked}"
        );
        assert!(asked.ends_with("</D:sync-collection>"), "{asked}");
    }
}
