//! What the parser and serde say, in our words. Pure.

use std::ops::Range;
use std::sync::Arc;

use toml::de::Error;

use super::diagnostic::{Diagnostic, Source};
use super::suggest::did_you_mean;

/// Keys that stand at the top of a job file, and that people put below a `[[step]]`.
const TOP: &[&str] = &[
    "description",
    "enabled",
    "priority",
    "local_only",
    "allow",
    "concurrency",
];

/// A fault of the file's syntax.
pub fn describe_syntax(source: &Arc<Source>, error: &Error) -> Diagnostic {
    let span = error.span().unwrap_or(0..0);
    let shown = source.text.get(span.clone()).unwrap_or_default();
    let (what, right) = match error.message() {
        "duplicate key" => (
            format!("the key `{shown}` is here twice"),
            "take one of them out".to_owned(),
        ),
        "recursion limit" => ("this is nested too deeply".to_owned(), String::new()),
        // Not quoted: it may be a secret.
        message if message.starts_with("string values must be quoted") => (
            "this is not a value".to_owned(),
            "a text stands in quotes".to_owned(),
        ),
        message => match message.split_once(", expected ") {
            Some((what, end)) if what.ends_with("string") && what.starts_with("invalid") => (
                "this text does not end".to_owned(),
                format!("close it with {end}"),
            ),
            Some((what, expected)) => (what.to_owned(), format!("write {expected}")),
            None => (message.to_owned(), String::new()),
        },
    };
    Diagnostic::error(source, span, what).label(right)
}

/// Takes out what was found in places that the parser could not read: a fault is told once.
///
/// The first `syntax` of the findings from `first` on are the parser's.
pub fn without_consequences(found: &mut Vec<Diagnostic>, first: usize, syntax: usize) {
    if syntax == 0 {
        return;
    }
    let unreadable: Vec<(usize, Range<usize>)> = found[first..first + syntax]
        .iter()
        .map(|fault| {
            (
                fault.source.position(fault.span.start).0,
                fault.span.clone(),
            )
        })
        .collect();
    let mut index = 0;
    found.retain(|one| {
        index += 1;
        let (line, _) = one.source.position(one.span.start);
        let touches =
            |span: &Range<usize>| one.span.start <= span.end && span.start <= one.span.end;
        index <= first + syntax
            || !unreadable
                .iter()
                .any(|(broken, span)| *broken == line || touches(span))
    });
}

/// A fault of a value at `span`, whose key stands at `key`; `also` are keys that are read elsewhere.
pub fn describe(
    source: &Arc<Source>,
    span: Range<usize>,
    key: Range<usize>,
    error: &Error,
    also: &[&str],
) -> Diagnostic {
    let message = error.message();
    let key = source.text.get(key).unwrap_or_default();
    if let Some((what, right)) = message.split_once('\n') {
        let found = Diagnostic::error(source, span, what).label(right);
        return if what.starts_with("a secret") {
            found.secret()
        } else {
            found
        };
    }
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match quoted.as_slice() {
        [key, known @ ..] if message.starts_with("unknown field") => {
            unknown_key(source, span, key, known, also)
        }
        [value, known @ ..] if message.starts_with("unknown variant") => {
            Diagnostic::error(source, span, format!("`{value}` is not one of the choices"))
                .label(did_you_mean(value, known.iter().copied()))
                .note(format!("choices: {}", known.join(", ")))
        }
        [key] if message.starts_with("missing field") => {
            Diagnostic::error(source, span, format!("the key `{key}` is missing"))
                .label(format!("add `{key} = ...` here"))
        }
        _ => unfitting(source, span, key, message),
    }
}

fn unknown_key(
    source: &Arc<Source>,
    span: Range<usize>,
    key: &str,
    known: &[&str],
    also: &[&str],
) -> Diagnostic {
    let known = || known.iter().chain(also).copied();
    let mut right = did_you_mean(key, known());
    let in_a_list = !also.is_empty() && !also.contains(&"trigger");
    if right.is_empty() && in_a_list && TOP.contains(&key) {
        right = "it stands at the top of the file, above the first [[...]]".to_owned();
    }
    let keys: Vec<&str> = known().collect();
    Diagnostic::error(source, span, format!("unknown key `{key}`"))
        .label(right)
        .note(format!("keys here: {}", keys.join(", ")))
}

/// A value of the wrong type.
fn unfitting(source: &Arc<Source>, span: Range<usize>, key: &str, message: &str) -> Diagnostic {
    let text = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|start| message.strip_prefix(start));
    match text.unwrap_or(message).split_once(", expected ") {
        Some((found, expected)) => Diagnostic::error(
            source,
            span,
            format!("{} does not fit here", found_type(found)),
        )
        .label(format!("write {}", plain(expected, key))),
        None if message == "wanted string or table" => {
            Diagnostic::error(source, span, "this does not fit here")
                .label("write a text in quotes")
        }
        None => Diagnostic::error(source, span, message),
    }
}

/// serde's names of what it found, in TOML's.
fn found_type(found: &str) -> String {
    match found.split_once(' ') {
        Some(("integer" | "floating", rest)) => {
            format!("the number {}", rest.trim_start_matches("point "))
        }
        Some(("string", text)) => format!("the text {text}"),
        Some(("boolean", value)) => value.to_owned(),
        _ if found == "sequence" => "a list".to_owned(),
        _ if found == "map" => "a table".to_owned(),
        _ => found.to_owned(),
    }
}

/// serde's names of types in TOML's.
fn plain(expected: &str, key: &str) -> String {
    let plain = match expected {
        "a sequence" => "a list, as [\"one\", \"two\"]",
        "a map" => return format!("dotted keys: {key}.NAME = ..."),
        "a boolean" => "true or false",
        "a string" => "a text in quotes",
        "u16" | "u32" | "u64" => "a whole number without quotes, 0 or more",
        "a nonzero u32" => "a whole number without quotes, 1 or more",
        "i64" | "usize" => "a whole number without quotes",
        "f64" => "a number without quotes",
        other if other.starts_with("struct ") => return format!("dotted keys: {key}.KEY = ..."),
        other => other,
    };
    plain.to_owned()
}
