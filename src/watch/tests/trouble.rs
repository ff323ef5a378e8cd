//! Overflows, limits, folders that cannot be read.

use std::process::{Command, Stdio};

use super::*;

#[tokio::test]
async fn an_overflow_is_answered_by_a_look_around() {
    let mut place = Place::new();
    fs::create_dir(place.path("in")).unwrap();
    place.watch(place.wanted("in/*")).await;
    // More than is kept of hints, and more than one look around tells at once.
    for number in 0..9_000 {
        fs::write(place.path(&format!("in/{number}")), "").unwrap();
    }
    let mut told = std::collections::BTreeSet::new();
    while told.len() < 9_000 {
        let offer = place.offer().await;
        assert!(told.insert(place.line(&offer.payload)));
        offer.receipt.accepted();
    }
    place.quiet("in/z").await;
}

#[tokio::test]
async fn lost_hints_are_made_good_by_the_scan_that_an_overflow_asks_for() {
    let hints = crate::watch::hints::Hints::default();
    let rescan = notify::Event::new(notify::EventKind::Other).set_flag(notify::event::Flag::Rescan);
    hints.hear(Ok(rescan));
    hints.heard().await;
    assert!(hints.take().overflowed);
    for number in 0..20_000 {
        let kind = notify::EventKind::Create(notify::event::CreateKind::File);
        let path = PathBuf::from(number.to_string());
        hints.hear(Ok(notify::Event::new(kind).add_path(path)));
    }
    let said = hints.take();
    assert!(said.overflowed && said.paths.len() <= 8192);
}

#[tokio::test]
async fn beyond_the_limit_files_are_looked_for_every_few_seconds() {
    let mut place = Place::with_limit(1);
    fs::create_dir(place.path("in")).unwrap();
    place.watch(place.wanted("in")).await;
    let notice = place.notice().await;
    assert!(
        notice.starts_with("1 folders are watched, and that is the most;"),
        "{notice}"
    );
    put(&place.path("in/a"), "one");
    place.clock.sleeping(1).await;
    place.clock.advance(Duration::from_secs(10));
    assert_eq!(place.next().await, line("in/a", "created", "one"));
    fs::remove_file(place.path("in/a")).unwrap();
    place.clock.sleeping(1).await;
    place.clock.advance(Duration::from_secs(10));
    assert_eq!(place.next().await, removed("in/a"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_is_a_notice_and_its_files_are_not_gone() {
    use std::os::unix::fs::PermissionsExt;
    let mut place = Place::new();
    place.write("in/a", "one");
    place.write("in/shut/b", "one");
    let mut wanted = place.wanted("in");
    wanted.below = Below::All;
    place.watch(wanted).await;
    fs::set_permissions(place.path("in/shut"), fs::Permissions::from_mode(0o0)).unwrap();
    if fs::read_dir(place.path("in/shut")).is_ok() {
        // Root reads everything.
        return;
    }
    let notice = place.notice().await;
    assert!(notice.contains("in/shut: Permission denied"), "{notice}");
    place.quiet("in/z").await;
    fs::set_permissions(place.path("in/shut"), fs::Permissions::from_mode(0o700)).unwrap();
    put(&place.path("in/shut/b"), "two");
    assert_eq!(place.next().await, line("in/shut/b", "changed", "two"));
}

/// A file system of its own in memory, unmounted when it goes; none where that is not allowed.
struct Mounted(PathBuf);

impl Mounted {
    fn at(path: &Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "reveille-test"]).arg(path);
        let done = done.stderr(Stdio::null()).status();
        done.is_ok_and(|status| status.success())
            .then(|| Mounted(path.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn files_of_a_mount_that_goes_are_not_gone_and_are_seen_when_it_comes() {
    let mut place = Place::new();
    fs::create_dir(place.path("usb")).unwrap();
    let Some(usb) = Mounted::at(&place.path("usb")) else {
        eprintln!("skipped: mounting is not allowed here");
        return;
    };
    place.write("usb/in/a", "one");
    place.watch(place.wanted("usb/in")).await;
    place.quiet("usb/in/y").await;
    drop(usb);
    let notice = place.notice().await;
    assert!(notice.starts_with("nothing is mounted at"), "{notice}");
    // A start without it makes no difference, for it is remembered.
    place.restart();
    place.watch(place.wanted("usb/in")).await;
    place.notice().await;
    let _usb = Mounted::at(&place.path("usb")).unwrap();
    // Another stick with the same folder, heard of by the mount alone.
    place.write("usb/in/b", "two");
    let mut told = vec![place.next().await, place.next().await, place.next().await];
    told.sort();
    let expected = [
        removed("usb/in/a"),
        line("usb/in/b", "created", "two"),
        removed("usb/in/y"),
    ];
    assert_eq!(told, expected);
    place.quiet("usb/in/z").await;
}
