//! Folders that come, go, move and are links.

use std::os::unix::fs::symlink;

use super::*;

fn recursive(place: &Place, path: &str) -> Wanted {
    let mut wanted = place.wanted(path);
    wanted.below = Below::All;
    wanted
}

#[tokio::test]
async fn a_path_that_is_not_there_yet_is_heard_of_when_it_is() {
    let mut place = Place::new();
    place.watch(place.wanted("a/b/c/file")).await;
    fs::create_dir_all(place.path("a/b/c")).unwrap();
    put(&place.path("a/b/c/file"), "one");
    assert_eq!(place.next().await, line("a/b/c/file", "created", "one"));
    fs::remove_dir_all(place.path("a")).unwrap();
    assert_eq!(place.next().await, removed("a/b/c/file"));
    place.write("a/b/c/file", "two");
    place.until("a/b/c/file", "two").await;
}

#[tokio::test]
async fn a_folder_that_moves_in_is_told_with_all_that_is_in_it_and_out_again() {
    let mut place = Place::new();
    fs::create_dir(place.path("in")).unwrap();
    place.watch(recursive(&place, "in")).await;
    place.write("made/x/deep/file", "one");
    fs::rename(place.path("made/x"), place.path("in/x")).unwrap();
    assert_eq!(place.next().await, line("in/x/deep/file", "created", "one"));
    put(&place.path("in/x/deep/more"), "two");
    assert_eq!(place.next().await, line("in/x/deep/more", "created", "two"));
    fs::rename(place.path("in/x/deep"), place.path("in/x/other")).unwrap();
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(place.next().await);
    }
    told.sort();
    let expected = [
        removed("in/x/deep/file"),
        removed("in/x/deep/more"),
        line("in/x/other/file", "created", "one"),
        line("in/x/other/more", "created", "two"),
    ];
    assert_eq!(told, expected);
    // The folder is heard under its new name only.
    put(&place.path("in/x/other/more"), "three");
    assert_eq!(
        place.next().await,
        line("in/x/other/more", "changed", "three")
    );
}

#[tokio::test]
async fn deep_folders_made_at_once_hide_no_file() {
    let mut place = Place::new();
    fs::create_dir(place.path("in")).unwrap();
    place.watch(recursive(&place, "in/**/*.csv")).await;
    for number in 0..50 {
        place.write(&format!("in/{number}/a/b/c/x.csv"), "x");
        place.write(&format!("in/{number}/a/x.txt"), "x");
    }
    let mut told = std::collections::BTreeSet::new();
    while told.len() < 50 {
        let (name, _, content) = place.next().await;
        if content.as_deref() == Some("x") {
            told.insert(name);
        }
    }
}

#[tokio::test]
async fn a_folder_that_is_made_anew_is_watched_anew() {
    let mut place = Place::new();
    place.write("in/a", "one");
    place.watch(place.wanted("in")).await;
    for _ in 0..5 {
        fs::remove_dir_all(place.path("in")).unwrap();
        fs::create_dir(place.path("in")).unwrap();
    }
    put(&place.path("in/b"), "two");
    let mut told = vec![place.next().await, place.next().await];
    told.sort();
    assert_eq!(told, [removed("in/a"), line("in/b", "created", "two")]);
    place.quiet("in/z").await;
}

#[tokio::test]
async fn an_ancestor_that_is_swapped_is_noticed() {
    let mut place = Place::new();
    place.write("now/data/x", "one");
    place.write("next/data/x", "second");
    place.watch(place.wanted("now/data")).await;
    fs::rename(place.path("now"), place.path("old")).unwrap();
    fs::rename(place.path("next"), place.path("now")).unwrap();
    let told = place.until("now/data/x", "second").await;
    assert!(told.len() <= 2, "{told:?}");
    put(&place.path("now/data/x"), "third");
    assert_eq!(place.next().await, line("now/data/x", "changed", "third"));
    // What moved away is not ours any more.
    put(&place.path("old/data/x"), "elsewhere");
    place.quiet("now/data/z").await;
}

