//! TOML to authored structures, with every error found: parse with recovery, deserialise table by table, on an
//! error record it, take the offending key out and go on.

use std::ops::Range;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::diagnostic::{Diagnostic, Source};
use super::suggest::did_you_mean;
use super::value::At;
use super::words::{describe, describe_syntax};

/// Mistakes that are told of one table: each costs a look at all of its keys.
const ENOUGH: usize = 500;

/// A parsed table and where it stands (for a `[header]`, the header).
#[derive(Debug, Clone)]
pub struct Table<'i> {
    /// Its keys.
    pub keys: DeTable<'i>,
    /// Its place in the file.
    pub span: Range<usize>,
}

/// Reads one file, collecting what is wrong with it.
#[derive(Debug)]
pub struct Reader<'a> {
    /// The file.
    pub source: &'a Arc<Source>,
    /// What was found so far.
    pub problems: &'a mut Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// The file's tables; what cannot be parsed is reported and left out.
    pub fn parse<'i>(&mut self, text: &'i str) -> Table<'i> {
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            self.problems.push(describe_syntax(self.source, &error));
        }
        Table {
            span: 0..0,
            keys: root.into_inner(),
        }
    }

    /// Reports an error at `span`, with what would be right.
    pub fn error(&mut self, span: Range<usize>, what: impl Into<String>, right: &str) {
        let found = Diagnostic::error(self.source, span, what).label(right);
        self.problems.push(found);
    }

    /// Deserialises a table; `also` are keys that are read elsewhere and may be meant by a misspelt one.
    ///
    /// `None` when what is left after taking out the wrong keys is not enough.
    pub fn table<T: DeserializeOwned>(&mut self, table: Table<'_>, also: &[&str]) -> Option<T> {
        let mut keys = table.keys;
        let mut removed = false;
        let before = self.problems.len();
        loop {
            if self.problems.len() - before >= ENOUGH {
                let what = format!("{ENOUGH} mistakes are told: there may be more below");
                self.error(table.span, what, "mend these first");
                return None;
            }
            let spanned = Spanned::new(table.span.clone(), keys.clone());
            let error = match T::deserialize(Deserializer::from(spanned)) {
                Ok(read) => return Some(read),
                Err(error) => error,
            };
            let found_at = error.span().filter(|span| !span.is_empty());
            // Keys that are read elsewhere stand in this table, not in those inside of it.
            let is_ours = |span| keys.keys().any(|key| key.span() == span);
            let also = if found_at.clone().is_some_and(is_ours) {
                also
            } else {
                &[]
            };
            let taken = found_at.and_then(|span| remove_at(&mut keys, &span));
            match taken {
                Some(key) => {
                    let span = error.span().unwrap_or(key.clone());
                    let found = describe(self.source, span, key, &error, also);
                    self.problems.push(found);
                    removed = true;
                }
                None if removed => return None,
                None => {
                    let found = describe(self.source, table.span.clone(), table.span, &error, also);
                    self.problems.push(found);
                    return None;
                }
            }
        }
    }

    /// Takes an array of tables (`[[name]]`) out of `table`.
    pub fn take_tables<'i>(&mut self, table: &mut Table<'i>, name: &str) -> Vec<Table<'i>> {
        let Some(taken) = take(&mut table.keys, name) else {
            return Vec::new();
        };
        let span = taken.span();
        let wrong = format!("`{name}` is a list of tables");
        let right = format!("write [[{name}]] above its keys");
        let DeValue::Array(all) = taken.into_inner() else {
            self.error(span, wrong, &right);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for one in all {
            let span = one.span();
            match one.into_inner() {
                DeValue::Table(keys) => tables.push(Table { keys, span }),
                _ => self.error(span, &wrong, &right),
            }
        }
        tables
    }

    /// Takes a table of named tables (`[name.x]`, `[name.y]`) out of `table`, in the order of the file.
    pub fn take_named<'i>(&mut self, table: &mut Table<'i>, name: &str) -> Vec<NamedTable<'i>> {
        let Some(outer) = self.take_table(table, name) else {
            return Vec::new();
        };
        let mut named = Vec::new();
        for (key, value) in outer.keys {
            let span = value.span();
            let key_span = key.span();
            match value.into_inner() {
                DeValue::Table(keys) => named.push(NamedTable {
                    name: key.into_inner().into_owned(),
                    name_span: key_span,
                    table: Table { keys, span },
                }),
                _ => {
                    let what = format!("`{}` is a table", key.as_ref());
                    let right = format!("write [{name}.{}] above its keys", key.as_ref());
                    self.error(key_span, what, &right);
                }
            }
        }
        named.sort_by_key(|one| one.name_span.start);
        named
    }

    /// Takes one table (`[name]`) out of `table`.
    pub fn take_table<'i>(&mut self, table: &mut Table<'i>, name: &str) -> Option<Table<'i>> {
        let taken = take(&mut table.keys, name)?;
        let span = taken.span();
        if let DeValue::Table(keys) = taken.into_inner() {
            return Some(Table { keys, span });
        }
        let what = format!("`{name}` is a table");
        self.error(span, what, &format!("write [{name}] above its keys"));
        None
    }

    /// Which of `kinds` the table is; reports none, a misspelt one and several.
    pub fn kind(
        &mut self,
        table: &mut Table<'_>,
        header: &str,
        kinds: &[&'static str],
        options: &[&str],
    ) -> Option<&'static str> {
        let noun = match header {
            "deliver" => "delivery",
            other => other,
        };
        let mut found: Vec<(&'static str, Range<usize>)> = Vec::new();
        for key in table.keys.keys() {
            if let Some(kind) = kinds.iter().find(|kind| **kind == key.as_ref()) {
                found.push((kind, key.span()));
            }
        }
        found.sort_by_key(|(_, span)| span.start);
        if let [(kind, _), rest @ ..] = found.as_slice() {
            for (other, span) in rest {
                let what = format!("a {noun} has one kind, and `{kind}` is this one's");
                self.error(
                    span.clone(),
                    what,
                    &format!("give `{other}` a [[{header}]] of its own"),
                );
                take(&mut table.keys, other);
            }
            return Some(kind);
        }
        self.no_kind(table, noun, kinds, options);
        None
    }

    /// The value, if it is among `known`; reports it as an unknown `noun` if not.
    pub fn one_of<'k>(
        &mut self,
        typed: At<String>,
        noun: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Option<String> {
        let known: Vec<&str> = known.into_iter().collect();
        if known.contains(&typed.value.as_str()) {
            return Some(typed.value);
        }
        let what = format!("there is no {noun} `{}`", typed.value);
        let found = Diagnostic::error(self.source, typed.span, what);
        let found = if known.is_empty() {
            found.label(format!("no {noun} is configured"))
        } else {
            found
                .label(did_you_mean(&typed.value, known.iter().copied()))
                .note(format!("{noun}s: {}", known.join(", ")))
        };
        self.problems.push(found);
        None
    }

    /// Reports what is left at the top of a file once everything known was taken.
    pub fn leftover(&mut self, root: Table<'_>, noun: &str, known: &[&str]) {
        let mut left: Vec<_> = root.keys.keys().collect();
        left.sort_by_key(|key| key.span().start);
        for key in left {
            let what = format!("unknown {noun} `{}`", key.as_ref());
            let found = Diagnostic::error(self.source, key.span(), what)
                .label(did_you_mean(key.as_ref(), known.iter().copied()))
                .note(format!("{noun}s: {}", known.join(", ")));
            self.problems.push(found);
        }
    }

    fn no_kind(&mut self, table: &Table<'_>, noun: &str, kinds: &[&str], options: &[&str]) {
        let plural = noun.strip_suffix('y').map(|stem| format!("{stem}ies"));
        let plural = plural.unwrap_or_else(|| format!("{noun}s"));
        let list = format!("{plural}: {}", kinds.join(", "));
        let mut unknown: Vec<_> = table
            .keys
            .keys()
            .filter(|key| !options.contains(&key.as_ref().as_ref()))
            .collect();
        unknown.sort_by_key(|key| key.span().start);
        let near = unknown
            .iter()
            .map(|key| (key, did_you_mean(key.as_ref(), kinds.iter().copied())))
            .find(|(_, near)| !near.is_empty());
        let found = match (near, unknown.first()) {
            (Some((key, near)), _) => {
                let what = format!("unknown {noun} `{}`", key.as_ref());
                Diagnostic::error(self.source, key.span(), what).label(near)
            }
            (None, Some(key)) => {
                let what = format!("unknown {noun} `{}`", key.as_ref());
                Diagnostic::error(self.source, key.span(), what)
            }
            (None, None) => {
                let what = format!("this {noun} does not say what kind it is");
                Diagnostic::error(self.source, table.span.clone(), what)
            }
        };
        self.problems.push(found.note(list));
    }
}

