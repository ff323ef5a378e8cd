//! What keeps a template from eating the machine: steps, output and depth are bounded.

use std::fmt::Write as _;
use std::io;

use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, Output, State, Value};

use super::TemplateError;

/// Instructions a render may take; the largest honest template takes a hundredth.
const FUEL: u64 = 1_000_000;
/// Bytes a render may put out, and may put into `{% set %}` blocks and macros on the way.
pub(super) const MAX_OUTPUT: usize = 1 << 20;
/// Bytes of a template's source.
const MAX_SOURCE: usize = 1 << 20;
/// Tokens in one `{{ }}` or `{% %}`: the compiler recurses over chains such as `1 + 1 + 1 ...`.
const MAX_TOKENS: usize = 2_000;
/// Nested includes and macro calls, weighed by the engine (an include counts ten).
const MAX_DEPTH: usize = 200;
/// Spaces `indent` may put before a line, and characters a number may be padded to.
const MAX_WIDTH: usize = 1_000;

pub(super) const TOO_LONG: &str = "the text is longer than 1 MiB: it was stopped";

/// Puts every limit that the engine can hold into `environment`.
pub(super) fn apply(environment: &mut Environment<'_>) {
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(MAX_DEPTH);
    environment.set_formatter(format_counted);
    environment.add_filter("indent", indent);
    environment.add_filter("format", format);
    // Both allocate by a number that the template names, and no text needs them.
    environment.remove_filter("slice");
    environment.remove_filter("batch");
}

/// Refuses what would overflow the compiler's stack.
pub(super) fn source(name: &str, source: &str, kind: Source) -> Result<(), TemplateError> {
    if source.len() > MAX_SOURCE {
        return Err(TemplateError::whole(
            name,
            "a template may have 1 MiB at most",
        ));
    }
    if source.len() <= MAX_TOKENS {
        return Ok(()); // No token is shorter than a byte.
    }
    let in_expression = matches!(kind, Source::Expression);
    let mut tokens = 0;
    for token in minijinja::machinery::tokenize(source, in_expression, super::syntax_config()) {
        let Ok((token, span)) = token else {
            return Ok(()); // The parser tells it better.
        };
        tokens += 1;
        if matches!(token, minijinja::machinery::Token::TemplateData(_)) {
            tokens = 0;
        }
        if tokens > MAX_TOKENS {
            let start = span.start_offset as usize;
            let what = "this expression is too long: 2,000 words and signs are the limit";
            return Err(TemplateError::at(
                name,
                source,
                start..start + 1,
                what.into(),
            ));
        }
    }
    Ok(())
}

/// What a source is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// Text with `{{ }}` in it.
    Template,
    /// What stands between them.
    Expression,
}

/// Keeps what fits and fails on what does not.
#[derive(Debug, Default)]
pub(super) struct Capped {
    bytes: Vec<u8>,
}

impl Capped {
    pub(super) fn into_string(self) -> String {
        String::from_utf8(self.bytes).expect("the engine writes whole strings")
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl io::Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, TOO_LONG));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes that one render has put out, captured blocks included.
struct Emitted(usize);

/// Counts every value put out: a captured block (`{% set x %}`) never reaches the capped writer.
/// `none` puts out nothing, so that the text of a skipped step is an empty text.
fn format_counted(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if value.is_none() {
        return Ok(());
    }
    let mut text = CappedText(String::new());
    let text = match value.as_str() {
        Some(text) => text,
        // The engine goes through a whole list even after the first failed write.
        None if value.len() > Some(MAX_OUTPUT) => return Err(too_long()),
        None => {
            write!(text, "{value}").map_err(|_| too_long())?;
            &text.0
        }
    };
    count(state, text.len())?;
    out.write_str(text).map_err(|_| too_long())
}

fn count(state: &mut State, bytes: usize) -> Result<(), Error> {
    let emitted = state.get_or_insert_extension(Emitted(0));
    emitted.0 += bytes;
    // Twice: what a macro or a block gathered is put out once more.
    if emitted.0 > 2 * MAX_OUTPUT {
        return Err(too_long());
    }
    Ok(())
}

fn too_long() -> Error {
    Error::new(ErrorKind::WriteFailure, TOO_LONG)
}

/// Stops the printing of a long list in the middle.
struct CappedText(String);

impl std::fmt::Write for CappedText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if self.0.len() + text.len() > MAX_OUTPUT {
            return Err(std::fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// Spaces before every line but the first (and that too, with `first`); blank lines stay blank.
fn indent(text: &str, width: Option<usize>, first: Option<bool>) -> Result<String, Error> {
    let margin = " ".repeat(at_most_wide(width.unwrap_or(4))?);
    let mut out = String::with_capacity(text.len() + margin.len());
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        if !line.is_empty() && (number > 0 || first == Some(true)) {
            out.push_str(&margin);
        }
        out.push_str(line);
        if out.len() > MAX_OUTPUT {
            return Err(too_long());
        }
    }
    Ok(out)
}

/// The engine's `format`, without its right to pad to a gigabyte.
fn format(state: &mut State, text: &Value, args: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let pattern = text.as_str().unwrap_or_default();
    for digits in pattern.split(|c: char| !c.is_ascii_digit()) {
        at_most_wide(
            digits
                .parse()
                .unwrap_or(usize::from(!digits.is_empty()) * usize::MAX),
        )?;
    }
    if pattern.contains('*') {
        let what = "a width must be written out: `*` is not allowed";
        return Err(Error::new(ErrorKind::InvalidOperation, what));
    }
    minijinja::filters::format(state, text, args)
}

fn at_most_wide(width: usize) -> Result<usize, Error> {
    if width > MAX_WIDTH {
        let what = format!("a width may be {MAX_WIDTH} at most");
        return Err(Error::new(ErrorKind::InvalidOperation, what));
    }
    Ok(width)
}
