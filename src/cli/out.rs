//! Standard output, for a reader that may have enough: a closed pipe is no error.

use std::borrow::Cow;
use std::io::IsTerminal;

/// `println!`, without its panic when nobody reads any more.
macro_rules! outln {
    ($($text:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

/// `eprintln!`, likewise.
macro_rules! errln {
    ($($text:tt)*) => {{
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

pub(super) use {errln, outln};

/// A text that somebody else may have written, without what would command a terminal; in a pipe as it is.
pub(super) fn calm(text: &str) -> Cow<'_, str> {
    let commands = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if std::io::stdout().is_terminal() && text.contains(commands) {
        return Cow::Owned(text.replace(commands, "\u{fffd}"));
    }
    Cow::Borrowed(text)
}
