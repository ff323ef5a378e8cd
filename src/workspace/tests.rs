use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use tempfile::TempDir;

use super::*;

/// A workspace beside a folder that must stay as it is.
struct House {
    root: TempDir,
    workspace: Workspace,
}

fn house() -> House {
    let root = tempfile::tempdir().expect("a folder");
    let workspace = Workspace::new(root.path().join("work"));
    fs::create_dir_all(root.path().join("work/inner")).expect("made");
    fs::create_dir(root.path().join("outside")).expect("made");
    fs::write(root.path().join("outside/secret"), "secret").expect("written");
    House { root, workspace }
}

impl House {
    fn link(&self, name: &str, target: impl AsRef<Path>) {
        symlink(target, self.root.path().join("work").join(name)).expect("linked");
    }

    fn outside(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.path().join("outside")).expect("read");
        entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("a name")
            })
            .collect()
    }
}

#[test]
fn what_is_written_is_read() {
    let house = house();
    let work = &house.workspace;
    work.write("a.txt", b"one").expect("written");
    work.write("a.txt", b"two").expect("replaced");
    work.append("a.txt", b" three").expect("appended");
    assert_eq!(work.read("a.txt", 9).expect("read"), b"two three");
    work.write("new/deep/b.txt", b"").expect("written");
    work.append("new/other/c.txt", b"c").expect("written");
    assert_eq!(work.read("./new//deep/b.txt", 0).expect("read"), b"");
    assert_eq!(work.read("new/other/c.txt", 100).expect("read"), b"c");
    let names: Vec<_> = fs::read_dir(work.folder()).expect("read").collect();
    assert_eq!(names.len(), 3, "no temporary file stays: {names:?}");
}

#[test]
fn sizes_and_modes_are_kept() {
    let house = house();
    let work = &house.workspace;
    work.write("a", b"12345").expect("written");
    let error = work.read("a", 4).expect_err("too large");
    assert_eq!(error.to_string(), "`a` has more than 4 bytes");
    let file = work.folder().join("a");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("set");
    work.write("a", b"new").expect("written");
    let mode = fs::metadata(&file).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let name = "n".repeat(255);
    work.write(&name, b"long")
        .expect("a name may fill its 255 bytes");
}

#[test]
fn what_is_made_inside_is_the_owners_alone_and_outside_as_usual() {
    let root = tempfile::tempdir().expect("a folder");
    let work = Workspace::new(root.path().join("work"));
    work.write("in/a", b"a").expect("written");
    work.append("in/b", b"b").expect("written");
    let outside = root.path().join("c").to_string_lossy().into_owned();
    work.deliver(&outside, b"c", Put::Append).expect("written");
    let modes = ["work", "work/in", "work/in/a", "work/in/b"].map(|path| {
        let metadata = fs::metadata(root.path().join(path)).expect("there");
        metadata.permissions().mode() & 0o777
    });
    assert_eq!(modes, [0o700, 0o700, 0o600, 0o600]);
    let usual = root.path().join("usual");
    fs::write(&usual, "").expect("written");
    let readers = [Path::new(&outside), &usual]
        .map(|path| fs::metadata(path).expect("there").permissions().mode() & 0o044);
    assert_eq!(readers[0], readers[1]);
}

#[test]
fn every_way_out_is_refused() {
    let house = house();
    let secret = house.root.path().join("outside/secret");
    house.link("out", "../outside");
    house.link("file", "../outside/secret");
    house.link("absolute", &secret);
    house.link("root", "/");
    house.link("dangling", "../outside/new");
    house.link("circle", "circle");
    house.link("chain", "file");
    house.link("inner/up", "../../outside");
    house.link("proc", "/proc/self/root");
    house.link("descriptor", "/proc/self/cwd");
    let absolute = secret.to_string_lossy().into_owned();
    let rules = [
        ("", Rule::Empty),
        (".", Rule::Empty),
        ("./", Rule::Empty),
        (absolute.as_str(), Rule::Absolute),
        ("//etc/passwd", Rule::Absolute),
        ("..", Rule::Parent),
        ("../outside/secret", Rule::Parent),
        ("inner/../../outside/secret", Rule::Parent),
        ("./../outside/secret", Rule::Parent),
        ("inner/..", Rule::Parent),
        ("a\0b", Rule::Nul),
        ("inner/", Rule::NotAFile),
        ("inner", Rule::NotAFile),
        ("out/secret", Rule::Leaves),
        ("out/new", Rule::Leaves),
        ("inner/up/secret", Rule::Leaves),
        ("root/etc/passwd", Rule::Leaves),
        ("proc/etc/passwd", Rule::Leaves),
        ("descriptor/Cargo.toml", Rule::Leaves),
        ("circle/a", Rule::Leaves),
    ];
    for (path, expected) in rules {
        let results = [
            house.workspace.read(path, 100).map(drop),
            house.workspace.write(path, b"changed"),
            house.workspace.append(path, b"changed"),
        ];
        for result in results {
            match result {
                Err(WorkspaceError::Refused { rule, .. }) => assert_eq!(rule, expected, "{path}"),
                other => panic!("{path}: {other:?}"),
            }
        }
    }
    for path in ["file", "absolute", "dangling", "circle", "chain"] {
        assert!(house.workspace.read(path, 100).is_err(), "{path}");
        for result in [
            house.workspace.write(path, b"x"),
            house.workspace.append(path, b"x"),
        ] {
            let refused = matches!(
                result,
                Err(WorkspaceError::Refused {
                    rule: Rule::Link,
                    ..
                })
            );
            assert!(refused, "{path}: {result:?}");
        }
    }
    assert_eq!(house.outside(), ["secret"]);
    assert_eq!(fs::read(secret).expect("read"), b"secret");
}

