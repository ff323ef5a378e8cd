//! Disks that are full or cannot be written.

use std::fs;
use std::process::Command;

use super::child::Process;
use super::*;

/// A small file system of its own, unmounted when dropped.
struct Disk {
    at: TempDir,
}

impl Disk {
    /// `None`, and said, where mounting is not permitted.
    fn mount(size: &str) -> Option<Disk> {
        let at = tempfile::tempdir().unwrap();
        if mount(
            &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"],
            at.path(),
        ) {
            return Some(Disk { at });
        }
        eprintln!("SKIPPED: this test mounts a small tmpfs, and may not");
        None
    }

    fn remount(&self, option: &str) {
        let options = format!("remount,{option}");
        assert!(mount(&["-o", &options], self.at.path()));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.at.path())
            .status();
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    let mounted = Command::new("mount").args(arguments).arg(at).output();
    mounted.is_ok_and(|output| output.status.success())
}

fn big(run: RunId) -> RunUpdate {
    RunUpdate {
        deliveries: vec![message(&"x".repeat(40_000))],
        ..RunUpdate::of(run)
    }
}

/// The child's part: says of forty runs whether they were committed.
pub(super) async fn insist(folder: &Path) {
    let store = super::child::real_store(folder);
    for _ in 0..40 {
        let accepted = store.accept(&event("job", None), "h", Start::Queued).await;
        match accepted {
            Ok(accepted) => println!("@{}", accepted.run().0),
            Err(error) => println!("@error: {error}"),
        }
    }
}

#[test]
fn a_disk_that_fails_is_said_and_what_was_committed_before_and_after_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let inject = "inject=fsync,fdatasync:error=EIO:when=20..23";
    let Some(mut process) = Process::start_failing(inject, "insist", folder.path()) else {
        return;
    };
    let said: Vec<_> = std::iter::from_fn(|| process.says()).collect();
    process.end();
    let failed = |line: &&String| line.starts_with("error: the disk failed under the database");
    assert_eq!(said.iter().filter(failed).count(), 4, "{said:?}");
    let store = reopen(folder.path()).unwrap().store;
    let kept = store.read_now(|reader| reader.active()).unwrap();
    let kept: Vec<_> = kept.into_iter().map(|row| row.run.0.to_string()).collect();
    let told: Vec<_> = said
        .into_iter()
        .filter(|line| !line.contains("error"))
        .collect();
    assert_eq!(told, kept);
    assert_eq!(super::crash::integrity(folder.path()), "ok");
}

#[tokio::test]
async fn a_full_disk_is_said_loses_nothing_and_is_forgotten_when_there_is_space() {
    let Some(disk) = Disk::mount("2m") else {
        return;
    };
    let folder = disk.at.path();
    let store = reopen(folder).unwrap().store;
    let accepted = store.accept(&event("job", None), "h", Start::Queued).await;
    let run = accepted.unwrap().run();
    store.begin(run, "me").await.unwrap();
    let mut committed = 0;
    let failed = loop {
        match store.record(big(run)).await {
            Ok(_) => committed += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(failed, StoreError::Full);
    assert!(failed.hint().is_some());
    let kept = || {
        let story = store.read_now(|reader| reader.run(run)).unwrap();
        story.unwrap().deliveries.len()
    };
    assert_eq!(
        kept(),
        committed,
        "what was committed is there and readable"
    );

    disk.remount("size=8m");
    store.record(big(run)).await.unwrap();
    assert_eq!(kept(), committed + 1);
    assert_eq!(super::crash::integrity(folder), "ok");
}

#[tokio::test]
async fn a_read_only_disk_is_said_and_is_no_matter_once_it_can_be_written() {
    let Some(disk) = Disk::mount("8m") else {
        return;
    };
    let folder = disk.at.path();
    drop(reopen(folder).unwrap());
    disk.remount("ro");
    assert_eq!(
        reopen(folder).unwrap_err(),
        StoreError::ReadOnly(folder.to_path_buf())
    );
    disk.remount("rw");
    let store = reopen(folder).unwrap().store;
    store
        .remember(vec![(key("a"), Some(json!(1)))])
        .await
        .unwrap();
}

#[test]
fn a_folder_without_space_for_a_database_gets_none() {
    let Some(disk) = Disk::mount("16k") else {
        return;
    };
    assert_eq!(reopen(disk.at.path()).unwrap_err(), StoreError::Full);
    let names = fs::read_dir(disk.at.path()).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        names
            .iter()
            .all(|name| !name.to_string_lossy().contains(FILE)),
        "{names:?}"
    );
    disk.remount("size=8m");
    reopen(disk.at.path()).unwrap();
}

#[test]
fn a_folder_that_cannot_be_is_said() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let refused = reopen(&file).unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::File {
                doing: "create",
                ..
            }
        ),
        "{refused:?}"
    );
}
