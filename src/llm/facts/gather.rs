//! What the facts hold: everything their texts say, and what can be counted and measured in them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::{DateTime, FixedOffset, NaiveDateTime, NaiveTime, Timelike};
use regex::Regex;
use serde_json::{Map, Value};

use super::Locale;
use super::claim::{Known, Reading};
use super::fold::Folded;
use super::scan::scan;
use crate::zone::Tz;

/// Everything that may be said about `facts` and the facts already put into `text`, at the time and place of `now`.
pub(super) fn gather(facts: &Value, text: &str, now: &DateTime<Tz>) -> Known {
    let mut gatherer = Gatherer {
        known: Known::at(now.date_naive()),
        zone: now.timezone(),
    };
    gatherer.value(facts);
    gatherer.text(text);
    gatherer.known
}

struct Gatherer {
    known: Known,
    zone: Tz,
}

impl Gatherer {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                self.known.numbers.extend(number.as_f64());
                self.known.figures.extend(number.as_f64());
            }
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                self.counts(items);
                items.iter().for_each(|item| self.value(item));
            }
            Value::Object(fields) => {
                self.durations(fields);
                for (name, value) in fields {
                    self.name(name);
                    self.value(value);
                }
            }
        }
    }

    /// How many items there are, and of how many each yes-or-no field or list says yes and no.
    fn counts(&mut self, items: &[Value]) {
        let mut flags: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
        let fields = items.iter().filter_map(Value::as_object).flatten();
        for (name, flag) in fields.filter_map(|(name, value)| Some((name, flag(value)?))) {
            flags.entry(name).or_default()[usize::from(flag)] += 1;
        }
        let counts = flags.into_values().flatten().chain([items.len()]);
        let counts = counts.filter_map(|count| u32::try_from(count).ok());
        self.known.numbers.extend(counts.map(f64::from));
    }

    fn durations(&mut self, fields: &Map<String, Value>) {
        let pairs = [
            ("start", "end"),
            ("start_time", "end_time"),
            ("starts_at", "ends_at"),
            ("from", "to"),
        ];
        for (start, end) in pairs {
            let moment = |name: &str| self.moment(fields.get(name)?.as_str()?);
            if let (Some(start), Some(end)) = (moment(start), moment(end)) {
                let minutes = u32::try_from((end - start).num_minutes()).ok();
                self.known.durations.extend(minutes);
            }
        }
    }

    fn moment(&self, text: &str) -> Option<NaiveDateTime> {
        if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
            return Some(moment.naive_utc());
        }
        let formats = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
        let local = formats
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
        local.or_else(|| {
            let time = NaiveTime::parse_from_str(text, "%H:%M").ok()?;
            Some(self.known.now.and_time(time))
        })
    }

    /// A moment with an offset is told in the zone of the reader, and in its own unless that is only UTC.
    fn string(&mut self, text: &str) {
        match DateTime::parse_from_rfc3339(text) {
            Ok(moment) => {
                let local = moment.with_timezone(&self.zone).naive_local();
                self.learn_moment(local);
                if *moment.offset() != FixedOffset::east_opt(0).expect("zero is an offset") {
                    self.learn_moment(moment.naive_local());
                }
            }
            Err(_) => self.text(text),
        }
    }

    fn learn_moment(&mut self, moment: NaiveDateTime) {
        self.known.dates.insert(moment.date());
        self.known
            .learn(Reading::Time(moment.num_seconds_from_midnight()));
    }

    /// A field's name may say which day it is about.
    fn name(&mut self, name: &str) {
        let mut words = name.split('_');
        if words.any(|word| matches!(word, "tomorrow" | "manana" | "mañana")) {
            self.known.learn(Reading::Relative(1));
        }
    }

    fn text(&mut self, text: &str) {
        let mut folded = Folded::new(text);
        self.known
            .codes
            .extend(codes(folded.as_str()).map(|(_, code)| code.to_owned()));
        self.known
            .phones
            .extend(phones(folded.as_str()).map(|(_, digits)| digits));
        for range in RANGE.captures_iter(folded.as_str()) {
            let part = |index: usize| range[index].parse::<u32>().unwrap_or(0);
            let (start, end) = (part(1) * 60 + part(2), part(3) * 60 + part(4));
            // Past midnight when it ends before it starts.
            self.known
                .durations
                .insert((end + 1440).saturating_sub(start) % 1440);
        }
        for claim in scan(&mut folded, &[Locale::En, Locale::Es]) {
            claim
                .readings
                .into_iter()
                .for_each(|reading| self.known.learn(reading));
        }
    }
}

/// Yes or no; a list says whether it holds anything.
fn flag(value: &Value) -> Option<bool> {
    let full = value.as_array().map(|items| !items.is_empty());
    value.as_bool().or(full)
}

static RANGE: LazyLock<Regex> = LazyLock::new(|| {
    let range = r"(?-u)\b(\d{1,2}):(\d\d)\s*(?:-|to|a)\s*(\d{1,2}):(\d\d)\b";
    Regex::new(range).expect("a constant pattern")
});

static PHONE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?-u)\+?\(?\d[\d ().-]{5,}\d").expect("a constant pattern"));

/// Words of letters and digits, addresses of pages included: where they stand and what they are.
pub(super) fn codes(folded: &str) -> impl Iterator<Item = (usize, &str)> {
    static WORD: LazyLock<Regex> = LazyLock::new(|| {
        // What shows but brackets and quotes.
        let word = r"(?-u)[0-9A-Za-z/][!#-'*-;=?-Z\\^-}]*";
        Regex::new(word).expect("a constant pattern")
    });
    WORD.find_iter(folded).filter_map(|word| {
        let code = word
            .as_str()
            .trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '/');
        let digit = code.bytes().any(|byte| byte.is_ascii_digit());
        let letter = code.bytes().any(|byte| byte.is_ascii_alphabetic());
        let address = code.matches(['.', '/', ':']).count() > 2;
        (digit && (letter || address)).then_some((word.start(), code))
    })
}

/// What may be telephone numbers: the whole match and its digits, seven at least.
pub(super) fn phones(folded: &str) -> impl Iterator<Item = (std::ops::Range<usize>, String)> {
    PHONE.find_iter(folded).filter_map(|found| {
        let digits: String = found
            .as_str()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        (digits.len() >= 7).then(|| (found.range(), digits))
    })
}
