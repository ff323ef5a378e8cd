//! The service: is it there, does it run, and may this user talk to it and read what the jobs read.

use std::path::{Path, PathBuf};

use super::finding::Finding;
use super::root::Root;
use crate::config::Config;
use crate::step;
use crate::store::lock;

const UNITS: [&str; 3] = [
    "/etc/systemd/system/reveille.service",
    "/usr/lib/systemd/system/reveille.service",
    "/lib/systemd/system/reveille.service",
];

/// Who looks.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// Whether nothing is closed to it.
    pub(super) root: bool,
    /// The names of its groups.
    pub(super) groups: Vec<String>,
}

impl Person {
    /// The user of this process.
    pub(super) fn present(root: &Root) -> Self {
        let mut ids = rustix::process::getgroups().unwrap_or_default();
        ids.push(rustix::process::getegid());
        let ids: Vec<String> = ids.iter().map(|id| id.as_raw().to_string()).collect();
        let groups = root.text("/etc/group").unwrap_or_default();
        let groups = groups.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let (name, id) = (fields.next()?, fields.nth(1)?);
            ids.iter().any(|own| own == id).then(|| name.to_owned())
        });
        Person {
            root: rustix::process::geteuid().is_root(),
            groups: groups.collect(),
        }
    }

    fn is_in(&self, group: &str) -> bool {
        self.root || self.groups.iter().any(|own| own == group)
    }
}

/// All of it.
pub(super) fn look(
    root: &Root,
    state: &Path,
    config: &Config,
    person: Option<&Person>,
) -> Vec<Finding> {
    let unit = UNITS.iter().map(PathBuf::from).find(|unit| root.has(unit));
    let installed = unit.is_some();
    let mut findings = vec![running(root, state, installed), service(root, unit)];
    if let Some(person) = person {
        findings.extend(groups(config, person, installed));
    }
    findings.push(journal(root));
    findings.extend(firmware(root, config));
    findings
}

fn running(root: &Root, state: &Path, installed: bool) -> Finding {
    let about = "daemon";
    match lock::daemon_pid(&root.path(state)) {
        Some(0) => Finding::ok(about, "running"),
        Some(pid) => Finding::ok(about, format!("running, process {pid}")),
        None if root.has("/run/reveille/socket") => {
            Finding::ok(about, "the service runs, on a state folder of its own")
        }
        None => Finding::warning(
            about,
            "not running on this state folder: jobs start by hand only",
            if installed {
                "`sudo systemctl start reveille`, then `systemctl status reveille`"
            } else {
                "`reveille daemon`, or as a service: `sudo reveille install`"
            },
        ),
    }
}

fn service(root: &Root, unit: Option<PathBuf>) -> Finding {
    let about = "service";
    let Some(unit) = unit else {
        let found = "not installed: nothing starts it with the machine";
        return Finding::warning(
            about,
            found,
            "`sudo reveille install`, or `reveille install --user`",
        );
    };
    let shown = unit.display();
    // Links that lead nowhere below another root count as well.
    let wanted = root.path("/etc/systemd/system/multi-user.target.wants/reveille.service");
    if wanted.is_symlink() {
        return Finding::ok(about, format!("{shown}, starts with the machine"));
    }
    let found = format!("{shown} is there and does not start with the machine");
    Finding::warning(about, found, "`sudo systemctl enable --now reveille`")
}

fn groups(config: &Config, person: &Person, installed: bool) -> Vec<Finding> {
    let about = "groups";
    let steps = || config.jobs.values().flat_map(|job| &job.steps);
    let logs = steps().any(|step| matches!(step.kind, step::Kind::Log(_)));
    let journal = steps().any(|step| matches!(step.kind, step::Kind::Journal(_)));
    let wanted = [
        (
            "reveille",
            installed,
            "this command line cannot ask the service",
        ),
        (
            "adm",
            logs,
            "most of /var/log is closed to jobs run by hand",
        ),
        (
            "systemd-journal",
            journal,
            "the journal is closed to jobs run by hand",
        ),
    ];
    let wanted = wanted.into_iter().filter(|(_, wanted, _)| *wanted);
    let missing: Vec<Finding> = wanted
        .filter(|(group, ..)| !person.is_in(group))
        .map(|(group, _, means)| {
            let found = format!("this user is not in `{group}`: {means}");
            Finding::warning(
                about,
                found,
                format!("`sudo adduser $USER {group}`, then log in again"),
            )
        })
        .collect();
    if missing.is_empty() {
        let found = if person.root {
            "root may read all"
        } else {
            "this user is in those that are needed"
        };
        return vec![Finding::ok(about, found)];
    }
    missing
}

fn journal(root: &Root) -> Finding {
    let about = "journal";
    if root.has("/var/log/journal") {
        return Finding::ok(about, "kept over restarts");
    }
    if root.has("/run/log/journal") {
        return Finding::warning(
            about,
            "kept in memory: what went wrong before a power cut is forgotten",
            "`sudo mkdir -p /var/log/journal`, with Storage=auto in journald.conf",
        );
    }
    Finding::warning(
        about,
        "systemd's journal is not there",
        "read what the daemon says where you started it",
    )
}

/// `vcgencmd`, where a job runs it.
fn firmware(root: &Root, config: &Config) -> Option<Finding> {
    let about = "vcgencmd";
    let steps = config.jobs.values().flat_map(|job| &job.steps);
    let mut programs = steps.filter_map(|step| match &step.kind {
        step::Kind::Exec(exec) => Path::new(exec.program()).file_name(),
        _ => None,
    });
    programs.find(|program| *program == "vcgencmd")?;
    if !root.has("/dev/vcio") {
        let found = "there is no /dev/vcio here, which it needs";
        let todo = "PrivateDevices=no and DeviceAllow=/dev/vcio rw in a drop-in, if this is a Raspberry Pi";
        return Some(Finding::cannot(about, found, todo));
    }
    Some(Finding::ok(
        about,
        "/dev/vcio is there; the service needs DeviceAllow=/dev/vcio rw",
    ))
}