#[tokio::test]
async fn the_path_that_is_given_may_lead_over_links() {
    let mut place = Place::new();
    place.write("one/x", "1");
    place.write("two/x", "second");
    symlink(place.path("one"), place.path("current")).unwrap();
    symlink(place.path("one/x"), place.path("link")).unwrap();
    let mut linked = place.wanted("link");
    linked.trigger = "link".to_owned();
    place.watch_all(vec![place.wanted("current"), linked]).await;
    put(&place.path("one/x"), "changed");
    let mut told = vec![place.next().await, place.next().await];
    told.sort();
    let expected = [
        line("current/x", "changed", "changed"),
        line("link", "changed", "changed"),
    ];
    assert_eq!(told, expected);
    symlink(place.path("two"), place.path("new")).unwrap();
    fs::rename(place.path("new"), place.path("current")).unwrap();
    assert_eq!(place.next().await, line("current/x", "changed", "second"));
    put(&place.path("two/y"), "y");
    assert_eq!(place.next().await, line("current/y", "created", "y"));
}

#[tokio::test]
async fn links_within_a_folder_are_not_entered() {
    let mut place = Place::new();
    place.write("out/x", "one");
    fs::create_dir(place.path("in")).unwrap();
    symlink(place.path("in"), place.path("in/loop")).unwrap();
    symlink(place.path("out"), place.path("in/out")).unwrap();
    place.watch(recursive(&place, "in")).await;
    put(&place.path("out/y"), "two");
    place.quiet("in/z").await;
}

#[tokio::test]
async fn a_folder_is_watched_once_for_all_who_want_it() {
    let mut place = Place::new();
    fs::create_dir(place.path("in")).unwrap();
    let wanted = ["in", "in/*", "in/a"].map(|path| {
        let mut wanted = place.wanted(path);
        wanted.trigger = path.to_owned();
        wanted
    });
    place.watch_all(wanted.to_vec()).await;
    put(&place.path("in/a"), "one");
    for _ in 0..3 {
        assert_eq!(place.next().await, line("in/a", "created", "one"));
    }
    place.watch_all(wanted[2..].to_vec()).await;
    put(&place.path("in/b"), "two");
    put(&place.path("in/a"), "two");
    assert_eq!(place.next().await, line("in/a", "changed", "two"));
}

#[tokio::test]
async fn each_folder_takes_one_watch_and_gives_it_back() {
    use crate::watch::folders::Folders;
    use crate::watch::ground::Ground;
    use crate::watch::hints::Ear;
    let place = Place::new();
    fs::create_dir(place.path("in")).unwrap();
    symlink(place.path("in"), place.path("link")).unwrap();
    let mut folders = Folders::new(Arc::default(), 8);
    for (owner, path) in [(1, "in"), (2, "in"), (3, "link")] {
        let path = place.path(path);
        folders
            .watch(
                &path,
                Ground::of(&path).unwrap(),
                Ear::Everything,
                (owner, 1),
            )
            .unwrap();
    }
    assert_eq!(folders.len(), 1);
    assert_eq!(
        folders
            .ways_to(
                &place
                    .path("in/x")
                    .canonicalize()
                    .unwrap_or(place.path("in/x"))
            )
            .len(),
        2
    );
    for (owner, left) in [(1, 1), (3, 1), (2, 0)] {
        folders.sweep(owner, u64::MAX, None);
        assert_eq!(folders.len(), left);
    }
}

#[tokio::test]
async fn those_who_are_busy_on_the_way_to_a_file_wake_nobody() {
    let place = Place::new();
    fs::create_dir(place.path("in")).unwrap();
    let hints = std::sync::Arc::new(crate::watch::hints::Hints::default());
    let mut folders = crate::watch::folders::Folders::new(std::sync::Arc::clone(&hints), 8);
    let ground = crate::watch::ground::Ground::of(&place.path("")).unwrap();
    let ear = crate::watch::hints::Ear::name("in".as_ref());
    folders.watch(&place.path(""), ground, ear, (1, 1)).unwrap();
    place.write("busy.log", "line");
    fs::rename(place.path("in"), place.path("gone")).unwrap();
    hints.heard().await;
    let heard: Vec<PathBuf> = hints.take().paths.into_keys().collect();
    assert_eq!(heard, [place.path("in")]);
}
