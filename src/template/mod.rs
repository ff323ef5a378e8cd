//! Templates and expressions: minijinja, strict and bounded, with the filters that texts need.
//!
//! Undefined names are errors, `none` puts out nothing, a block tag alone on its line leaves no
//! blank line. Nothing here reads a file: included templates come from a map of sources.

mod check;
mod check_names;
#[cfg(test)]
mod check_tests;
mod error;
mod filters;
mod limits;
mod locale;
mod moment;
mod names;
mod plain;
mod quantity;
mod roots;
mod shape;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SubsecRound, Utc};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde_json::{Map, Value as Json};

use crate::zone::Tz;

pub use error::TemplateError;
pub use locale::{DateStyle, Locale};
pub use roots::Roots;
pub use shape::OPAQUE;

use filters::Reader;
use limits::{Capped, Source};

/// What a template sees: results by step id, with `event`, `job`, `run`, `now` beside them.
#[derive(Debug, Clone, Default)]
pub struct Context(Value);

impl From<&Map<String, Json>> for Context {
    fn from(roots: &Map<String, Json>) -> Self {
        Context(Value::from(minijinja::value::Serde(roots)))
    }
}

/// The engine for one reader: a language, a zone and a present moment. Cheap to share, and to
/// build once for each run.
#[derive(Debug)]
pub struct Templates {
    environment: Arc<Environment<'static>>,
    sources: Arc<BTreeMap<String, String>>,
}

impl Templates {
    /// An engine whose times are in `zone` and whose words are of `locale`; `now` is what `ago`
    /// counts from, to the second.
    pub fn new(locale: Locale, zone: Tz, now: DateTime<Utc>) -> Self {
        let now = now.trunc_subsecs(0);
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let environment = match &*last {
            Some((reader, made)) if *reader == (locale, zone, now) => Arc::clone(made),
            _ => {
                let made = Arc::new(environment(Reader { locale, zone, now }));
                *last = Some(((locale, zone, now), Arc::clone(&made)));
                made
            }
        };
        Templates {
            environment,
            sources: Arc::default(),
        }
    }

    /// Lets templates `{% include "NAME" %}` these sources.
    #[must_use]
    pub fn with_sources(mut self, sources: Arc<BTreeMap<String, String>>) -> Self {
        self.sources = Arc::clone(&sources);
        Arc::make_mut(&mut self.environment).set_loader(move |name| {
            let Some(text) = sources.get(name) else {
                return Ok(None);
            };
            limits::source(name, text, Source::Template).map_err(|error| {
                minijinja::Error::new(minijinja::ErrorKind::SyntaxError, error.what)
            })?;
            Ok(Some(text.clone()))
        });
        self
    }

    /// Renders `source`, which the errors call `name`.
    ///
    /// # Errors
    /// Where it does not parse, uses what is not there, does not end, or puts out more than 1 MiB.
    pub fn render(
        &self,
        name: &str,
        source: &str,
        context: &Context,
    ) -> Result<String, TemplateError> {
        limits::source(name, source, Source::Template)?;
        let wrong = |error| TemplateError::of(name, &error, &context.0);
        let template = self
            .environment
            .template_from_named_str(name, source)
            .map_err(wrong)?;
        let mut out = Capped::default();
        template
            .render_captured_to(context.0.clone(), &mut out)
            .map_err(wrong)?;
        Ok(out.into_string())
    }

    /// The value of an expression, with its type.
    ///
    /// # Errors
    /// As [`Templates::render`]; also where the value is more than 1 MiB of JSON.
    pub fn eval(&self, expression: &str, context: &Context) -> Result<Json, TemplateError> {
        let value = self.value(expression, context)?;
        // What most expressions give.
        match (value.kind(), value.as_i64()) {
            (ValueKind::Bool, _) => return Ok(Json::Bool(value.is_true())),
            (ValueKind::None, _) => return Ok(Json::Null),
            (ValueKind::Number, Some(number)) if value.is_integer() => return Ok(number.into()),
            _ => {}
        }
        let mut out = Capped::default();
        let json = serde_json::to_writer(&mut out, &value)
            .and_then(|()| serde_json::from_slice(out.bytes()));
        json.map_err(|error| TemplateError::whole(EXPRESSION, error.to_string()))
    }

    /// Whether an expression is true, as in `if`: empty texts, empty lists, 0 and `none` are not.
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn truthy(&self, expression: &str, context: &Context) -> Result<bool, TemplateError> {
        Ok(self.value(expression, context)?.is_true())
    }

    /// Whether `source` parses.
    ///
    /// # Errors
    /// The first fault of its syntax.
    pub fn syntax(&self, name: &str, source: &str) -> Result<(), TemplateError> {
        limits::source(name, source, Source::Template)?;
        match self.environment.template_from_named_str(name, source) {
            Ok(_) => Ok(()),
            Err(error) => Err(TemplateError::of(name, &error, &Value::UNDEFINED)),
        }
    }

    fn value(&self, expression: &str, context: &Context) -> Result<Value, TemplateError> {
        limits::source(EXPRESSION, expression, Source::Expression)?;
        let wrong = |error| TemplateError::of(EXPRESSION, &error, &context.0);
        let compiled = self
            .environment
            .compile_expression(expression)
            .map_err(wrong)?;
        let value = compiled.eval(context.0.clone()).map_err(wrong)?;
        if value.is_undefined() {
            let what = format!("`{}` is not defined", expression.trim());
            return Err(
                TemplateError::at(EXPRESSION, expression, 0..expression.len(), what)
                    .hint(error::suggest_path(expression.trim(), &context.0)),
            );
        }
        Ok(value)
    }
}

/// The engine that was made last: many runs of one second share it.
static LAST: Mutex<Option<Made>> = Mutex::new(None);

/// An engine, and whom it is for.
type Made = ((Locale, Tz, DateTime<Utc>), Arc<Environment<'static>>);

fn environment(reader: Reader) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_syntax(syntax_config());
    // Else release builds do not tell which name was undefined.
    environment.set_debug(true);
    limits::apply(&mut environment);
    filters::add(&mut environment, reader);
    environment
}

/// What errors call an expression.
const EXPRESSION: &str = "expression";

fn syntax_config() -> SyntaxConfig {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        // A text that ends with a newline, as a line to append to a file, keeps it.
        .keep_trailing_newline(true)
        .build()
        .expect("the usual delimiters")
}
