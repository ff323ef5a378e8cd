//! Finds what is wrong with a template before it runs: names, fields, filters, tests, includes.
//!
//! It walks the syntax tree with an example of each root's value, so that branches which an
//! example would not take are looked at too, and every finding has its place.

use std::ops::Range;

use minijinja::machinery::ast::{Expr, ForLoop, Macro, Stmt};
use minijinja::machinery::{Span, parse, parse_expr};
use serde_json::{Map, Value as Json};

use super::limits::{self, Source};
use super::names;
use super::shape::Shape;
use super::{EXPRESSION, TemplateError, Templates, syntax_config};

impl Templates {
    /// Every fault of `source`, given an example of each root's value.
    ///
    /// An example tells which fields a value has; a list's first item tells for all its items.
    /// `null`, an empty object and [`OPAQUE`](super::OPAQUE) may have any field. Where a name may
    /// be missing (`is defined`, `|default`), a missing one is no fault.
    pub fn check(&self, name: &str, source: &str, roots: &Map<String, Json>) -> Vec<TemplateError> {
        let mut checker = Checker::new(self, name, source, roots);
        checker.template();
        checker.findings
    }

    /// [`Templates::check`] for an expression.
    pub fn check_expression(
        &self,
        expression: &str,
        roots: &Map<String, Json>,
    ) -> Vec<TemplateError> {
        let mut checker = Checker::new(self, EXPRESSION, expression, roots);
        if let Err(error) = limits::source(EXPRESSION, expression, Source::Expression) {
            return vec![error];
        }
        match parse_expr(expression) {
            Ok(tree) => {
                checker.expression(&tree);
            }
            Err(error) => checker.syntax(&error),
        }
        checker.findings
    }
}

/// One template on its way through the tree.
pub(super) struct Checker<'a> {
    templates: &'a Templates,
    pub(super) name: &'a str,
    pub(super) source: &'a str,
    pub(super) roots: &'a Map<String, Json>,
    /// Names that the template gives itself, the innermost last.
    pub(super) scope: Vec<(&'a str, Shape<'a>)>,
    /// The templates that include this one, so that a circle ends.
    including: Vec<&'a str>,
    pub(super) findings: Vec<TemplateError>,
}

/// Whether a name that is not there is a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Fault,
    Allowed,
}

impl<'a> Checker<'a> {
    fn new(
        templates: &'a Templates,
        name: &'a str,
        source: &'a str,
        roots: &'a Map<String, Json>,
    ) -> Self {
        Checker {
            templates,
            name,
            source,
            roots,
            scope: Vec::new(),
            including: Vec::new(),
            findings: Vec::new(),
        }
    }

    fn template(&mut self) {
        if let Err(error) = limits::source(self.name, self.source, Source::Template) {
            self.findings.push(error);
            return;
        }
        match parse(self.source, self.name, syntax_config()) {
            Ok(tree) => self.statement(&tree),
            Err(error) => self.syntax(&error),
        }
    }

    fn syntax(&mut self, error: &minijinja::Error) {
        let nothing = minijinja::Value::UNDEFINED;
        self.findings
            .push(TemplateError::of(self.name, error, &nothing));
    }

