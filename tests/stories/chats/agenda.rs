//! The shipped jobs of the calendar, by messages and taps, against a real Radicale where there is one.

use super::super::life::Life;
use super::{OWNER, World};
use crate::fake_dav::Radicale;

/// A world with the shipped jobs that change calendars, and those of reminders.
fn world(server: &Radicale) -> World {
    let mut world = World::owned();
    let root = env!("CARGO_MANIFEST_DIR");
    for folder in ["jobs", "prompts"] {
        let files = std::fs::read_dir(format!("{root}/{folder}")).expect("the examples");
        for file in files.map(|file| file.expect("a file")) {
            let name = file.file_name().into_string().expect("a name");
            let models = [
                "ask",
                "heartbeat",
                "week-in-tokens",
                "review",
                "translate",
                "daily-briefing.toml",
            ];
            if !models.iter().any(|model| name.starts_with(model)) {
                let text = std::fs::read(file.path()).expect("readable");
                world.folder = world.folder.file(&format!("{folder}/{name}"), text);
            }
        }
    }
    let settings = world.folder.read("config/reveille.toml");
    let url = server.url("/");
    world.folder.write(
        "config/reveille.toml",
        format!("[defaults]\ntimezone = \"Europe/Madrid\"\n\n[calendars.home]\nlabel = \"Home\"\ncaldav = \"{url}\"\nuser = \"me\"\npassword.env = \"DAV\"\n\n{settings}"),
    );
    let env = world.folder.read(".env");
    world.folder.write(".env", format!("{env}DAV=hunter2\n"));
    world
}

#[test]
fn an_entry_is_made_by_words_and_a_tap_moved_deleted_and_taken_back() {
    let Some(server) = Radicale::start() else {
        return;
    };
    server.make("home", "VEVENT");
    let world = world(&server);
    let life = Life::start(&world.folder);
    let says = |text: &str| {
        world.telegram.says(OWNER, text);
    };
    let press = |button: &str| {
        world.telegram.presses(OWNER, button);
    };

    // Far enough away that a test at midnight reads the same day in each message.
    says("crea cita dentista el 15 de junio a las 17:30 una hora");
    let asked = world.sent(1).remove(0);
    assert!(
        asked.contains("dentista\nTue 15 Jun") || asked.contains("dentista\n"),
        "{asked}"
    );
    assert!(
        asked.contains("15 Jun") && asked.contains("17:30-18:30"),
        "{asked}"
    );
    press("✅ Approve");
    let made = world.sent(2).remove(1);
    assert!(
        made.starts_with("✅ dentista: ") && made.ends_with("17:30-18:30 (Home)"),
        "{made}"
    );

    // Another one at the same time says so before the tap, and is refused.
    says("add lunch with Ana on 15 June at 18:00");
    let asked = world.sent(3).remove(2);
    assert!(asked.contains("⚠️ 17:30-18:30 dentista"), "{asked}");
    press("❌ Deny");

    says("estoy libre el 15 de junio a las 18:00");
    let busy = world.sent(4).remove(3);
    assert!(
        busy.starts_with("No: ") && busy.contains("17:30-18:30  dentista"),
        "{busy}"
    );

    press("Undo");
    let back = world.sent(5).remove(4);
    assert!(back.starts_with("↩️ dentista: "), "{back}");
    says("am I free on 15 June at 18:00?");
    let free = world.sent(6).remove(5);
    assert!(free.starts_with("Yes, free: "), "{free}");
    life.end();
}

#[test]
fn a_reminder_is_made_by_words_told_with_buttons_and_rests() {
    let Some(server) = Radicale::start() else {
        return;
    };
    server.make("home", "VEVENT");
    let world = world(&server);
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "recuérdame llamar al dentista");
    assert!(world.sent(1)[0].starts_with("When? "));
    world.telegram.says(
        OWNER,
        "recuérdame el 15 de junio a las 9 llamar al dentista",
    );
    let made = world.sent(2).remove(1);
    assert!(
        made.starts_with("⏰ ") && made.ends_with("09:00: llamar al dentista"),
        "{made}"
    );
    world.telegram.says(OWNER, "/reminders");
    let listed = world.sent(3).remove(2);
    assert!(listed.contains("09:00: llamar al dentista"), "{listed}");
    world.telegram.presses(OWNER, "Cancel");
    assert_eq!(world.sent(4)[3], "✖️ llamar al dentista");
    world.telegram.says(OWNER, "/reminders");
    assert_eq!(world.sent(5)[4], "There are no reminders.");
    life.end();
}
