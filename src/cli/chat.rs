//! `reveille chat`

use std::path::{Path, PathBuf};

use clap::Args;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::out::{self, errln};
use super::program;
use crate::error::Error;

#[derive(Debug, Args)]
pub struct Arguments {}

/// So many lines are remembered from one chat to the next.
const REMEMBERED: usize = 1000;

/// A line is what somebody would write to the bot, until the end of the input.
pub(super) fn run(dir: Option<&Path>, state: Option<&Path>) -> Result<u8, Error> {
    let broken = |error: ReadlineError| Error::job(format!("the terminal: {error}"));
    let config = rustyline::Config::builder();
    let config = config.max_history_size(REMEMBERED).map_err(broken)?;
    let config = config.auto_add_history(true).build();
    let mut editor = DefaultEditor::with_config(config).map_err(broken)?;
    let history = history();
    if let Some(history) = &history {
        // There is none before the first chat.
        let _ = editor.load_history(history);
    }
    let at_terminal = out::terminal().stdout;
    if at_terminal {
        errln!("/help says what I understand; Ctrl-D ends");
    }
    let prompt = if at_terminal { "> " } else { "" };
    let code = loop {
        let line = match editor.readline(prompt) {
            Ok(line) => line,
            Err(ReadlineError::Eof) => break 0,
            // The line is given up, not the chat.
            Err(ReadlineError::Interrupted) => continue,
            Err(error) => return Err(broken(error)),
        };
        if line.trim().is_empty() {
            continue;
        }
        // As a command of its own: what is typed goes to the daemon as typed.
        program::run(dir, state, &["ask", "--", &line])?;
    };
    if let Some(history) = &history {
        let _ = history.parent().map(std::fs::create_dir_all);
        let _ = editor.save_history(history);
    }
    Ok(code)
}

/// Where the lines of this person's chats are remembered.
fn history() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state"));
    Some(state.or_else(home)?.join("reveille").join("chat-history"))
}
