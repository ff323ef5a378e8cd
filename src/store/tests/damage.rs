use std::fs;

use rusqlite::Connection;

use super::*;

/// A folder whose database holds a few hundred runs and no log.
async fn filled() -> TempDir {
    let home = Home::new();
    for _ in 0..300 {
        let run = home.accept("job").await;
        let mut update = finished(run, Outcome::Ok);
        update.steps = vec![step(0, "done")];
        home.store.record(update).await.unwrap();
    }
    home.store.tidy().unwrap();
    let Home { folder, store, .. } = home;
    drop(store);
    folder
}

fn flip(folder: &Path, range: std::ops::Range<usize>) {
    let path = folder.join(FILE);
    let mut bytes = fs::read(&path).unwrap();
    for byte in &mut bytes[range] {
        *byte = !*byte;
    }
    fs::write(&path, bytes).unwrap();
}

fn check_set_aside(folder: &Path, before: &[u8]) {
    let opened = reopen(folder).unwrap();
    let [Notice::SetAside { file, why }] = opened.notices.as_slice() else {
        panic!("no notice: {:?}", opened.notices);
    };
    assert_eq!(
        file.file_name().unwrap(),
        "reveille.db.damaged-20270115T080000Z"
    );
    assert!(!why.is_empty());
    assert_eq!(fs::read(file).unwrap(), before, "nothing of it is lost");
    let runs = opened.store.read_now(|reader| reader.active()).unwrap();
    assert_eq!(runs, []);
    assert_eq!(reopen(folder).unwrap().notices, [], "said once");
}

#[tokio::test]
async fn a_damaged_header_is_set_aside_at_once() {
    for range in [0..16, 100..200] {
        let folder = filled().await;
        flip(folder.path(), range);
        let before = fs::read(folder.path().join(FILE)).unwrap();
        check_set_aside(folder.path(), &before);
    }
}

#[test]
fn a_file_that_is_no_database_is_set_aside() {
    for content in [
        "",
        "not a database at all, but long enough to be read as a header of a hundred bytes, or so it seems to me",
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), content).unwrap();
        check_set_aside(folder.path(), content.as_bytes());
    }
}

#[test]
fn a_log_without_its_database_is_not_played_into_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("reveille.db-wal"), "log").unwrap();
    let opened = reopen(folder.path()).unwrap();
    let [Notice::SetAside { file, .. }] = opened.notices.as_slice() else {
        panic!("no notice");
    };
    assert_eq!(fs::read(open::with_suffix(file, "-wal")).unwrap(), b"log");
}

#[tokio::test]
async fn damage_inside_is_found_beside_the_start_after_an_unclean_stop() {
    let folder = filled().await;
    let length = fs::metadata(folder.path().join(FILE)).unwrap().len() as usize;
    // Where rows are: what is in front of them holds the schema, and is looked at when the file is opened.
    flip(folder.path(), length / 4096 / 4 * 3 * 4096..length);
    let opened = reopen(folder.path()).unwrap();
    assert_eq!(opened.store.check_state(), CheckState::NotNeeded);
    drop(opened);

    fs::create_dir_all(folder.path().join("locks")).unwrap();
    fs::write(folder.path().join("locks/of-a-dead-process"), "1\n").unwrap();
    let opened = reopen(folder.path()).unwrap();
    let end = opened.store.check_ended().await;
    assert!(matches!(end, CheckState::Damaged(_)), "{end:?}");
    assert!(
        !lock::orphans(folder.path()).is_empty(),
        "a bad end sweeps nothing"
    );
    drop(opened);
    let before = fs::read(folder.path().join(FILE)).unwrap();
    check_set_aside(folder.path(), &before);
}

#[tokio::test]
async fn damage_that_a_read_meets_is_looked_into() {
    let folder = filled().await;
    let length = fs::metadata(folder.path().join(FILE)).unwrap().len() as usize;
    // Behind the pages of the schema, which every opening reads.
    flip(folder.path(), length / 4 * 3..length);
    let store = reopen(folder.path()).unwrap().store;
    let read = store.read_now(|reader| reader.run(RunId(299)));
    assert!(matches!(read, Err(StoreError::Damaged(_))), "{read:?}");
    let end = store.check_ended().await;
    assert!(matches!(end, CheckState::Damaged(_)), "{end:?}");
}

#[tokio::test]
async fn a_damaged_database_is_not_taken_from_under_a_live_process() {
    let folder = filled().await;
    let mut process = super::child::Process::start("hold", folder.path());
    process.says().unwrap();
    flip(folder.path(), 0..16);
    let pid = process.pid();
    let refused = reopen(folder.path()).unwrap_err();
    assert!(matches!(refused, StoreError::DamagedInUse { pid: found, .. } if found == pid));
    process.end();
    assert_eq!(reopen(folder.path()).unwrap().notices.len(), 1);
}

#[tokio::test]
async fn newer_and_foreign_files_are_refused_and_left_alone() {
    let newer = filled().await;
    let path = newer.path().join(FILE);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA user_version = 9999")
        .unwrap();
    drop(connection);
    check_refused(
        newer.path(),
        &StoreError::Newer {
            path,
            found: 9999,
            known: 4,
        },
    );

    let foreign = tempfile::tempdir().unwrap();
    let path = foreign.path().join(FILE);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE TABLE photos (id INTEGER)")
        .unwrap();
    drop(connection);
    check_refused(foreign.path(), &StoreError::Foreign(path));
}

fn check_refused(folder: &Path, error: &StoreError) {
    assert_eq!(reopen(folder).unwrap_err(), *error);
    assert!(error.hint().is_some());
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let aside = names.filter(|name| name.to_string_lossy().contains("damaged"));
    assert_eq!(aside.count(), 0);
}

#[test]
fn what_cannot_be_looked_at_is_not_missing_and_nothing_takes_its_place() {
    // A link to itself cannot be looked at; what a link to nowhere stood for may come back.
    for target in [FILE, "unmounted/reveille.db"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::os::unix::fs::symlink(target, &path).unwrap();
        let refused = reopen(folder.path()).unwrap_err();
        assert!(
            matches!(refused, StoreError::File { .. } | StoreError::Exists(_)),
            "{refused:?}"
        );
        assert_eq!(fs::read_link(&path).unwrap(), Path::new(target));
        assert!(!open::with_suffix(&path, ".new").exists());
    }
}

#[test]
fn a_setting_aside_that_was_cut_short_is_ended_under_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    fs::write(&path, "no database").unwrap();
    let aside = open::with_suffix(&path, ".damaged-20200101T000000Z");
    fs::write(open::with_suffix(&aside, "-wal"), "its log").unwrap();
    let Notice::SetAside { file, .. } = &reopen(folder.path()).unwrap().notices[0];
    assert_eq!(*file, aside);
    assert_eq!(fs::read(file).unwrap(), b"no database");

    // A log that was set aside alone is no half of what comes later.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    fs::write(open::with_suffix(&path, "-wal"), "log").unwrap();
    let first = reopen(folder.path()).unwrap().notices;
    fs::remove_file(open::with_suffix(&path, "-wal")).unwrap();
    fs::write(&path, "no database").unwrap();
    let second = reopen(folder.path()).unwrap().notices;
    let files = [first, second].map(|notices| {
        let Notice::SetAside { file, .. } = notices.into_iter().next().unwrap();
        file
    });
    assert_ne!(files[0], files[1]);
}
