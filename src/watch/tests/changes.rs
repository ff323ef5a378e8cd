//! Created, changed, removed; however it is done.

use super::*;

#[tokio::test]
async fn a_file_is_told_created_changed_and_removed_and_never_twice() {
    let mut place = Place::new();
    place.write("in/old", "baseline");
    place.watch(place.wanted("in")).await;
    put(&place.path("in/a"), "one");
    assert_eq!(place.next().await, line("in/a", "created", "one"));
    put(&place.path("in/a"), "two");
    assert_eq!(place.next().await, line("in/a", "changed", "two"));
    fs::remove_file(place.path("in/a")).unwrap();
    assert_eq!(place.next().await, removed("in/a"));
    put(&place.path("in/a"), "again");
    assert_eq!(place.next().await, line("in/a", "created", "again"));
    place.quiet("in/z").await;
}

#[tokio::test]
async fn an_event_tells_path_change_size_and_content() {
    let mut place = Place::new();
    place.write("in/old", "");
    place.watch(place.wanted("in")).await;
    put(&place.path("in/a"), "hello");
    let expected = serde_json::json!({
        "path": place.path("in/a"), "change": "created", "size": 5, "content": "hello", "cut": false
    });
    assert_eq!(place.take().await, expected);
}

#[tokio::test]
async fn an_editor_that_renames_over_a_file_is_heard_every_time() {
    let mut place = Place::new();
    place.write("in/notes.md", "0");
    place.watch(place.wanted("in/notes.md")).await;
    for round in 1..=5 {
        put(&place.path("in/notes.md"), &round.to_string());
        let told = place.next().await;
        assert_eq!(told, line("in/notes.md", "changed", &round.to_string()));
    }
    // As others save: the old one away, a new one in its place.
    fs::rename(place.path("in/notes.md"), place.path("in/notes.md~")).unwrap();
    assert_eq!(place.next().await, removed("in/notes.md"));
    put(&place.path("in/notes.md"), "6");
    assert_eq!(place.next().await, line("in/notes.md", "created", "6"));
}

#[tokio::test]
async fn a_write_in_place_is_heard() {
    let mut place = Place::new();
    place.write("in/a", "one");
    place.watch(place.wanted("in/*")).await;
    place.write("in/a", "longer");
    let told = place.until("in/a", "longer").await;
    assert!(told.iter().all(|line| line.1 == "changed"), "{told:?}");
}

#[tokio::test]
async fn a_touch_that_leaves_the_content_as_it_was_is_a_version_and_a_chmod_is_not() {
    let mut place = Place::new();
    place.write("in/a", "one");
    place.watch(place.wanted("in")).await;
    let mut mode = fs::metadata(place.path("in/a")).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o600);
    fs::set_permissions(place.path("in/a"), mode).unwrap();
    place.quiet("in/y").await;
    let file = fs::File::open(place.path("in/a")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(place.next().await, line("in/a", "changed", "one"));
}

#[tokio::test]
async fn a_job_hears_only_of_the_changes_that_it_wants() {
    let mut place = Place::new();
    place.write("in/a", "one");
    let mut wanted = place.wanted("in");
    wanted.pace.on = vec![Change::Created];
    place.watch(wanted).await;
    put(&place.path("in/a"), "two");
    fs::remove_file(place.path("in/a")).unwrap();
    place.quiet("in/z").await;
    put(&place.path("in/a"), "three");
    assert_eq!(place.next().await, line("in/a", "created", "three"));
}

#[tokio::test]
async fn a_refused_event_is_offered_again_and_no_position_moves_before() {
    let mut place = Place::new();
    place.write("in/old", "");
    place.watch(place.wanted("in")).await;
    put(&place.path("in/a"), "one");
    let offer = place.offer().await;
    assert_eq!(place.line(&offer.payload), line("in/a", "created", "one"));
    drop(offer);
    place.clock.sleeping(1).await;
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(place.next().await, line("in/a", "created", "one"));
    place.quiet("in/z").await;
}

#[tokio::test]
async fn names_that_are_no_text_are_told_and_remembered() {
    use std::os::unix::ffi::OsStrExt;
    let mut place = Place::new();
    place.write("in/old", "");
    place.watch(place.wanted("in")).await;
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9\\x");
    put(&place.path("in").join(name), "one");
    let payload = place.take().await;
    assert!(
        payload["path"]
            .as_str()
            .unwrap()
            .ends_with("in/caf\u{fffd}\\x")
    );
    place.restart();
    place.watch(place.wanted("in")).await;
    place.quiet("in/z").await;
}