/// A table with its name.
#[derive(Debug)]
pub struct NamedTable<'i> {
    /// Its name.
    pub name: String,
    /// Where the name stands.
    pub name_span: Range<usize>,
    /// Its keys.
    pub table: Table<'i>,
}

/// Moves the keys in `names` out of `table` into one of their own.
pub fn split_off<'i>(table: &mut Table<'i>, names: &[&str]) -> Table<'i> {
    let mut keys = DeTable::new();
    for name in names {
        if let Some((key, value)) = table.keys.remove_entry(*name) {
            keys.insert(key, value);
        }
    }
    Table {
        keys,
        span: table.span.clone(),
    }
}

fn take<'i>(keys: &mut DeTable<'i>, name: &str) -> Option<Spanned<DeValue<'i>>> {
    keys.remove(name)
}

/// Removes the innermost key whose name or value covers `span`; says where that key stands.
fn remove_at(keys: &mut DeTable<'_>, span: &Range<usize>) -> Option<Range<usize>> {
    let covers = |outer: &Range<usize>| outer.start <= span.start && span.end <= outer.end;
    for (key, value) in keys.iter_mut() {
        if let DeValue::Table(inner) = value.get_mut()
            && !covers(&key.span())
            && let Some(removed) = remove_at(inner, span)
        {
            return Some(removed);
        }
    }
    let name = keys
        .iter()
        .find(|(key, value)| covers(&key.span()) || covers(&value.span()))
        .map(|(key, _)| key.clone())?;
    keys.remove(name.as_ref().as_ref() as &str);
    Some(name.span())
}
