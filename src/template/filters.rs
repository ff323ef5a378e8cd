//! The filters that briefings and summaries need beyond the engine's own.

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Datelike, Utc, Weekday};
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value};

use super::limits::Capped;
use super::locale::{DateStyle, Locale};
use super::moment::Moment;
use super::quantity;
use crate::moment::said;
use crate::zone::Tz;

/// What the filters know about the reader.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    pub(super) locale: Locale,
    pub(super) zone: Tz,
    pub(super) now: DateTime<Utc>,
}

/// Adds every filter of ours to `environment`.
pub(super) fn add(environment: &mut Environment<'_>, reader: Reader) {
    environment.add_global("locale", reader.locale.code());
    environment.add_filter("time", move |value: &Value, format: Option<&str>| {
        reader.time(value, format)
    });
    environment.add_filter("date", move |value: &Value, style: Option<&str>| {
        reader.date(value, style)
    });
    environment.add_filter("weekday", move |value: &Value| reader.weekday(value));
    environment.add_filter("month", move |value: &Value| reader.month(value));
    environment.add_filter("ago", move |value: &Value| reader.ago(value));
    environment.add_filter("duration", move |value: &Value| {
        let seconds = quantity::seconds(value)?;
        Ok::<_, Error>(quantity::duration(seconds, reader.locale))
    });
    environment.add_filter("bytes", move |value: &Value| {
        let bytes = quantity::number(value, "a number of bytes")?;
        Ok::<_, Error>(quantity::bytes(bytes, reader.locale))
    });
    environment.add_filter("plain", super::plain::plain);
    environment.add_filter("truncate", truncate);
    environment.add_filter("json", json);
    environment.add_filter("group", group);
    environment.add_filter("plural", plural);
    environment.add_filter("untimed", move |text: &str| {
        said(text, reader.now.with_timezone(&reader.zone)).rest
    });
}

impl Reader {
    /// "09:00", or as `format` says (strftime); what lasts all day says so.
    fn time(self, value: &Value, format: Option<&str>) -> Result<String, Error> {
        let instant = match Moment::read(value, self.zone)? {
            Moment::Day(_) => return Ok(self.locale.all_day().to_owned()),
            Moment::Instant(instant) => instant,
        };
        let format = format.unwrap_or("%H:%M");
        let items: Vec<Item> = StrftimeItems::new(format).collect();
        // chrono panics when it prints a format with an unknown letter.
        if items.contains(&Item::Error) {
            return Err(wrong(format!(
                "`{format}` is not a time format, as %H:%M is"
            )));
        }
        Ok(instant.format_with_items(items.iter()).to_string())
    }

    /// "Friday 20 November"; `style` is long, short or iso.
    fn date(self, value: &Value, style: Option<&str>) -> Result<String, Error> {
        let style = match style {
            None | Some("long") => DateStyle::Long,
            Some("short") => DateStyle::Short,
            Some("iso") => DateStyle::Iso,
            Some(other) => {
                return Err(wrong(format!(
                    "unknown date style `{other}`: long, short, iso"
                )));
            }
        };
        let date = Moment::read(value, self.zone)?.date();
        let this_year = self.now.with_timezone(&self.zone).year();
        Ok(self.locale.date(date, style, this_year))
    }

    /// The day's name, from a time or from 1 (Monday) to 7.
    fn weekday(self, value: &Value) -> Result<&'static str, Error> {
        let day = match value.as_i64() {
            Some(number) => u8::try_from(number.saturating_sub(1))
                .ok()
                .and_then(|number| Weekday::try_from(number).ok())
                .ok_or_else(|| wrong(format!("{number} is no weekday: 1 is Monday, 7 Sunday")))?,
            None => Moment::read(value, self.zone)?.date().weekday(),
        };
        Ok(self.locale.weekday(day))
    }

    /// The month's name, from a time or from 1 to 12.
    fn month(self, value: &Value) -> Result<&'static str, Error> {
        let number = match value.as_i64() {
            Some(number) => u32::try_from(number).unwrap_or(0),
            None => Moment::read(value, self.zone)?.date().month(),
        };
        self.locale
            .month(number)
            .ok_or_else(|| wrong(format!("{value:.20} is no month: 1 to 12")))
    }

    /// "5 minutes ago", "in 2 days".
    fn ago(self, value: &Value) -> Result<String, Error> {
        let instant = Moment::read(value, self.zone)?.instant(self.zone);
        Ok(self.locale.relative((instant - self.now).num_seconds()))
    }
}

/// Cuts after `length` characters at most, between words, and says so with an ellipsis.
pub(super) fn truncate(text: String, length: Option<usize>) -> String {
    let length = length.unwrap_or(200);
    let Some((end, _)) = text.char_indices().nth(length) else {
        return text;
    };
    let Some((last, _)) = text[..end].char_indices().last() else {
        return String::new();
    };
    let kept = &text[..last];
    // A word is cut only where it fills more than half of the room.
    let between = kept
        .rfind(char::is_whitespace)
        .filter(|space| text[last..].starts_with(|c: char| !c.is_whitespace()) && *space > last / 2)
        .unwrap_or(last);
    format!("{}…", kept[..between].trim_end())
}

/// The value as JSON; `indent` spaces lay it out over lines.
fn json(value: &Value, indent: Option<usize>) -> Result<String, Error> {
    let mut out = Capped::default();
    let written = match indent {
        None => serde_json::to_writer(&mut out, value),
        Some(_) => serde_json::to_writer_pretty(&mut out, value),
    };
    written.map_err(|error| wrong(format!("no JSON: {error}")))?;
    Ok(out.into_string())
}

/// Items with the same `attribute` (a dotted path) together, in the order of first sight:
/// a list of `{key, items}`.
fn group(items: &Value, attribute: &str) -> Result<Value, Error> {
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    let mut index = std::collections::HashMap::<Value, usize>::new();
    for item in items.try_iter()? {
        let mut key = item.clone();
        for part in attribute.split('.') {
            key = key.get_attr(part)?;
        }
        if key.is_undefined() {
            return Err(wrong(format!("an item to group has no `{attribute}`")));
        }
        let at = *index.entry(key.clone()).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(item);
    }
    let groups = groups
        .into_iter()
        .map(|(key, items)| Value::from_pairs([("key", key), ("items", Value::from(items))]));
    Ok(groups.collect())
}

/// `one` for a count of 1, else `many`; a list counts its items.
fn plural(count: &Value, one: Value, many: Value, rest: Kwargs) -> Result<Value, Error> {
    rest.assert_all_used()?;
    let is_one = match count.len() {
        Some(length) if !count.is_number() && count.as_str().is_none() => length == 1,
        _ => quantity::number(count, "a count")? == 1.0,
    };
    Ok(if is_one { one } else { many })
}

fn wrong(what: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}
