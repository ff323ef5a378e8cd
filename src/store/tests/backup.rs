use std::fs;
use std::sync::mpsc;

use super::crash::integrity;
use super::*;

#[tokio::test]
async fn a_backup_made_while_others_write_is_whole_and_opens() {
    let home = Home::new();
    for _ in 0..50 {
        let run = home.accept("job").await;
        home.finish(run, Outcome::Ok).await.unwrap();
    }
    let target = tempfile::tempdir().unwrap();
    let file = target.path().join(FILE);
    let (done, ended) = mpsc::channel::<()>();
    let (store, at) = (home.store.clone(), file.clone());
    let backing_up = std::thread::spawn(move || {
        let made = store.backup(&at);
        drop(done);
        made
    });
    let mut written = 50;
    while ended.try_recv() == Err(mpsc::TryRecvError::Empty) {
        home.accept("job").await;
        written += 1;
    }
    backing_up.join().unwrap().unwrap();

    let names: Vec<_> = fs::read_dir(target.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, [FILE], "one file and nothing beside it");
    let copy = reopen(target.path()).unwrap().store;
    let kept = copy.read_now(|reader| reader.active()).unwrap().len() + 50;
    assert!((50..=written).contains(&kept), "{kept} of {written}");
    assert_eq!(integrity(target.path()), "ok");
    assert_eq!(integrity(home.path()), "ok");
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_leaves_nothing_when_it_fails() {
    let home = Home::new();
    home.accept("job").await;
    let target = tempfile::tempdir().unwrap();
    let file = target.path().join("there");
    fs::write(&file, "precious").unwrap();
    assert_eq!(
        home.store.backup(&file),
        Err(StoreError::Exists(file.clone()))
    );
    assert_eq!(fs::read(&file).unwrap(), b"precious");

    let nowhere = target.path().join("no-such-folder/file");
    let failed = home.store.backup(&nowhere);
    assert!(
        matches!(
            failed,
            Err(StoreError::File {
                doing: "create",
                ..
            })
        ),
        "{failed:?}"
    );

    home.store.tidy().unwrap();
    let path = home.path().join(FILE);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let damaged = home.store.backup(&target.path().join("copy"));
    assert!(
        matches!(damaged, Err(StoreError::Damaged(_))),
        "{damaged:?}"
    );
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 1);
}
