//! Regular expressions, globs and names, kept as text: a compiled one costs more to build and to keep
//! than a check may spend.

use super::from_text;

type Wrong = (String, String);

/// A regular expression (syntax of the `regex` crate), checked and kept as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(pub String);

from_text!(
    Pattern,
    pattern,
    "Regex",
    None,
    "a regular expression, as \"(?i)error|warn\""
);

/// A file glob: `*`, `?`, `[..]`, `**`, `{a,b}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(pub String);

from_text!(
    Glob,
    glob,
    "Glob",
    None,
    "a file path with *, ?, [..] or **, as \"/var/log/*.log\""
);

/// A name that templates, file names and URLs can carry: letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub String);

from_text!(
    Name,
    name,
    "Name",
    Some("^[A-Za-z][A-Za-z0-9_-]*$"),
    "letters, digits, _ and -, beginning with a letter"
);

fn pattern(text: &str) -> Result<Pattern, Wrong> {
    match regex_syntax::Parser::new().parse(text) {
        // Only counted repetition makes a short pattern a large program.
        Ok(_) if text.contains('{') && regex::bytes::Regex::new(text).is_err() => {
            let what = "this regular expression takes too much memory".to_owned();
            Err((what, "use smaller counts in {...}".to_owned()))
        }
        Ok(_) => Ok(Pattern(text.to_owned())),
        Err(error) => {
            let (kind, at) = match &error {
                regex_syntax::Error::Parse(e) => (e.kind().to_string(), e.span().start.column),
                regex_syntax::Error::Translate(e) => (e.kind().to_string(), e.span().start.column),
                _ => ("it cannot be read".to_owned(), 1),
            };
            let what = "this is not a regular expression".to_owned();
            Err((what, format!("{kind} (character {at})")))
        }
    }
}

fn glob(text: &str) -> Result<Glob, Wrong> {
    if text.trim().is_empty() {
        let right = "write a path, as \"/var/log/*.log\"".to_owned();
        return Err(("this path is empty".to_owned(), right));
    }
    match globset::Glob::new(text) {
        Ok(_) => Ok(Glob(text.to_owned())),
        Err(error) => Err((
            "this is not a file glob".to_owned(),
            error.kind().to_string(),
        )),
    }
}

/// Whether `text` is a [`Name`].
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 64
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn name(text: &str) -> Result<Name, Wrong> {
    if is_name(text) {
        Ok(Name(text.to_owned()))
    } else {
        Err((
            format!("`{text}` is not a name"),
            "use letters, digits, _ and -, beginning with a letter, 64 at most".to_owned(),
        ))
    }
}
