//! `reveille install [--user]`: a service of systemd, enabled and explained.

mod act;
mod plan;

use std::path::PathBuf;

use clap::Args;

use super::out::outln;
use crate::error::Error;
use plan::Place;

#[derive(Debug, Args)]
pub struct Arguments {
    /// As a service of your own, with your rights, instead of one of the machine
    #[arg(long)]
    user: bool,

    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// Into the system below this folder, as for an image; nothing is started
    #[arg(long, value_name = "DIR", conflicts_with = "user")]
    root: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Error> {
    let place = match (&arguments.root, arguments.user) {
        (Some(root), _) => Place::Image(root.clone()),
        (None, true) => Place::user()?,
        (None, false) => Place::Machine,
    };
    if !arguments.dry_run {
        possible(&place)?;
    }
    for act in plan::plan(&place)? {
        if arguments.dry_run {
            outln!("{}", act.coming());
        } else {
            outln!("{}", act.perform()?);
        }
    }
    outln!("\nNext:");
    for (command, what) in next(&place) {
        outln!("  {command:<44}  {what}");
    }
    Ok(0)
}

/// Whether it can be done at all, before anything is written.
fn possible(place: &Place) -> Result<(), Error> {
    let root = rustix::process::geteuid().is_root();
    let running = |manager: PathBuf| manager.is_dir();
    match place {
        Place::Machine if !root => Err(Error::usage("only root may add a service to the machine")
            .hint("`sudo reveille install`, or `reveille install --user` for one of your own")),
        Place::Machine if !running("/run/systemd/system".into()) => {
            Err(Error::usage("systemd does not run here").hint(
                "let whatever starts programs on this machine run `reveille daemon`, or write into an image with --root",
            ))
        }
        Place::User { .. } if root => Err(Error::usage("--user would make this a service of root")
            .hint("run it as the user that it is for, or without --user")),
        Place::User { .. } => {
            let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
            let manager = runtime.map(|runtime| runtime.join("systemd"));
            manager.is_some_and(running).then_some(()).ok_or_else(|| {
                Error::usage("systemd does not run for this user ($XDG_RUNTIME_DIR/systemd is not there)")
                    .hint("log in as this user, by ssh or at the console, and not through su or sudo")
            })
        }
        Place::Machine | Place::Image(_) => Ok(()),
    }
}

/// What a person does now, and why.
fn next(place: &Place) -> Vec<(String, &'static str)> {
    let line = |command: &str, what| (command.to_owned(), what);
    match place {
        Place::Machine => {
            let person = std::env::var("SUDO_USER").unwrap_or_else(|_| "pi".to_owned());
            vec![
                (
                    format!("sudo adduser {person} reveille"),
                    "so that your command line may ask it; then log in again",
                ),
                line(
                    "sudoedit /etc/reveille/config/reveille.toml",
                    "zone, calendars, models",
                ),
                line(
                    "reveille doctor",
                    "what this machine can and cannot promise",
                ),
                line("journalctl -u reveille -f", "what it says"),
            ]
        }
        Place::User { .. } => vec![
            line(
                "sudo loginctl enable-linger $USER",
                "so that it runs while you are not logged in",
            ),
            line(
                "reveille doctor",
                "what this machine can and cannot promise",
            ),
            line("journalctl --user -u reveille -f", "what it says"),
        ],
        Place::Image(root) => vec![(
            format!("systemd-sysusers --root={}", root.display()),
            "makes its user, unless the image does so at its first boot",
        )],
    }
}
