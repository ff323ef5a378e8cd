//! A disk that is full when a delivery is to be confirmed.

use std::io::Write;
use std::process::Command;

use super::*;

/// A small file system of its own, unmounted when dropped.
struct Disk(TempDir);

impl Disk {
    fn mount(options: &str) -> Option<Self> {
        let at = tempfile::tempdir().unwrap();
        if run(&["mount", "-t", "tmpfs", "-o", options, "tmpfs"], &at) {
            return Some(Disk(at));
        }
        eprintln!("SKIPPED: this test mounts a small tmpfs, and may not");
        None
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run(&["umount", "--lazy"], &self.0);
    }
}

fn run(command: &[&str], at: &TempDir) -> bool {
    let mut process = Command::new(command[0]);
    let ended = process.args(&command[1..]).arg(at.path()).output();
    ended.is_ok_and(|output| output.status.success())
}

#[tokio::test]
async fn a_delivery_that_cannot_be_confirmed_is_confirmed_when_it_can_and_sent_once() {
    let Some(disk) = Disk::mount("size=4m") else {
        return;
    };
    let sink = Sink::answering(&[OK]).await;
    let folder = tempfile::tempdir_in(disk.0.path()).unwrap();
    let clock = Arc::new(TestClock::at(at("2026-11-20T06:00:00Z")));
    let home = Home::at(folder, clock, "");
    let committed = home.commit(posts(&sink, &["a", "b"])).await;
    let outbox = home.start_on_full_disk(&disk, committed.clone()).await;
    sink.bodies(1).await;
    // The commit fails, and waits for its next try; the second message is not begun.
    for wait in [1, 2, 4] {
        home.pass(1, Duration::from_secs(wait)).await;
    }
    home.clock.sleeping(1).await;
    assert_eq!(sink.seen().len(), 1);
    std::fs::remove_file(disk.0.path().join("ballast")).unwrap();
    home.clock.advance(Duration::from_secs(8));
    assert_eq!(sink.bodies(2).await, ["a", "b"]);
    settled(&outbox, 2).await;
    let ids: Vec<_> = committed.iter().map(|(id, _)| *id).collect();
    assert_eq!(home.words(&ids), ["sent", "sent"]);
    assert_eq!(sink.seen().len(), 2);
}

impl Home {
    /// Starts, fills the disk to its last byte, and offers.
    async fn start_on_full_disk(
        &self,
        disk: &Disk,
        committed: Vec<(DeliveryId, NewDelivery)>,
    ) -> Outbox {
        self.engine.store.tidy().unwrap();
        let outbox = self.start().await;
        let mut ballast = std::fs::File::create(disk.0.path().join("ballast")).unwrap();
        while ballast.write_all(&[0; 4096]).is_ok() {}
        outbox.offer(committed);
        outbox
    }
}
