//! What an installation consists of, by where it goes and what is there already.

use std::fs;
use std::path::{Path, PathBuf};

use super::act::Act;
use crate::config::examples::EXAMPLES;
use crate::error::Error;

const UNIT: &str = include_str!("../../../systemd/reveille.service");
const USER_UNIT: &str = include_str!("../../../systemd/reveille-user.service");
const SYSUSERS: &str = include_str!("../../../systemd/reveille.sysusers");

/// Where the units look for the program, and where a package has put it.
const PROGRAM: &str = "/usr/bin/reveille";

/// Where the program goes if it is elsewhere.
const LOCAL_PROGRAM: &str = "/usr/local/bin/reveille";

/// A unit that a package brought, which an own one would hide.
const PACKAGED: [&str; 2] = [
    "/usr/lib/systemd/system/reveille.service",
    "/lib/systemd/system/reveille.service",
];

/// Where it is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The machine that it runs on.
    Machine,
    /// Below a folder; nothing is run.
    Image(PathBuf),
    /// A user's own.
    User {
        /// `~/.config`, or `$XDG_CONFIG_HOME`.
        config: PathBuf,
    },
}

impl Place {
    /// The user's own place.
    ///
    /// # Errors
    /// Nothing says where that is.
    pub(super) fn user() -> Result<Self, Error> {
        let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".config"));
        let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
        let config = config.or(home).ok_or_else(|| {
            Error::usage("neither $HOME nor $XDG_CONFIG_HOME is set").hint("log in as the user")
        })?;
        Ok(Place::User { config })
    }

    /// Where a path of the system lies.
    fn at(&self, path: &str) -> PathBuf {
        match self {
            Place::Image(root) => root.join(path.trim_start_matches('/')),
            Place::Machine | Place::User { .. } => PathBuf::from(path),
        }
    }
}

/// Everything to do, in order.
///
/// # Errors
/// The program that runs cannot be found or read.
pub(super) fn plan(place: &Place) -> Result<Vec<Act>, Error> {
    let own = std::env::current_exe().and_then(fs::canonicalize);
    let own = own.map_err(|error| {
        Error::usage(format!("cannot find the running program: {error}"))
            .hint("run it by its full path")
    })?;
    match place {
        Place::User { config } => Ok(for_user(config, &own)),
        Place::Machine | Place::Image(_) => for_system(place, &own),
    }
}

fn for_user(config: &Path, own: &Path) -> Vec<Act> {
    let unit = config.join("systemd/user/reveille.service");
    let mut acts = vec![written(
        &unit,
        unit_text(USER_UNIT, own),
        "how systemd runs it",
    )];
    acts.extend(folder(&config.join("reveille")));
    acts.extend([
        Act::run(
            &["systemctl", "--user", "daemon-reload"],
            "systemd has read it",
        ),
        Act::run(
            &["systemctl", "--user", "enable", "reveille.service"],
            "it starts when you log in",
        ),
        Act::run(
            &["systemctl", "--user", "restart", "reveille.service"],
            "it is up, and has said so",
        ),
    ]);
    acts
}

fn for_system(place: &Place, own: &Path) -> Result<Vec<Act>, Error> {
    let mut acts = Vec::new();
    let packaged = PACKAGED.iter().map(|path| place.at(path));
    if let Some(path) = packaged.into_iter().find(|path| path.exists()) {
        let why = "the package's own unit".to_owned();
        acts.push(Act::Keep { path, why });
    } else {
        let (program, copy) = program(place, own)?;
        acts.extend(copy);
        acts.push(written(
            &place.at("/etc/sysusers.d/reveille.conf"),
            SYSUSERS.to_owned(),
            "its user, `reveille`, and the groups that read logs",
        ));
        acts.push(written(
            &place.at("/etc/systemd/system/reveille.service"),
            unit_text(UNIT, &program),
            "how systemd runs it, and what it may not do",
        ));
    }
    acts.extend(folder(&place.at("/etc/reveille")));
    acts.push(Act::Folder {
        path: place.at("/etc/reveille/credentials"),
        mode: 0o700,
        why: "secrets, one in a file, for root and the service only".to_owned(),
    });
    if matches!(place, Place::Image(_)) {
        acts.push(Act::Link {
            path: place.at("/etc/systemd/system/multi-user.target.wants/reveille.service"),
            to: "/etc/systemd/system/reveille.service".into(),
            why: "it starts with the machine".to_owned(),
        });
        return Ok(acts);
    }
    acts.extend([
        Act::run(&["systemd-sysusers"], "the user is there"),
        Act::run(&["systemctl", "daemon-reload"], "systemd has read the unit"),
        Act::run(
            &["systemctl", "enable", "reveille.service"],
            "it starts with the machine",
        ),
        Act::run(
            &["systemctl", "restart", "reveille.service"],
            "it is up, and has said so",
        ),
    ]);
    Ok(acts)
}

/// Where the service finds the program: where it is, unless that is somebody's home or this is an image.
fn program(place: &Place, own: &Path) -> Result<(PathBuf, Option<Act>), Error> {
    let image = matches!(place, Place::Image(_));
    if !image && ["/usr", "/opt"].iter().any(|top| own.starts_with(top)) {
        return Ok((own.to_owned(), None));
    }
    let bytes = fs::read(own)
        .map_err(|error| Error::usage(format!("cannot read {}: {error}", own.display())))?;
    let copy = Act::Write {
        path: place.at(LOCAL_PROGRAM),
        bytes,
        mode: 0o755,
        why: format!("the program, copied from {}", own.display()),
    };
    Ok((LOCAL_PROGRAM.into(), Some(copy)))
}

/// A file of systemd's, unless it is there as it should be.
fn written(path: &Path, text: String, why: &str) -> Act {
    let path = path.to_owned();
    if fs::read_to_string(&path).is_ok_and(|found| found == text) {
        let why = format!("{why} (as it should be)");
        return Act::Keep { path, why };
    }
    Act::Write {
        path,
        bytes: text.into_bytes(),
        mode: 0o644,
        why: why.to_owned(),
    }
}

/// The unit with the path of this program, as systemd.service(5) wants it written.
fn unit_text(unit: &str, program: &Path) -> String {
    let mut path = program.display().to_string().replace('%', "%%");
    if path.contains([' ', '\t']) {
        path = format!("\"{path}\"");
    }
    unit.replace(
        &format!("ExecStart={PROGRAM} "),
        &format!("ExecStart={path} "),
    )
}

/// The working example, where there are no jobs yet; nothing that is there is touched.
fn folder(folder: &Path) -> Vec<Act> {
    if folder.join("jobs").exists() {
        let why = "your jobs and settings".to_owned();
        let path = folder.to_owned();
        return vec![Act::Keep { path, why }];
    }
    let missing = EXAMPLES
        .iter()
        .filter(|(name, _)| !folder.join(name).exists());
    missing
        .map(|(name, text)| Act::Write {
            path: folder.join(name),
            bytes: text.as_bytes().to_vec(),
            mode: 0o644,
            why: about(name).to_owned(),
        })
        .collect()
}

fn about(name: &str) -> &'static str {
    match name {
        "config/reveille.toml" => "zone, language, calendars, models",
        "config/calendar.ics" => "a calendar to try it with",
        _ if name.ends_with(".schema.json") => "for editors that complete keys",
        _ if name.starts_with("jobs/") => "an example of a job",
        _ => "how it is worded",
    }
}
