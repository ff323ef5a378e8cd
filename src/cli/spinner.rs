//! What a person at a terminal sees while steps go on; silent in a pipe.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::out::{self, calm};
use super::paint::Paint;
use super::socket::Output;
use crate::engine::Progress;
use crate::job::StepEnd;

/// What of a run is shown beside its words.
pub enum Sight {
    /// What goes on now.
    Doing(String),
    /// A line about what is done.
    Done(String),
}

impl Sight {
    /// What there is to see of `progress`.
    pub fn of(progress: &Progress<'_>, paint: Paint) -> Option<Self> {
        match progress {
            Progress::Begins { step, kind } => Some(Sight::Doing(format!("{step} ({kind})"))),
            Progress::Ended { step, end, took } => {
                let mark = match end {
                    StepEnd::Failed(_) => paint.error("✗"),
                    StepEnd::Stop | StepEnd::Skipped => "-".to_owned(),
                    StepEnd::Done(_) | StepEnd::Wait(_) => "✓".to_owned(),
                };
                let line = format!("{mark} {step} {took:.0?}");
                Some(Sight::Done(paint.faint(&line)))
            }
            Progress::Says { step, text } => Some(Sight::Doing(format!("{step}: {}", tail(text)))),
            Progress::Again { step, reason, wait } => {
                let line = format!("{step}: {reason}; again in {wait:.0?}");
                Some(Sight::Done(line))
            }
            _ => None,
        }
    }
}

/// The newest words, as many as a line holds beside the rest.
fn tail(text: &str) -> String {
    const WIDTH: usize = 60;
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = calm(&words.join(" ")).into_owned();
    let skip = line.chars().count().saturating_sub(WIDTH);
    let tail: String = line.chars().skip(skip).collect();
    match skip {
        0 => tail,
        _ => format!("…{tail}"),
    }
}

/// One spinner, on stderr: here, or where the client is.
pub enum Spinner {
    /// Stderr is no terminal.
    Nowhere,
    /// On this terminal.
    Here(Bar),
    /// On the client's.
    There(Output),
}

impl Spinner {
    /// Quiet unless stderr is a terminal.
    pub fn new() -> Self {
        match (out::terminal().stderr, out::client()) {
            (false, _) => Spinner::Nowhere,
            (true, None) => Spinner::Here(Bar::new()),
            (true, Some(client)) => Spinner::There(client),
        }
    }

    /// Shows where the run stands.
    pub fn show(&self, sight: Sight) {
        match (self, sight) {
            (Spinner::Nowhere, _) => {}
            (Spinner::Here(bar), Sight::Doing(what)) => bar.doing(what),
            (Spinner::Here(bar), Sight::Done(line)) => bar.done(&line),
            (Spinner::There(client), Sight::Doing(what)) => client.doing(&what),
            (Spinner::There(client), Sight::Done(line)) => client.done(&line),
        }
    }

    /// Out of the way of a message, or gone.
    pub fn clear(&self) {
        match self {
            Spinner::Nowhere => {}
            Spinner::Here(bar) => bar.clear(),
            Spinner::There(client) => client.still(),
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
