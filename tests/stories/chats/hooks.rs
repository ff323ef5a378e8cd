//! News that Telegram brings to the daemon's own address.

use super::super::life::Life;
use super::{OWNER, World};

/// A world whose news come to this port.
fn hooked(port: u16, path: &str) -> World {
    let world = World::new(&format!(
        "owner = {OWNER}\nwebhook = \"http://127.0.0.1:{port}{path}\""
    ));
    let settings = world.folder.read("config/reveille.toml");
    world.folder.write(
        "config/reveille.toml",
        format!("{settings}\n[web]\nlisten = \"127.0.0.1:{port}\"\n"),
    );
    world
}

/// A port that is free now.
fn free() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn news_are_brought_kept_and_known_again() {
    let port = free();
    let world = hooked(port, "/telegram");
    let life = Life::start(&world.folder);
    let set = &world.wait(world.telegram.saw("setWebhook", 1))[0];
    assert_eq!(set["url"], format!("http://127.0.0.1:{port}/telegram"));
    let secret = set["secret_token"].as_str().expect("a secret");
    assert!(secret.len() == 64 && !world.folder.read(".env").contains(secret));
    let number = world.telegram.says(OWNER, "/echo hello");
    let bring = |secret: Option<&str>| world.wait(world.telegram.brings(secret));
    for wrong in ["", "x", &"0".repeat(64)] {
        assert_eq!(bring(Some(wrong)), 401, "{wrong}");
    }
    assert_eq!(bring(None), 200);
    assert_eq!(world.sent(1), ["hello Ana"]);
    // The answer was lost on its way: it is brought again.
    let again = serde_json::json!({ "update_id": number, "message": {
        "message_id": 1, "date": 1_763_618_400, "text": "/echo hello",
        "chat": { "id": OWNER, "type": "private" }, "from": { "id": OWNER, "first_name": "Ana" } } });
    world.telegram.update_as(again);
    assert_eq!(bring(None), 200);
    world.telegram.says(OWNER, "/echo more");
    assert_eq!(bring(None), 200);
    assert_eq!(world.sent(2), ["hello Ana", "more Ana"]);
    assert!(
        world.telegram.calls("getUpdates").is_empty(),
        "nothing is asked for"
    );
    life.end();
}

#[test]
fn an_address_that_changes_is_told_and_one_that_goes_is_taken_back() {
    let port = free();
    let world = hooked(port, "/one");
    let mut life = Life::start(&world.folder);
    world.wait(world.telegram.saw("setWebhook", 1));
    let settings = world.folder.read("config/reveille.toml");
    world
        .folder
        .write("config/reveille.toml", settings.replace("/one", "/two"));
    let set = world.wait(world.telegram.saw("setWebhook", 2));
    assert!(set[1]["url"].as_str().expect("a url").ends_with("/two"));
    world.telegram.says(OWNER, "/echo hello");
    assert_eq!(world.wait(world.telegram.brings(None)), 200);
    assert_eq!(world.sent(1), ["hello Ana"]);
    // Back to asking, by itself.
    let line = format!("webhook = \"http://127.0.0.1:{port}/one\"\n");
    assert!(settings.contains(&line));
    world
        .folder
        .write("config/reveille.toml", settings.replace(&line, ""));
    world.telegram.says(OWNER, "/echo asked");
    assert_eq!(world.sent(2)[1], "asked Ana");
    assert_eq!(world.telegram.calls("deleteWebhook").len(), 1);
    life.says_of("Telegram is asked for its news again");
    life.end();
}

#[test]
fn a_long_text_that_is_brought_in_parts_is_one() {
    let port = free();
    let world = hooked(port, "/telegram");
    let life = Life::start(&world.folder);
    world.wait(world.telegram.saw("setWebhook", 1));
    let first = format!("/echo {}", "a".repeat(4_090));
    world.telegram.says(OWNER, &first);
    world.telegram.says(OWNER, "and the end");
    let telegram = world.telegram.clone();
    let begun = world
        .runtime
        .spawn(async move { telegram.brings_one(0, None).await });
    // While somebody else is answered, it has come.
    world.folder.piped(&["status"], "").prints(&[]);
    assert_eq!(world.wait(world.telegram.brings_one(1, None)), 200);
    assert_eq!(world.wait(begun).expect("it was brought"), 200);
    let sent = world.sent(2).concat();
    assert!(sent.contains("and the end Ana"), "{sent}");
    life.end();
}
