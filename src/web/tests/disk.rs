//! A full disk under the store.

use std::process::Command;

use super::*;

fn mount(arguments: &[&str]) -> bool {
    let mounted = Command::new("mount").args(arguments).output();
    mounted.is_ok_and(|output| output.status.success())
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_taken_and_the_sender_is_told_to_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let at = state.display().to_string();
    if !mount(&["-t", "tmpfs", "-o", "size=2m", "tmpfs", &at]) {
        eprintln!("SKIPPED: this test mounts a small tmpfs, and may not");
        return;
    }
    let site = Site::on(folder, &[("front", "door", "")]).await;
    let id = ["Idempotency-Key: one"];
    let filler = state.join("filler");
    let full = std::fs::write(&filler, vec![0; 4 << 20]);
    assert!(full.is_err(), "2 MiB hold 4");
    let (status, head, _) = site.send(&request("door", &id, &"x".repeat(100_000))).await;
    assert_eq!(status, 503);
    assert!(head.contains("retry-after: 30"), "{head}");
    std::fs::remove_file(&filler).unwrap();
    assert_eq!(site.post("door", &id, "").await.0, 202);
    assert_eq!(site.events().len(), 1);
    let _ = Command::new("umount").arg("--lazy").arg(&state).status();
}
