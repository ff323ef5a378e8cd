//! What a daemon leaves behind in its process: nothing.

use std::path::Path;

use super::Home;
use crate::engine::{Daemon, Engine};
use crate::store::lock::ProcessLock;
use crate::store::{Mode, Store};

/// How many files below a folder this process has open.
fn open_below(folder: &Path) -> usize {
    let files = std::fs::read_dir("/proc/self/fd").unwrap();
    let places = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    places.filter(|place| place.starts_with(folder)).count()
}

#[tokio::test]
async fn the_store_is_closed_when_a_daemon_and_its_clones_are_gone() {
    let home = Home::with("[[step]]\nset = { a = \"1\" }\n");
    let state = home.path().join("other");
    let lock = ProcessLock::acquire(&state, uuid::Uuid::now_v7()).unwrap();
    let store = Store::open(&state, home.clock.clone(), Mode::Inline).unwrap();
    let engine = Engine {
        store: store.store,
        lock: lock.name().to_owned(),
        state: state.clone(),
        ..home.engine.clone()
    };
    let daemon = Daemon::start(engine).await.unwrap();
    let (intake, outbox) = (daemon.intake.clone(), daemon.outbox.clone());
    let alerts = daemon.alerts.clone();
    daemon.stop().await;
    drop((outbox, alerts));
    assert!(open_below(&state) > 0, "the way into it holds it");
    drop((intake, lock));
    assert_eq!(open_below(&state), 0);
}
