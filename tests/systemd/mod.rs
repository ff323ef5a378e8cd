//! The units, as systemd itself reads them. `tests/systemd/boot` runs them in a real one.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::Folder;

/// A unit of the repository.
fn unit(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("systemd")
        .join(name);
    fs::read_to_string(path).expect("the unit is there")
}

/// `systemd-analyze` over a unit whose program is this build's; `None` where the machine has no systemd.
fn analyze<const N: usize>(words: [&str; N], name: &str) -> Option<Output> {
    let found = "ExecStart=/usr/bin/reveille ";
    let built = format!("ExecStart={} ", env!("CARGO_BIN_EXE_reveille"));
    let text = unit(name);
    assert!(text.contains(found), "{name} starts another program");
    let folder = Folder::empty().file("reveille.service", text.replace(found, &built));
    let output = Command::new("systemd-analyze")
        .args(words)
        .arg(folder.path("reveille.service"))
        // `--user` asks for one, and root has none without a login.
        .env("XDG_RUNTIME_DIR", folder.path(""))
        .output();
    match output {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("SKIPPED: {name} is not held against systemd-analyze: {error}");
            None
        }
    }
}

/// `verify` ends well with keys that it does not know: what it says counts.
#[track_caller]
fn is_understood<const N: usize>(words: [&str; N], name: &str) {
    let Some(output) = analyze(words, name) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let ours: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("reveille"))
        .collect();
    assert!(ours.is_empty(), "{said}");
    assert!(output.status.success(), "{said}");
}

#[test]
fn systemd_understands_every_line_of_the_unit() {
    is_understood(["verify", "--man=no"], "reveille.service");
}

#[test]
fn systemd_understands_every_line_of_the_users_unit() {
    is_understood(["verify", "--man=no", "--user"], "reveille-user.service");
}

#[test]
fn the_unit_is_exposed_by_one_and_a_half_of_ten_at_most() {
    let words = ["security", "--offline=yes", "--no-pager", "--threshold=15"];
    let Some(output) = analyze(words, "reveille.service") else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Overall exposure level"), "{said}");
}

/// What `systemd-analyze` takes for a hardening, and what would break a use in silence.
#[test]
fn the_unit_leaves_the_uses_what_they_need() {
    let text = unit("reveille.service");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    // Memory and load would read as zero.
    assert!(!lines.iter().any(|line| line.starts_with("ProcSubset=")));
    let filter = lines
        .iter()
        .find(|line| line.starts_with("SystemCallFilter=@system-service"))
        .expect("a filter");
    for call in ["create_ruleset", "add_rule", "restrict_self"] {
        assert!(filter.contains(&format!(" landlock_{call}")), "{filter}");
    }
    let groups = lines
        .iter()
        .find_map(|line| line.strip_prefix("SupplementaryGroups="))
        .expect("groups");
    let made = unit("reveille.sysusers");
    for group in groups.split(' ') {
        assert!(
            made.contains(&format!("g {group} ")),
            "nobody makes {group}"
        );
    }
}
