//! What is wrong with a file, where, and what would be right.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::conceal::{concealed, starred_value};

/// One text file, as errors show it.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as the person would type it.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// A source to share among its diagnostics.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Source {
            path: path.into(),
            text: text.into(),
        })
    }

    /// Line and column, both from 1, columns in characters, of a byte offset.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let line_start = self.line_start(offset);
        let before = &self.text.as_bytes()[..line_start];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let end = self.boundary(offset);
        (line, 1 + self.text[line_start..end].chars().count())
    }

    fn boundary(&self, offset: usize) -> usize {
        self.text.floor_char_boundary(offset.min(self.text.len()))
    }

    fn line_start(&self, offset: usize) -> usize {
        let end = self.boundary(offset);
        self.text[..end]
            .rfind('\n')
            .map_or(0, |newline| newline + 1)
    }
}

/// Whether a finding stops the file from loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file does not load.
    Error,
    /// It loads; the owner should know.
    Warning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The file.
    pub source: Arc<Source>,
    /// Where, in bytes of the file's text.
    pub span: Range<usize>,
    /// What is wrong, in one line.
    pub message: String,
    /// What would be right, under the caret.
    pub label: String,
    /// What else helps, a line each.
    pub notes: Vec<String>,
    /// Whether the line may be shown.
    shown: Shown,
}

/// How much of a line may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// All but the values of keys that name secrets.
    Usual,
    /// No value: it is a secret.
    NoValue,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(source: &Arc<Source>, span: Range<usize>, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            source: Arc::clone(source),
            span,
            message: message.into(),
            label: String::new(),
            notes: Vec::new(),
            shown: Shown::Usual,
        }
    }

    /// Stars the line's value out: it is a secret.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.shown = Shown::NoValue;
        self
    }

    /// The same finding as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Says under the caret what would be right.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds a line below.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// As people read it, several lines without a last newline.
    pub fn render(&self, renderer: &Renderer) -> String {
        let source = &self.source;
        let start = source.line_start(self.span.start);
        let rest = &source.text[start..];
        let shown = source.boundary(start + rest.find('\n').unwrap_or(rest.len()));
        let whole = match self.shown {
            Shown::Usual => concealed(&source.text, start, shown),
            Shown::NoValue => starred_value(&source.text[start..shown]),
        };
        // A caret needs a line that fits a screen.
        let shown = source.boundary(shown.min(self.span.start.max(start) + 400));
        let from = source.boundary(self.span.start.min(shown)) - start;
        let to = source.boundary(self.span.end.clamp(self.span.start.min(shown), shown)) - start;
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut mark = AnnotationKind::Primary.span(from..to.max(from));
        if !self.label.is_empty() {
            mark = mark.label(&self.label);
        }
        let (line, _) = source.position(self.span.start);
        let snippet = Snippet::source(&whole[..shown - start])
            .path(&source.path)
            .line_start(line)
            .annotation(mark);
        let mut group = level.primary_title(&self.message).element(snippet);
        for note in &self.notes {
            group = group.element(Level::NOTE.no_name().message(note));
        }
        renderer.render(&[group])
    }

    /// In one line, as "jobs/x.toml:5:1: unknown trigger `corn`: did you mean `cron`?"
    pub fn brief(&self) -> String {
        let (line, column) = self.source.position(self.span.start);
        let brief = format!("{}:{line}:{column}: {}", self.source.path, self.message);
        match self.label.as_str() {
            "" => brief,
            label => format!("{brief}: {label}"),
        }
    }

    /// As programs read it.
    pub fn to_json(&self) -> Value {
        let (line, column) = self.source.position(self.span.start);
        json!({
            "severity": match self.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            "file": self.source.path,
            "line": line,
            "column": column,
            "message": self.message,
            "help": self.label,
            "notes": self.notes,
        })
    }
}