    fn statements(&mut self, statements: &[Stmt<'a>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    /// What names a block gives are gone after it.
    fn block(&mut self, statements: &[Stmt<'a>]) {
        let depth = self.scope.len();
        self.statements(statements);
        self.scope.truncate(depth);
    }

    fn statement(&mut self, statement: &Stmt<'a>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitExpr(emit) => {
                self.expression(&emit.expr);
            }
            Stmt::ForLoop(each) => self.for_loop(each),
            Stmt::IfCond(branches) => {
                self.expression(&branches.expr);
                self.statements(&branches.true_body);
                self.statements(&branches.false_body);
            }
            Stmt::WithBlock(with) => {
                let depth = self.scope.len();
                for (target, value) in &with.assignments {
                    let shape = self.expression(value);
                    self.assign(target, shape);
                }
                self.statements(&with.body);
                self.scope.truncate(depth);
            }
            Stmt::Set(set) => {
                let shape = self.expression(&set.expr);
                self.assign(&set.target, shape);
            }
            Stmt::SetBlock(set) => {
                self.block(&set.body);
                if let Some(filter) = &set.filter {
                    self.expression(filter);
                }
                self.assign(&set.target, Shape::Opaque);
            }
            Stmt::AutoEscape(escape) => self.block(&escape.body),
            Stmt::FilterBlock(filter) => {
                self.expression(&filter.filter);
                self.block(&filter.body);
            }
            Stmt::Block(block) => self.block(&block.body),
            Stmt::Macro(function) => {
                self.scope.push((function.name, Shape::Opaque));
                self.function(function);
            }
            Stmt::CallBlock(call) => {
                self.expression(&call.call.expr);
                self.arguments(&call.call.args);
                self.function(&call.macro_decl);
            }
            Stmt::Do(call) => {
                self.expression(&call.call.expr);
                self.arguments(&call.call.args);
            }
            Stmt::Include(include) => {
                if !include.ignore_missing {
                    self.include(&include.name);
                }
            }
            Stmt::Import(import) => {
                self.include(&import.expr);
                self.assign(&import.name, Shape::Opaque);
            }
            Stmt::FromImport(import) => {
                self.include(&import.expr);
                for (name, alias) in &import.names {
                    self.assign(alias.as_ref().unwrap_or(name), Shape::Opaque);
                }
            }
            Stmt::Extends(extends) => self.include(&extends.name),
            Stmt::EmitRaw(_) | Stmt::Continue(_) | Stmt::Break(_) => {}
        }
    }

    fn for_loop(&mut self, each: &ForLoop<'a>) {
        let list = self.expression(&each.iter);
        let depth = self.scope.len();
        self.scope.push(("loop", Shape::Loop));
        self.assign(&each.target, list.item());
        if let Some(filter) = &each.filter_expr {
            self.expression(filter);
        }
        self.statements(&each.body);
        self.scope.truncate(depth);
        self.block(&each.else_body);
    }

    fn function(&mut self, function: &Macro<'a>) {
        let depth = self.scope.len();
        for default in &function.defaults {
            self.expression(default);
        }
        self.scope.push(("caller", Shape::Opaque));
        for argument in &function.args {
            self.assign(argument, Shape::Opaque);
        }
        self.statements(&function.body);
        self.scope.truncate(depth);
    }

    fn assign(&mut self, target: &Expr<'a>, shape: Shape<'a>) {
        match target {
            Expr::Var(name) => self.scope.push((name.id, shape)),
            Expr::List(list) => self.assign_parts(&list.items),
            Expr::Tuple(tuple) => self.assign_parts(&tuple.items),
            _ => {}
        }
    }

    fn assign_parts(&mut self, targets: &[Expr<'a>]) {
        for target in targets {
            self.assign(target, Shape::Opaque);
        }
    }

    /// Checks the included template where it is included: it sees the same names.
    fn include(&mut self, target: &Expr<'a>) {
        let Expr::Const(constant) = target else {
            self.expression(target);
            return;
        };
        let Some(wanted) = constant.value.as_str() else {
            return;
        };
        let sources = &self.templates.sources;
        let Some((name, source)) = sources.get_key_value(wanted) else {
            let known = sources.keys().map(String::as_str);
            let hint = names::suggest(wanted, known);
            let what = format!("there is no template `{wanted}`");
            self.found(range(target.span()), what, hint);
            return;
        };
        if self.name == name || self.including.contains(&name.as_str()) {
            self.found(
                range(target.span()),
                format!("`{name}` includes itself"),
                None,
            );
            return;
        }
        let depth = self.scope.len();
        let outer = (self.name, self.source);
        self.including.push(outer.0);
        (self.name, self.source) = (name, source);
        self.template();
        (self.name, self.source) = outer;
        self.including.pop();
        self.scope.truncate(depth);
    }

    /// Checks an expression and tells what is known of its value.
    pub(super) fn expression(&mut self, expression: &Expr<'a>) -> Shape<'a> {
        self.value(expression, Missing::Fault)
    }

    fn value(&mut self, expression: &Expr<'a>, missing: Missing) -> Shape<'a> {
        match expression {
            Expr::Var(name) => self.variable(name.id, range(name.span()), missing),
            Expr::GetAttr(get) => {
                // Only the last step may be missing: a field of what is undefined is an error.
                let base = self.expression(&get.expr);
                self.field(&base, get.name, &get.expr, missing)
            }
            Expr::GetItem(get) => {
                let base = self.expression(&get.expr);
                match &get.subscript_expr {
                    Expr::Const(key) => match key.value.as_str() {
                        // The name in the finding comes from the source; the tree owns this text.
                        Some(key) => self.field(&base, key, &get.expr, missing),
                        None => base.item(),
                    },
                    other => {
                        self.expression(other);
                        base.item()
                    }
                }
            }
            Expr::Filter(filter) => {
                self.known("filter", filter.name, filter.span(), names::FILTERS);
                let lenient = matches!(filter.name, "default" | "d");
                let missing = if lenient { Missing::Allowed } else { missing };
                let base = match &filter.expr {
                    Some(base) => self.value(base, missing),
                    None => Shape::Opaque,
                };
                self.arguments(&filter.args);
                self.attribute_argument(filter.name, &base, &filter.args);
                base.filtered(filter.name, &filter.args)
            }
            Expr::Test(test) => {
                self.known("test", test.name, test.span(), names::TESTS);
                let lenient = matches!(test.name, "defined" | "undefined");
                let missing = if lenient {
                    Missing::Allowed
                } else {
                    Missing::Fault
                };
                self.value(&test.expr, missing);
                self.arguments(&test.args);
                Shape::Opaque
            }
            Expr::Call(call) => {
                self.callee(&call.expr);
                self.arguments(&call.args);
                Shape::Opaque
            }
            Expr::Slice(slice) => {
                let base = self.expression(&slice.expr);
                for bound in [&slice.start, &slice.stop, &slice.step]
                    .into_iter()
                    .flatten()
                {
                    self.expression(bound);
                }
                base
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr);
                let shape = self.expression(&choice.true_expr);
                if let Some(other) = &choice.false_expr {
                    self.expression(other);
                }
                shape
            }
            Expr::UnaryOp(operation) => {
                self.expression(&operation.expr);
                Shape::Opaque
            }
            Expr::BinOp(operation) => {
                self.expression(&operation.left);
                self.expression(&operation.right);
                Shape::Opaque
            }
            Expr::Compare(comparison) => {
                self.expression(&comparison.expr);
                for operand in &comparison.ops {
                    self.expression(&operand.expr);
                }
                Shape::Opaque
            }
            Expr::List(list) => self.parts(&list.items),
            Expr::Tuple(tuple) => self.parts(&tuple.items),
            Expr::Map(map) => {
                self.parts(&map.keys);
                self.parts(&map.values)
            }
            Expr::Const(_) => Shape::Opaque,
        }
    }
}

pub(super) fn range(span: Span) -> Range<usize> {
    span.start_offset as usize..span.end_offset as usize
}
