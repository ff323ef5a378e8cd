//! What is known of a value before there is one.

use minijinja::machinery::ast::{CallArg, Expr};
use serde_json::Value as Json;

use super::check_names::attribute;

/// An example that may have any field, as JSON from outside has.
pub const OPAQUE: &str = "\u{0}opaque";

/// What an example tells of a value.
#[derive(Debug, Clone)]
pub(super) enum Shape<'a> {
    /// Nothing is known: everything is allowed.
    Opaque,
    /// A value like this one.
    Like(&'a Json),
    /// A list of such values.
    ListOf(Box<Shape<'a>>),
    /// What `group` makes of such items.
    Group(Box<Shape<'a>>),
    /// The `loop` of a `for`.
    Loop,
}

const LOOP: &[&str] = &[
    "index",
    "index0",
    "revindex",
    "revindex0",
    "first",
    "last",
    "length",
    "depth",
    "depth0",
    "previtem",
    "nextitem",
    "changed",
    "cycle",
];

impl<'a> Shape<'a> {
    /// The shape of what `example` is an example of.
    pub(super) fn of(example: &'a Json) -> Self {
        match example {
            Json::Null => Shape::Opaque,
            Json::String(text) if text == OPAQUE => Shape::Opaque,
            Json::Object(fields) if fields.is_empty() => Shape::Opaque,
            other => Shape::Like(other),
        }
    }

    /// The shape of a field, or the names of the fields that are there.
    pub(super) fn field(&self, name: &str) -> Result<Shape<'a>, Vec<&'a str>> {
        match self {
            Shape::Opaque => Ok(Shape::Opaque),
            Shape::Like(Json::Object(fields)) => match fields.get(name) {
                Some(example) => Ok(Shape::of(example)),
                None => Err(fields.keys().map(String::as_str).collect()),
            },
            Shape::Like(_) | Shape::ListOf(_) => Err(Vec::new()),
            Shape::Group(items) => match name {
                "key" => Ok(Shape::Opaque),
                "items" => Ok(Shape::ListOf(items.clone())),
                _ => Err(vec!["key", "items"]),
            },
            Shape::Loop if LOOP.contains(&name) => Ok(Shape::Opaque),
            Shape::Loop => Err(LOOP.to_vec()),
        }
    }

    /// The shape of a list's items.
    pub(super) fn item(&self) -> Shape<'a> {
        match self {
            Shape::Like(Json::Array(items)) => items.first().map_or(Shape::Opaque, Shape::of),
            Shape::ListOf(item) => (**item).clone(),
            Shape::Opaque | Shape::Like(_) | Shape::Group(_) | Shape::Loop => Shape::Opaque,
        }
    }

    /// The shape of what a filter makes of it.
    pub(super) fn filtered(&self, filter: &str, arguments: &[CallArg<'_>]) -> Shape<'a> {
        match filter {
            "sort" | "reverse" | "unique" | "list" | "select" | "reject" | "selectattr"
            | "rejectattr" => Shape::ListOf(Box::new(self.item())),
            "first" | "last" | "min" | "max" => self.item(),
            "group" => Shape::ListOf(Box::new(Shape::Group(Box::new(self.item())))),
            "map" => match attribute(filter, arguments) {
                Some(Expr::Const(path)) => {
                    let path = path.value.as_str().unwrap_or_default();
                    let item = path
                        .split('.')
                        .try_fold(self.item(), |at, part| at.field(part));
                    Shape::ListOf(Box::new(item.unwrap_or(Shape::Opaque)))
                }
                _ => Shape::Opaque,
            },
            _ => Shape::Opaque,
        }
    }

    /// Whether it is known to be plain data, which has no methods.
    pub(super) fn is_data(&self) -> bool {
        matches!(self, Shape::Like(_) | Shape::ListOf(_) | Shape::Group(_))
    }

    /// In words, what has no fields at all.
    pub(super) fn scalar(&self) -> Option<&'static str> {
        match self {
            Shape::Like(Json::String(_)) => Some("a text"),
            Shape::Like(Json::Number(_)) => Some("a number"),
            Shape::Like(Json::Bool(_)) => Some("true or false"),
            Shape::Like(Json::Array(_)) | Shape::ListOf(_) => {
                Some("a list: its items have fields, in a `for`")
            }
            Shape::Like(_) | Shape::Opaque | Shape::Group(_) | Shape::Loop => None,
        }
    }
}
