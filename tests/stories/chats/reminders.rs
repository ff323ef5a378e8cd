//! Reminders from a phone: asked for by words, told once, and answered by buttons.

use super::super::life::Life;
use super::{OWNER, World};

const ASKED: &str = r#"
[[trigger]]
telegram = "/remind"
words = ["recuérdame"]

[[step]]
id = "made"
remind = "add"
words = "{{ event.text }}"

[[deliver]]
telegram = "origin"
text = "{{ made.problem or made.text }}"
"#;

const TELLS: &str = r#"
[[trigger]]
reminder = "due"

[[deliver]]
telegram = "origin"
text = "{{ event.text }} ({{ 'late' if event.late else 'now' }})"
buttons = ["Later -> /snooze {{ event.reminder }} 1s", "Done -> /done {{ event.reminder }}"]
"#;

fn verb(verb: &str) -> String {
    format!(
        "[[trigger]]\ntelegram = \"/{verb}\"\n\n[[step]]\nid = \"it\"\nremind = \"{verb}\"\nwords = \"{{{{ event.args }}}}\"\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"{verb}: {{{{ it.text }}}}\"\n"
    )
}

fn world() -> World {
    let world = World::owned().with("asked", ASKED).with("tells", TELLS);
    let world = world.with("snooze", &verb("snooze"));
    world.with("done", &verb("done"))
}

#[test]
fn it_is_asked_for_told_put_off_and_done() {
    let world = world();
    let life = Life::start(&world.folder);
    world
        .telegram
        .says(OWNER, "recuérdame en 1 segundo sacar la basura");
    assert_eq!(world.sent(2)[1], "sacar la basura (now)");
    world.telegram.presses(OWNER, "Later");
    let mut sent = world.sent(4);
    sent[2..].sort();
    assert_eq!(
        sent[2..],
        ["sacar la basura (now)", "snooze: sacar la basura"]
    );
    world.telegram.presses(OWNER, "Done");
    assert_eq!(world.sent(5)[4], "done: sacar la basura");
    world.telegram.says(OWNER, "recuérdame sacar la basura");
    assert_eq!(world.sent(6)[5], "when");
    life.end();
}

#[test]
fn a_daemon_that_is_killed_tells_it_late_and_once() {
    let world = world();
    let life = Life::start(&world.folder);
    world
        .telegram
        .says(OWNER, "recuérdame en 2 segundos sacar la basura");
    assert_eq!(world.sent(1)[0], "sacar la basura");
    world.is_settled();
    life.killed();
    for _ in 0..2 {
        let life = Life::start(&world.folder);
        world.sent(2);
        world.is_settled();
        life.killed();
    }
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "recuérdame mañana comprar pan");
    let sent = world.sent(3);
    assert!(sent[1].starts_with("sacar la basura ("), "{sent:?}");
    assert_eq!(sent[2], "comprar pan");
    life.end();
    let shown = world
        .folder
        .unclocked(&["next", "tells"])
        .output()
        .expect("it runs");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("comprar pan"), "{shown}");
}
