//! The binary: parses arguments, calls the library, gives the exit code.

use std::process::ExitCode;

use clap::Parser;
use reveille::cli::{self, Cli};
use reveille::error::ErrorKind;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = std::panic::catch_unwind(|| cli::run(cli));
    match ended {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(error)) => {
            eprintln!("error: {error}");
            ExitCode::from(error.kind.exit_code())
        }
        // The panic's own message is on stderr already.
        Err(_) => ExitCode::from(ErrorKind::Bug.exit_code()),
    }
}
