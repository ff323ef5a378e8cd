//! Finds what a text claims: an ordered list of rules, each hiding what it has read from those after it.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::claim::{Claim, Reading};
use super::fold::Folded;
use super::{Kind, Locale, dates, numbers, times};

/// What a rule makes of a match: nothing (it is left to others), or claims (none: it is no claim at all).
pub(super) type Read = Option<Vec<(Kind, Vec<Reading>)>>;

/// A pattern over folded text and its meaning.
pub(super) struct Rule {
    pub pattern: Regex,
    pub read: fn(&Captures<'_>, &str, &[Locale]) -> Read,
}

impl Rule {
    /// `pattern` is ASCII: folded text has nothing else, and the tables are a tenth of Unicode's.
    pub fn new(pattern: &str, read: fn(&Captures<'_>, &str, &[Locale]) -> Read) -> Self {
        let pattern = Regex::new(&format!("(?-u){pattern}")).expect("a constant pattern");
        Rule { pattern, read }
    }
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let mut rules = Vec::new();
    rules.extend(dates::full());
    rules.extend(numbers::long_durations());
    rules.extend(times::clock());
    rules.extend(times::spoken());
    rules.extend(numbers::durations());
    rules.extend(dates::partial());
    rules.extend(numbers::plain());
    rules
});

/// Every claim in `text`, in the order of the rules. Number words and separators are read as in `languages`.
pub(super) fn scan(text: &mut Folded, languages: &[Locale]) -> Vec<Claim> {
    let mut claims = Vec::new();
    for rule in RULES.iter() {
        let mut read = Vec::new();
        let whole = text.as_str();
        for found in rule.pattern.captures_iter(whole) {
            // What a rule only looks ahead to lies outside of its group `place`.
            let place = found
                .name("place")
                .or(found.get(0))
                .expect("the whole match")
                .range();
            if let Some(claimed) = (rule.read)(&found, whole, languages) {
                let place_of = |(kind, readings)| Claim {
                    place: text.origin(&place),
                    kind,
                    readings,
                };
                claims.extend(claimed.into_iter().map(place_of));
                read.push(place);
            }
        }
        for place in read {
            text.mask(place);
        }
    }
    claims
}