#[test]
fn links_within_the_workspace_are_followed_on_the_way() {
    let house = house();
    house.link("to", "inner");
    house.workspace.write("to/a", b"a").expect("written");
    house.link("b", "inner/a");
    assert_eq!(house.workspace.read("b", 9).expect("read"), b"a");
}

#[test]
fn a_kernel_without_openat2_follows_no_link() {
    let house = house();
    house.link("out", "../outside");
    house.link("file", "../outside/secret");
    house.workspace.write("inner/a", b"a").expect("written");
    let root = house.workspace.root().expect("open");
    let open = |path: &str| beneath::open_without_links(&root, Path::new(path), OFlags::RDONLY);
    assert!(open("inner/a").is_ok());
    for path in ["out/secret", "file"] {
        let error = open(path).expect_err("refused");
        let error = fault("read", path, error);
        assert!(
            matches!(
                error,
                WorkspaceError::Refused {
                    rule: Rule::Leaves,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn a_folder_swapped_for_a_link_leads_nowhere() {
    use rustix::fs::{RenameFlags, renameat_with};
    let house = house();
    house.link("swap", "../outside");
    let root = open_folder(house.workspace.folder()).expect("open");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                renameat_with(&root, "swap", &root, "inner", RenameFlags::EXCHANGE)
                    .expect("swapped");
            }
        });
        for _ in 0..1_000 {
            let _ = house.workspace.write("inner/a", b"a");
            let _ = house.workspace.append("swap/b", b"b");
            if let Ok(bytes) = house.workspace.read("inner/secret", 100) {
                assert_ne!(bytes, b"secret");
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(house.outside(), ["secret"]);
}

#[test]
fn pipes_and_devices_neither_hang_nor_answer() {
    let house = house();
    let pipe = house.workspace.folder().join("pipe");
    rustix::fs::mkfifoat(CWD, &pipe, 0o600.into()).expect("a pipe");
    let results = [
        house.workspace.read("pipe", 9).map(drop),
        house.workspace.write("pipe", b"x"),
        house.workspace.append("pipe", b"x"),
    ];
    for result in results {
        let refused = matches!(
            result,
            Err(WorkspaceError::Refused {
                rule: Rule::NotAFile,
                ..
            })
        );
        assert!(refused, "{result:?}");
    }
}

#[test]
fn the_owner_may_deliver_anywhere() {
    let house = house();
    let target = house.root.path().join("far/away/report.txt");
    let path = target.to_str().expect("UTF-8");
    house
        .workspace
        .deliver(path, b"one\n", Put::Replace)
        .expect("written");
    house
        .workspace
        .deliver(path, b"two\n", Put::Append)
        .expect("appended");
    assert_eq!(fs::read_to_string(&target).expect("read"), "one\ntwo\n");
    house
        .workspace
        .deliver("here.txt", b"x", Put::Append)
        .expect("written");
    assert_eq!(house.workspace.read("here.txt", 1).expect("read"), b"x");
    assert!(
        house
            .workspace
            .deliver("../out.txt", b"x", Put::Replace)
            .is_err()
    );
    assert!(house.workspace.deliver("/", b"x", Put::Replace).is_err());
    let link = house.root.path().join("link");
    symlink(&target, &link).expect("linked");
    let path = link.to_str().expect("UTF-8");
    house
        .workspace
        .deliver(path, b"new", Put::Replace)
        .expect("written");
    assert_eq!(fs::read_to_string(&target).expect("read"), "new");
}

/// Runs [`on_a_full_disk`] in a mount namespace of its own, with 64 KiB of disk.
#[test]
fn a_full_disk_leaves_the_old_content() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "mount -t tmpfs -o size=64k none \"$1\" || exit 77
        exec \"$2\" --exact workspace::tests::on_a_full_disk --ignored";
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe().expect("this test"))
        .env("REVEILLE_FULL_DISK", folder.path())
        .output()
        .expect("unshare runs");
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.code() == Some(77) || text.is_empty() {
        eprintln!("skipped: no user namespaces here");
        return;
    }
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "run by a_full_disk_leaves_the_old_content"]
fn on_a_full_disk() {
    let folder = std::env::var("REVEILLE_FULL_DISK").expect("set by the other test");
    let work = Workspace::new(folder);
    work.write("a", b"old").expect("it fits");
    work.write("log", b"line\n").expect("it fits");
    let large = vec![b'x'; 100_000];
    assert!(work.write("a", &large).is_err());
    assert!(work.append("log", &large).is_err());
    assert_eq!(work.read("a", 9).expect("read"), b"old");
    assert_eq!(work.read("log", 9).expect("read"), b"line\n");
    let files = fs::read_dir(work.folder()).expect("read").count();
    assert_eq!(files, 2, "no temporary file stays");
}
