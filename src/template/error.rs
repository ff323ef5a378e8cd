//! What is wrong with a template: where, what, and what would be right.

use std::error::Error as _;
use std::fmt;
use std::ops::Range;

use minijinja::{Error, ErrorKind, Value};

use super::names;

/// A template or an expression that does not parse, does not check or does not render.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The template's name; the included one's where the fault lies in an include.
    pub name: String,
    /// From 1.
    pub line: Option<usize>,
    /// Bytes of the template's source.
    pub range: Option<Range<usize>>,
    /// What is wrong, as one clause without a full stop.
    pub what: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.what)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TemplateError {}

impl TemplateError {
    /// An error at `range` of `source`.
    pub(super) fn at(name: &str, source: &str, range: Range<usize>, what: String) -> Self {
        let before = source.get(..range.start).unwrap_or(source);
        TemplateError {
            name: name.to_owned(),
            line: Some(before.matches('\n').count() + 1),
            range: Some(range),
            what,
            hint: None,
        }
    }

    /// An error of the whole template.
    pub(super) fn whole(name: &str, what: impl Into<String>) -> Self {
        TemplateError {
            name: name.to_owned(),
            line: None,
            range: None,
            what: what.into(),
            hint: None,
        }
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// The engine's error in our words. `name` is what the caller calls the template.
    pub(super) fn of(name: &str, error: &Error, context: &Value) -> Self {
        let error = innermost(error);
        let what = what(error);
        TemplateError {
            name: match error.name() {
                Some("<expression>") | None => name.to_owned(),
                Some(name) => name.to_owned(),
            },
            line: error.line(),
            range: error.range(),
            hint: hint(error, &what, context),
            what,
        }
    }
}

/// The error that caused the others: an include's error only says that it was an include.
fn innermost(error: &Error) -> &Error {
    let mut cause = error;
    while let Some(inner) = cause.source().and_then(|inner| inner.downcast_ref()) {
        cause = inner;
    }
    cause
}

fn what(error: &Error) -> String {
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::OutOfFuel => "the template does not end: it was stopped".into(),
        ErrorKind::UndefinedError => match undefined_name(detail) {
            Some(name) => format!("`{name}` is not defined"),
            None => "an undefined value is used".into(),
        },
        ErrorKind::UnknownFilter => unknown("filter", detail),
        ErrorKind::UnknownTest => unknown("test", detail),
        ErrorKind::UnknownFunction => unknown("function", detail),
        ErrorKind::WriteFailure => super::limits::TOO_LONG.into(),
        ErrorKind::SyntaxError if !detail.is_empty() => format!("syntax: {detail}"),
        _ if !detail.is_empty() => detail.to_owned(),
        kind => kind.to_string(),
    }
}

fn hint(error: &Error, what: &str, context: &Value) -> Option<String> {
    let wrong = what.split('`').nth(1)?;
    match error.kind() {
        ErrorKind::UnknownFilter => names::suggest(wrong, names::FILTERS.iter().copied()),
        ErrorKind::UnknownTest => names::suggest(wrong, names::TESTS.iter().copied()),
        ErrorKind::UnknownFunction => names::suggest(wrong, names::FUNCTIONS.iter().copied()),
        ErrorKind::UndefinedError => suggest_path(wrong, context),
        _ => None,
    }
}

/// `filter weekdy is unknown` in our words.
fn unknown(what: &str, detail: &str) -> String {
    match detail.split(' ').find(|word| *word != what) {
        Some(name) => format!("unknown {what} `{name}`"),
        None => format!("unknown {what}"),
    }
}

/// The path in "`events.itms` is undefined".
fn undefined_name(detail: &str) -> Option<&str> {
    detail.split('`').nth(1)
}

/// Walks `path` through the context up to its first wrong part and looks for a name like it.
pub(super) fn suggest_path(path: &str, context: &Value) -> Option<String> {
    let mut at = context.clone();
    for part in path.split('.') {
        let next = at.get_attr(part).ok()?;
        if next.is_undefined() {
            let keys: Vec<String> = at.try_iter().ok()?.map(|key| key.to_string()).collect();
            return names::suggest(part, keys.iter().map(String::as_str));
        }
        at = next;
    }
    None
}
