//! The checker's questions about names: roots, fields, filters, attributes given as text.

use std::ops::Range;

use minijinja::machinery::Span;
use minijinja::machinery::ast::{CallArg, Expr};

use super::TemplateError;
use super::check::{Checker, Missing, range};
use super::names;
use super::shape::Shape;

impl<'a> Checker<'a> {
    pub(super) fn variable(&mut self, name: &str, at: Range<usize>, missing: Missing) -> Shape<'a> {
        if let Some((_, shape)) = self.scope.iter().rev().find(|(known, _)| *known == name) {
            return shape.clone();
        }
        if let Some(example) = self.roots.get(name) {
            return Shape::of(example);
        }
        let given = names::GLOBALS.contains(&name) || names::FUNCTIONS.contains(&name);
        if !given && missing == Missing::Fault {
            let own = self.scope.iter().map(|(name, _)| *name);
            let known = self.roots.keys().map(String::as_str).chain(own);
            let hint = names::suggest(name, known.clone())
                .or_else(|| Some(format!("there are: {}", names::listed(known))));
            self.found(at, format!("`{name}` is not defined"), hint);
        }
        Shape::Opaque
    }

    /// The shape of `base.name`; `base_expression` is there to say where it stands.
    pub(super) fn field(
        &mut self,
        base: &Shape<'a>,
        name: &str,
        base_expression: &Expr<'a>,
        missing: Missing,
    ) -> Shape<'a> {
        match base.field(name) {
            Ok(shape) => shape,
            Err(_) if missing == Missing::Allowed => Shape::Opaque,
            Err(fields) => {
                let from = range(base_expression.span()).end;
                let hint = no_field(name, base, &fields);
                let what = format!("there is no field `{name}`");
                self.found(self.place(name, from), what, Some(hint));
                Shape::Opaque
            }
        }
    }

    /// What stands before the parentheses of a call.
    pub(super) fn callee(&mut self, callee: &Expr<'a>) {
        match callee {
            Expr::Var(name) => {
                let own = self.scope.iter().any(|(known, _)| *known == name.id);
                if !own && name.id != "super" {
                    self.known("function", name.id, name.span(), names::FUNCTIONS);
                }
            }
            Expr::GetAttr(get) => {
                let base = self.expression(&get.expr);
                if base.is_data() {
                    let hint = names::FILTERS
                        .contains(&get.name)
                        .then(|| format!("write it as a filter: `|{}`", get.name));
                    let place = self.place(get.name, range(get.expr.span()).end);
                    self.found(place, format!("values have no method `{}`", get.name), hint);
                }
            }
            other => {
                self.expression(other);
            }
        }
    }

    pub(super) fn known(&mut self, what: &str, name: &str, span: Span, known: &[&str]) {
        if known.contains(&name) {
            return;
        }
        let hint = names::suggest(name, known.iter().copied());
        let place = self.place(name, span.start_offset as usize);
        self.found(place, format!("unknown {what} `{name}`"), hint);
    }

    pub(super) fn parts(&mut self, parts: &[Expr<'a>]) -> Shape<'a> {
        for part in parts {
            self.expression(part);
        }
        Shape::Opaque
    }

    pub(super) fn arguments(&mut self, arguments: &[CallArg<'a>]) {
        for argument in arguments {
            let (CallArg::Pos(value)
            | CallArg::Kwarg(_, value)
            | CallArg::PosSplat(value)
            | CallArg::KwargSplat(value)) = argument;
            self.expression(value);
        }
    }

    /// Filters that name a field as text, such as `group("day")` and `map(attribute="title")`.
    pub(super) fn attribute_argument(
        &mut self,
        filter: &str,
        base: &Shape<'a>,
        arguments: &[CallArg<'a>],
    ) {
        let Some(Expr::Const(constant)) = attribute(filter, arguments) else {
            return;
        };
        let Some(path) = constant.value.as_str() else {
            return;
        };
        let mut at = base.item();
        for part in path.split('.') {
            match at.field(part) {
                Ok(shape) => at = shape,
                Err(fields) => {
                    let hint = no_field(part, &at, &fields);
                    let what = format!("the items have no field `{part}`");
                    let place = self.place(part, constant.span().start_offset as usize);
                    self.found(place, what, Some(hint));
                    return;
                }
            }
        }
    }

    pub(super) fn found(&mut self, at: Range<usize>, what: String, hint: Option<String>) {
        let finding = TemplateError::at(self.name, self.source, at, what).hint(hint);
        self.findings.push(finding);
    }

    /// The first `name` in the source at or after `from`.
    fn place(&self, name: &str, from: usize) -> Range<usize> {
        let found = self.source.get(from..).and_then(|rest| rest.find(name));
        let start = from + found.unwrap_or(0);
        start..(start + name.len()).min(self.source.len())
    }
}

/// The expression that names a field in the arguments of `filter`.
pub(super) fn attribute<'t, 'a>(
    filter: &str,
    arguments: &'t [CallArg<'a>],
) -> Option<&'t Expr<'a>> {
    let positional = matches!(filter, "group" | "groupby" | "selectattr" | "rejectattr");
    match arguments.first() {
        Some(CallArg::Pos(value)) if positional => return Some(value),
        _ if !positional
            && !matches!(filter, "map" | "sort" | "unique" | "min" | "max" | "sum") =>
        {
            return None;
        }
        _ => {}
    }
    arguments.iter().find_map(|argument| match argument {
        CallArg::Kwarg("attribute", value) => Some(value),
        _ => None,
    })
}

fn no_field(name: &str, base: &Shape<'_>, fields: &[&str]) -> String {
    if let Some(kind) = base.scalar() {
        return format!("it is {kind}");
    }
    names::suggest(name, fields.iter().copied())
        .unwrap_or_else(|| format!("there are: {}", names::listed(fields.iter().copied())))
}
