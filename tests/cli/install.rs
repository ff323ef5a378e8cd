//! `reveille install`, into a folder that stands for a system.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Folder, Outcome};

fn install(folder: &Folder) -> Outcome {
    let root = folder.path("");
    folder.run(["install", "--root", root.to_str().expect("UTF-8")])
}

#[test]
fn a_system_gets_unit_user_folder_and_program() {
    let folder = Folder::empty();
    install(&folder).prints(&[
        "wrote  ",
        "/usr/local/bin/reveille: the program, copied from ",
        "/etc/sysusers.d/reveille.conf: its user, `reveille`",
        "/etc/systemd/system/reveille.service: how systemd runs it",
        "/etc/reveille/config/reveille.toml: zone, language",
        "made   ",
        "/etc/reveille/credentials: secrets",
        "linked ",
        "/multi-user.target.wants/reveille.service: it starts with the machine",
        "\nNext:\n",
    ]);
    let unit = folder.read("etc/systemd/system/reveille.service");
    assert!(unit.contains("\nExecStart=/usr/local/bin/reveille --dir /etc/reveille daemon\n"));
    let mode = |path| {
        let found = folder.path(path).metadata().expect("it is there");
        found.permissions().mode() & 0o777
    };
    assert_eq!(mode("usr/local/bin/reveille"), 0o755);
    assert_eq!(mode("etc/reveille/credentials"), 0o700);
    let enabled = folder.path("etc/systemd/system/multi-user.target.wants/reveille.service");
    let to = enabled.read_link().expect("a link");
    assert_eq!(to.to_str(), Some("/etc/systemd/system/reveille.service"));
    let etc = folder.path("etc/reveille");
    folder
        .run([
            "--dir",
            etc.to_str().expect("UTF-8"),
            "run",
            "daily-briefing",
        ])
        .prints(&["**Friday 20 November**"]);
}

#[test]
fn a_second_time_it_keeps_what_is_there() {
    let folder = Folder::empty();
    install(&folder).prints(&["wrote"]);
    folder.write("etc/reveille/jobs/daily-briefing.toml", "mine");
    std::fs::remove_file(folder.path("etc/reveille/jobs/ask.toml")).expect("removed");
    folder.write("etc/systemd/system/reveille.service", "an older one");
    install(&folder).prints(&[
        "kept   ",
        "/etc/sysusers.d/reveille.conf: ",
        "(as it should be)",
        "wrote  ",
        "/etc/systemd/system/reveille.service: ",
        "kept   ",
        "/etc/reveille: your jobs and settings",
    ]);
    assert_eq!(folder.read("etc/reveille/jobs/daily-briefing.toml"), "mine");
    assert!(!folder.path("etc/reveille/jobs/ask.toml").exists());
    assert!(
        folder
            .read("etc/systemd/system/reveille.service")
            .contains("[Service]")
    );
}

#[test]
fn a_packages_unit_is_not_hidden_by_another() {
    let folder = Folder::empty().file("usr/lib/systemd/system/reveille.service", "the package's");
    install(&folder).prints(&["kept   ", "reveille.service: the package's own unit"]);
    assert!(!folder.path("etc/systemd/system/reveille.service").exists());
    assert!(!folder.path("usr/local/bin").exists());
}

#[test]
fn a_dry_run_writes_nothing() {
    let folder = Folder::empty();
    let root = folder.path("image");
    let root = root.to_str().expect("UTF-8");
    folder
        .run(["install", "--dry-run", "--root", root])
        .prints(&["would write ", "would make ", "would link "]);
    assert!(!folder.path("image").exists());
    let own = folder.run(["install", "--user", "--dry-run"]);
    own.prints(&[
        "would write ",
        "home/.config/systemd/user/reveille.service: ",
        "would write ",
        "home/.config/reveille/config/reveille.toml: ",
        "would run   systemctl --user enable reveille.service: it starts when you log in",
        "loginctl enable-linger",
    ]);
    assert!(!folder.path("home").exists());
}

/// Root has no use for a service of its own, and another has none of systemd in an empty environment.
#[test]
fn what_cannot_be_is_told_before_anything_is_written() {
    let folder = Folder::empty();
    folder
        .run(["install", "--user"])
        .says(2, &["error: ", "\nhint: "]);
    assert!(!folder.path("home").exists());
}

#[test]
fn a_file_that_cannot_be_written_is_told() {
    let folder = Folder::empty().file("etc", "a file");
    install(&folder).says(
        2,
        &[
            "error: cannot write ",
            "/etc/sysusers.d/reveille.conf: ",
            "hint: what was done so far is above; doing it again is safe",
        ],
    );
}
