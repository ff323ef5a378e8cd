//! Colours, on a terminal that wants them.

use annotate_snippets::Renderer;

use super::out::Terminal;

/// Whether texts are coloured: only on a terminal, and never with `NO_COLOR` (https://no-color.org).
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    stdout: Colour,
    stderr: Colour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colour {
    On,
    Off,
}

impl Paint {
    /// By what stdout and stderr are.
    pub fn of(terminal: Terminal) -> Self {
        let colour = |is_one: bool| {
            if terminal.colours && is_one {
                Colour::On
            } else {
                Colour::Off
            }
        };
        Paint {
            stdout: colour(terminal.stdout),
            stderr: colour(terminal.stderr),
        }
    }

    /// What shows located errors on stderr.
    pub fn renderer(&self) -> Renderer {
        match self.stderr {
            Colour::On => Renderer::styled(),
            Colour::Off => Renderer::plain(),
        }
    }

    /// A word that says something is wrong, on stderr.
    pub fn error(&self, text: &str) -> String {
        paint(self.stderr, "1;31", text)
    }

    /// A word that says something should be known, on stderr.
    pub fn warning(&self, text: &str) -> String {
        paint(self.stderr, "1;33", text)
    }

    /// What matters less, on stderr.
    pub fn faint(&self, text: &str) -> String {
        paint(self.stderr, "2", text)
    }

    /// An outcome's word, on stdout.
    pub fn outcome(&self, word: &str) -> String {
        let code = match word.trim() {
            "ok" | "done" | "sent" => "32",
            "failed" | "interrupted" | "cannot" => "31",
            _ => "33",
        };
        paint(self.stdout, code, word)
    }

    /// A heading, on stdout.
    pub fn bold(&self, text: &str) -> String {
        paint(self.stdout, "1", text)
    }
}

fn paint(colour: Colour, code: &str, text: &str) -> String {
    match colour {
        Colour::On => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        Colour::Off => text.to_owned(),
    }
}
