//! What a person at a terminal sees while steps go on; silent in a pipe.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::paint::Paint;
use crate::engine::Progress;
use crate::job::StepEnd;

/// One spinner, on stderr.
pub struct Spinner {
    bar: Option<ProgressBar>,
    paint: Paint,
}

impl Spinner {
    /// Quiet unless stderr is a terminal.
    pub fn new(paint: Paint) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar
        });
        Spinner { bar, paint }
    }

    /// Shows where the run stands.
    pub fn show(&mut self, progress: &Progress<'_>) {
        let Some(bar) = &self.bar else { return };
        match progress {
            Progress::Begins { step, kind } => {
                bar.set_message(format!("{step} ({kind})"));
                bar.enable_steady_tick(Duration::from_millis(100));
            }
            Progress::Ended { step, end, took } => {
                let mark = match end {
                    StepEnd::Failed(_) => self.paint.error("✗"),
                    StepEnd::Stop | StepEnd::Skipped => "-".to_owned(),
                    StepEnd::Done(_) | StepEnd::Wait(_) => "✓".to_owned(),
                };
                let line = format!("{mark} {step} {took:.0?}");
                bar.println(self.paint.faint(&line));
            }
            Progress::Again { step, reason, wait } => {
                bar.println(format!("{step}: {reason}; again in {wait:.0?}"));
            }
            _ => {}
        }
    }

    /// Out of the way of a message.
    pub fn pause(&mut self) {
        self.clear();
    }

    /// Gone.
    pub fn clear(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
