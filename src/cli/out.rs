//! Standard output, for a reader that may have enough: a closed pipe is no error.

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
