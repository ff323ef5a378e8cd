use std::io::Read;

use super::child::Process;
use super::*;
use crate::store::lock::{LockError, ProcessLock, daemon, daemon_pid, is_free};

/// The child's part: holds the daemon's lock and one of its own until its stdin ends.
pub(super) fn hold(folder: &Path) {
    let _daemon = daemon(folder).unwrap();
    let lock = ProcessLock::acquire(folder, new_id()).unwrap();
    println!("@{}", lock.name());
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn a_second_daemon_is_told_of_the_first_and_a_clean_end_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start("hold", folder.path());
    let name = process.says().unwrap();
    let pid = process.pid();
    assert_eq!(daemon(folder.path()).unwrap_err(), LockError::Held { pid });
    assert_eq!(daemon_pid(folder.path()), Some(pid));
    assert!(!is_free(folder.path(), &name));
    assert_eq!(lock::orphans(folder.path()), [] as [PathBuf; 0]);
    process.end();
    assert!(is_free(folder.path(), &name));
    assert_eq!(daemon_pid(folder.path()), None);
    assert_eq!(
        std::fs::read_dir(folder.path().join("locks"))
            .unwrap()
            .count(),
        0
    );
    daemon(folder.path()).unwrap();
}

#[tokio::test]
async fn a_killed_process_leaves_a_free_lock_which_a_good_check_sweeps() {
    let home = Home::new();
    let mut process = Process::start("hold", home.path());
    let name = process.says().unwrap();
    let start = Start::RunningBy(name.clone());
    let live = home
        .store
        .accept(&event("job", None), "h", start)
        .await
        .unwrap()
        .run();
    assert_eq!(home.store.recover().await.unwrap(), []);
    assert_eq!(
        reopen(home.path()).unwrap().store.check_state(),
        CheckState::NotNeeded
    );

    process.kill();
    assert!(is_free(home.path(), &name));
    let orphans = home.store.recover().await.unwrap();
    assert_eq!(orphans.len(), 1);
    assert_eq!((orphans[0].story.row.run, &orphans[0].owner), (live, &name));
    let own = ProcessLock::acquire(home.path(), new_id()).unwrap();
    let opened = reopen(home.path()).unwrap();
    assert_eq!(opened.store.check_ended().await, CheckState::Passed);
    assert_eq!(lock::orphans(home.path()), [] as [PathBuf; 0]);
    assert!(
        !is_free(home.path(), own.name()),
        "a sweep leaves live locks alone"
    );
    drop(daemon(home.path()).unwrap());
}

#[tokio::test]
async fn an_orphan_has_one_heir_and_tells_what_was_under_way() {
    let home = Home::new();
    let run = home.accept("job").await;
    let steps = vec![step(0, "done"), step(1, "started")];
    home.store
        .record(RunUpdate {
            steps,
            ..RunUpdate::of(run)
        })
        .await
        .unwrap();
    let orphan = home.store.recover().await.unwrap().pop().unwrap();
    assert_eq!(orphan.story.under_way(), Some(&step(1, "started")));
    assert_eq!(orphan.story.steps[0], step(0, "done"));
    home.store.adopt(&orphan, "heir").await.unwrap();
    assert_eq!(
        home.store.adopt(&orphan, "other").await,
        Err(StoreError::Taken(run))
    );
    let interrupted = Outcome::Interrupted("power".to_owned());
    let end = RunUpdate {
        state: Some(RunState::Finished(interrupted.clone())),
        news: Some(failed("sorry")),
        ..RunUpdate::of(run)
    };
    let late = home.store.interrupt(&orphan, end.clone()).await;
    assert_eq!(late, Err(StoreError::Taken(run)));
    let row = home.story(run).row;
    assert_eq!((row.owner.as_deref(), row.attempt), (Some("heir"), 2));

    let orphan = home.store.recover().await.unwrap().pop().unwrap();
    let recorded = home.store.interrupt(&orphan, end).await.unwrap();
    let story = home.story(run);
    assert_eq!(story.row.state, RunState::Finished(interrupted));
    assert_eq!(recorded.told.len(), 1);
    assert_eq!(home.store.recover().await.unwrap(), []);
}

#[test]
fn the_state_folder_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().expect("a folder");
    let state = root.path().join("new/state");
    super::super::lock::prepare(&state).expect("made");
    let mode = std::fs::metadata(&state)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn what_cannot_be_found_out_is_not_free() {
    let folder = tempfile::tempdir().unwrap();
    let own = ProcessLock::acquire(folder.path(), new_id()).unwrap();
    assert!(is_free(folder.path(), "never-taken"));
    // A link to itself cannot be opened: what it stands for may be held.
    let odd = folder.path().join("locks/odd");
    std::os::unix::fs::symlink("odd", &odd).unwrap();
    assert!(!is_free(folder.path(), "odd"));
    assert_eq!(lock::orphans(folder.path()), [] as [PathBuf; 0]);
    assert_eq!(lock::other(folder.path()), Some(0));
    drop(own);
}

#[test]
fn who_only_looks_is_not_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    daemon_pid(path);
                }
            });
        }
        let refused = (0..2_000).find_map(|_| daemon(path).err());
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(refused, None);
    });
}

#[tokio::test]
async fn the_database_its_log_and_its_copies_are_the_owners_alone_in_a_folder_of_all() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let open_to_all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(home.path(), open_to_all).unwrap();
    home.accept("job").await;
    home.store.backup(&home.path().join("copy.db")).unwrap();
    for name in ["reveille.db", "reveille.db-wal", "copy.db"] {
        let metadata = std::fs::metadata(home.path().join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
}
