//! States that cannot be written, are full, damaged, or of another version.

use std::fs;
use std::process::Command;

use crate::support::Folder;

fn folder() -> Folder {
    Folder::with("[[deliver]]\nconsole = true\ntext = \"a\"\n")
}

/// A small file system at the state of a folder; unmounted with the value. `None` where mounting is not permitted.
struct Mount<'a>(&'a Folder);

impl<'a> Mount<'a> {
    fn new(folder: &'a Folder, options: &str) -> Option<Self> {
        fs::create_dir_all(folder.path("state")).expect("a folder");
        let mount = Mount(folder);
        mount.with(options).then_some(mount)
    }

    /// Mounts, or mounts again, with these options.
    fn with(&self, options: &str) -> bool {
        let state = self.0.path("state");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(state);
        mount.output().is_ok_and(|output| output.status.success())
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        // Lazily: a failed test may have left a file open.
        let _ = Command::new("umount")
            .arg("-l")
            .arg(self.0.path("state"))
            .output();
    }
}

#[test]
fn a_state_below_a_file() {
    let folder = folder().file("state", "");
    folder.run(["run", "x"]).says(
        2,
        &["error: cannot create ", "/state/locks: Not a directory"],
    );
}

#[test]
fn a_state_on_a_read_only_file_system() {
    let folder = folder();
    let Some(mount) = Mount::new(&folder, "size=1m") else {
        return;
    };
    folder.run(["run", "x"]).is(0, "a\n", "");
    assert!(mount.with("remount,ro"));
    folder
        .run(["run", "x"])
        .says(2, &["error: ", "state", "hint: "]);
    folder
        .run(["history"])
        .says(2, &["error: ", "state", "hint: "]);
}

#[test]
fn a_full_disk() {
    let folder = folder();
    let Some(_mount) = Mount::new(&folder, "size=1m") else {
        return;
    };
    folder.run(["run", "x"]).is(0, "a\n", "");
    let mut room = 1 << 20;
    // As much as fits, in ever smaller pieces.
    for piece in 0.. {
        if room < 512 {
            break;
        }
        if fs::write(folder.path(&format!("state/filler{piece}")), vec![1; room]).is_err() {
            room /= 2;
        }
    }
    folder
        .run(["run", "x"])
        .says(2, &["error: ", "full", "hint: free some space"]);
    for piece in 0.. {
        if fs::remove_file(folder.path(&format!("state/filler{piece}"))).is_err() {
            break;
        }
    }
    folder.run(["run", "x"]).prints(&["a\n"]);
}

#[test]
fn a_disk_too_small_to_begin_on() {
    let folder = folder();
    let Some(_mount) = Mount::new(&folder, "size=16k") else {
        return;
    };
    folder
        .run(["run", "x"])
        .says(2, &["error: ", "full", "hint: free some space"]);
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let folder = folder();
    folder.run(["run", "x"]).is(0, "a\n", "");
    let database = rusqlite::Connection::open(folder.path("state/reveille.db")).expect("it opens");
    database
        .pragma_update(None, "user_version", 999)
        .expect("it is written");
    drop(database);
    for words in [
        ["run", "x"].as_slice(),
        &["history"],
        &["show"],
        &["plan", "x"],
    ] {
        let refused = folder.run_with(words, "", &[]);
        refused.says(
            2,
            &["has schema version 999", "hint: run the newer `reveille`"],
        );
    }
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let folder = folder().file("state/.keep", "");
    let database = rusqlite::Connection::open(folder.path("state/reveille.db")).expect("it opens");
    database
        .execute_batch("CREATE TABLE theirs (a)")
        .expect("it is written");
    drop(database);
    folder
        .run(["run", "x"])
        .says(2, &["is a SQLite database of another program", "hint: "]);
}

#[test]
fn a_damaged_database_is_set_aside_and_said() {
    let folder = folder().file("state/reveille.db", "nonsense".repeat(1000));
    let ran = folder.run(["run", "x"]);
    ran.says(
        0,
        &[
            "warning: ",
            "the database was damaged",
            "state/reveille.db.damaged-",
            "a new one was begun",
        ],
    );
    assert_eq!(ran.stdout, "a\n");
    let kept = fs::read_dir(folder.path("state")).expect("the state");
    let kept = kept.filter(|entry| {
        let path = entry.as_ref().expect("an entry").path();
        fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"nonsense"))
    });
    assert_eq!(kept.count(), 1, "its bytes are kept");
    folder.run(["run", "x"]).is(0, "a\n", "");
}
