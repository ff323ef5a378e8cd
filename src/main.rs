//! The binary: parses arguments, calls the library, gives the exit code.

use std::process::ExitCode;

use clap::Parser;
use reveille::cli::{self, Cli};
use reveille::error::ErrorKind;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let said = panic.payload_as_str().unwrap_or_default();
        eprintln!("bug: {said} ({place}); please report it");
    }));
    let ended = std::panic::catch_unwind(|| cli::run(cli));
    match ended {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(error)) => {
            eprintln!("error: {error}");
            ExitCode::from(error.kind.exit_code())
        }
        // The hook has said it.
        Err(_) => ExitCode::from(ErrorKind::Bug.exit_code()),
    }
}
