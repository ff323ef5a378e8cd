//! One entry of `journalctl -o json` (systemd's Journal Export Formats, section "Journal JSON Format").

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// An entry, as far as it is told.
#[derive(Debug, PartialEq)]
pub struct Entry {
    /// journald's own name of the place.
    pub cursor: String,
    /// When journald received it.
    pub at: DateTime<Utc>,
    /// The unit, or `kernel` and the like for what has none.
    pub unit: String,
    /// What the program calls itself.
    pub program: String,
    /// The message; not always UTF-8.
    pub message: Vec<u8>,
}

impl Entry {
    /// Parses one line; `None` for what is no entry.
    pub fn parse(json: &[u8]) -> Option<Self> {
        let fields: Map<String, Value> = serde_json::from_slice(json).ok()?;
        let text = |name| {
            let value = fields
                .get(name)
                .map(bytes)
                .filter(|value| !value.is_empty());
            value.map(|value| String::from_utf8_lossy(&value).into_owned())
        };
        let program = text("SYSLOG_IDENTIFIER").or_else(|| text("_COMM"));
        let program = program.unwrap_or_else(|| "unknown".to_owned());
        Some(Entry {
            cursor: text("__CURSOR")?,
            at: time(&text("__REALTIME_TIMESTAMP")?)?,
            unit: text("_SYSTEMD_UNIT").unwrap_or_else(|| program.clone()),
            program,
            message: fields.get("MESSAGE").map(bytes).unwrap_or_default(),
        })
    }
}

/// The cursor and time of an entry that is cut off, if they stand in what there is.
pub fn place(json: &[u8]) -> Option<(String, DateTime<Utc>)> {
    let field = |name: &[u8]| {
        let start = memchr::memmem::find(json, name)? + name.len();
        let length = memchr::memchr(b'"', &json[start..])?;
        std::str::from_utf8(&json[start..start + length]).ok()
    };
    let cursor = field(b"\"__CURSOR\":\"")?.to_owned();
    Some((cursor, time(field(b"\"__REALTIME_TIMESTAMP\":\"")?)?))
}

fn time(microseconds: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(microseconds.parse().ok()?)
}

/// A string; `null` for what was too large; numbers for bytes that are not UTF-8; an array for a field set twice.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        Value::Array(parts) if parts.iter().all(Value::is_number) => parts
            .iter()
            .filter_map(|part| part.as_u64().and_then(|byte| u8::try_from(byte).ok()))
            .collect(),
        Value::Array(parts) => parts.iter().map(bytes).collect::<Vec<_>>().join(&b' '),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = r#""__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1795172641000000""#;

    fn check(fields: &str, expected: Option<(&str, &str, &[u8])>) {
        let entry = Entry::parse(format!("{{{fields}}}").as_bytes());
        let seen = entry.as_ref().map(|entry| {
            (
                entry.unit.as_str(),
                entry.program.as_str(),
                &entry.message[..],
            )
        });
        assert_eq!(seen, expected, "{fields}");
    }

    #[test]
    fn a_message_has_many_forms() {
        let names = r#""_SYSTEMD_UNIT":"ssh.service","SYSLOG_IDENTIFIER":"sshd""#;
        let message = |json: &str| format!("{PLACE},{names},\"MESSAGE\":{json}");
        check(
            &message("\"hello\""),
            Some(("ssh.service", "sshd", b"hello")),
        );
        check(
            &message("[99,97,102,233]"),
            Some(("ssh.service", "sshd", b"caf\xe9")),
        );
        check(&message("null"), Some(("ssh.service", "sshd", b"")));
        check(
            &message("[\"a\",\"b\"]"),
            Some(("ssh.service", "sshd", b"a b")),
        );
        check(
            &message("[[97],[98]]"),
            Some(("ssh.service", "sshd", b"a b")),
        );
        check(&message("[300,-1,1.5]"), Some(("ssh.service", "sshd", b"")));
    }

    #[test]
    fn names_are_found_where_there_are_any() {
        check(PLACE, Some(("unknown", "unknown", b"")));
        let kernel = format!("{PLACE},\"SYSLOG_IDENTIFIER\":\"kernel\",\"MESSAGE\":\"x\"");
        check(&kernel, Some(("kernel", "kernel", b"x")));
        let comm = format!("{PLACE},\"_COMM\":\"cron\",\"MESSAGE\":\"x\"");
        check(&comm, Some(("cron", "cron", b"x")));
    }

    #[test]
    fn what_is_no_entry_is_none() {
        check("", None);
        check("\"__CURSOR\":\"x\"", None);
        check("\"__CURSOR\":\"x\",\"__REALTIME_TIMESTAMP\":\"soon\"", None);
        assert_eq!(Entry::parse(b"-- No entries --"), None);
        assert_eq!(Entry::parse(b"\xff\xfe"), None);
    }

    #[test]
    fn a_cut_off_entry_keeps_its_place() {
        let cut = format!("{{{PLACE},\"MESSAGE\":[1,2,3");
        let (cursor, at) = place(cut.as_bytes()).expect("a place");
        assert_eq!(
            (cursor.as_str(), at.timestamp()),
            ("s=1;i=2", 1_795_172_641)
        );
        assert_eq!(place(b"{\"MESSAGE\":\"x"), None);
    }
}
