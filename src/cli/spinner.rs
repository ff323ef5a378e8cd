//! What a person at a terminal sees while steps go on; silent in a pipe.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::out;
use super::paint::Paint;
use super::socket::Output;
use crate::engine::Progress;
use crate::job::StepEnd;

/// One spinner, on stderr: here, or where the client is.
pub struct Spinner {
    shown: Shown,
    paint: Paint,
}

enum Shown {
    Nowhere,
    Here(Bar),
    There(Output),
}

impl Spinner {
    /// Quiet unless stderr is a terminal.
    pub fn new(paint: Paint) -> Self {
        let shown = match (out::terminal().stderr, out::client()) {
            (false, _) => Shown::Nowhere,
            (true, None) => Shown::Here(Bar::new()),
            (true, Some(client)) => Shown::There(client),
        };
        Spinner { shown, paint }
    }

    /// Shows where the run stands.
    pub fn show(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Begins { step, kind } => match &self.shown {
                Shown::Nowhere => {}
                Shown::Here(bar) => bar.doing(format!("{step} ({kind})")),
                Shown::There(client) => client.doing(&format!("{step} ({kind})")),
            },
            Progress::Ended { step, end, took } => {
                let mark = match end {
                    StepEnd::Failed(_) => self.paint.error("✗"),
                    StepEnd::Stop | StepEnd::Skipped => "-".to_owned(),
                    StepEnd::Done(_) | StepEnd::Wait(_) => "✓".to_owned(),
                };
                self.done(&self.paint.faint(&format!("{mark} {step} {took:.0?}")));
            }
            Progress::Again { step, reason, wait } => {
                self.done(&format!("{step}: {reason}; again in {wait:.0?}"));
            }
            _ => {}
        }
    }

    fn done(&self, line: &str) {
        match &self.shown {
            Shown::Nowhere => {}
            Shown::Here(bar) => bar.done(line),
            Shown::There(client) => client.done(line),
        }
    }

    /// Out of the way of a message, or gone.
    pub fn clear(&mut self) {
        match &self.shown {
            Shown::Nowhere => {}
            Shown::Here(bar) => bar.clear(),
            Shown::There(client) => client.still(),
        }
    }
}

/// The spinner on this terminal.
pub struct Bar(ProgressBar);

impl Bar {
    /// Shown with the first word.
    pub fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Bar(bar)
    }

    /// What goes on now.
    pub fn doing(&self, what: String) {
        self.0.set_message(what);
        self.0.enable_steady_tick(Duration::from_millis(100));
    }

    /// A line about what is done, above it.
    pub fn done(&self, line: &str) {
        self.0.println(line);
    }

    /// Gone.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}
