//! Buttons: a run that waits for its owner's tap, and words that a tap says.

use serde_json::json;

use super::super::life::Life;
use super::{OWNER, STRANGER, World};

const USER: i64 = 4712;

/// What asks before it acts, and says what it did.
const RESTART: &str = r#"
[[trigger]]
telegram = "/restart"

[[step]]
id = "ok"
approve = "Restart {{ event.args }} *now*?"
EXPIRES

[[step]]
id = "done"
exec = ["sh", "-c", "echo {{ run.id }} >> FOLDER/done; cat FOLDER/done"]

[[deliver]]
telegram = "origin"
text = "restarted by {{ ok.by }}"
"#;

/// A world with the job that asks.
fn asking(more: &str, expires: &str) -> World {
    let world = World::new(more);
    let folder = world.folder.path("").display().to_string();
    let job = RESTART.replace("FOLDER", folder.trim_end_matches('/'));
    world.with("restart", &job.replace("EXPIRES", expires))
}

fn owned(expires: &str) -> World {
    asking(&format!("owner = {OWNER}\nusers = [{USER}]"), expires)
}

/// What the presses were answered with.
fn answers(world: &World, count: usize) -> Vec<String> {
    let calls = world
        .wait(world.telegram.saw("answerCallbackQuery", count))
        .into_iter();
    let text = |call: serde_json::Value| call["text"].as_str().unwrap_or_default().to_owned();
    calls.map(text).collect()
}

#[test]
fn a_tap_lets_a_run_go_on_once() {
    let world = owned("");
    let mut life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/restart nginx");
    let asked = &world.sent(1)[0];
    assert!(
        asked.starts_with("restart #1 asks:\n\nRestart nginx *now*?\n\nuntil "),
        "{asked}"
    );
    let (chat, number, data) = world
        .telegram
        .button(OWNER, "✅ Approve")
        .expect("a button");
    let listed = world.folder.piped(&["approvals", "--json"], "");
    listed.prints(&[r#""run":1"#, r#""asks":"Restart nginx *now*?""#]);
    // Nobody else, wherever they have it from.
    let stranger = world
        .telegram
        .sends_press(STRANGER, STRANGER, number, &data);
    world.wait(world.telegram.has_confirmed(stranger + 1));
    world.telegram.sends_press(USER, USER, number, &data);
    assert_eq!(answers(&world, 1)[0], "This is not yours to answer");
    world
        .telegram
        .sends_press(OWNER, chat, number, &format!("{data}x"));
    assert_eq!(answers(&world, 2)[1], "This is not asked any more");
    world.telegram.presses(OWNER, "✅ Approve");
    assert_eq!(answers(&world, 3)[2], "Approved");
    assert_eq!(world.sent(2)[1], "restarted by Ana");
    world.wait(world.telegram.saw("editMessageText", 1));
    let shows = world.telegram.shows(OWNER);
    assert!(
        shows[0].starts_with("restart #1 asks:\n\nRestart nginx *now*?\n\n✅ approved by Ana, "),
        "{shows:?}"
    );
    assert!(
        world.telegram.button(OWNER, "✅ Approve").is_none(),
        "the buttons are gone"
    );
    // The same press again, as a client could send it.
    world.telegram.sends_press(OWNER, chat, number, &data);
    assert_eq!(answers(&world, 4)[3], "This is not asked any more");
    assert_eq!(world.folder.read("done"), "1\n");
    life.says_of("pressed a button for run #1 that is somebody else's");
    life.end();
}

#[test]
fn a_question_outlives_the_daemon_and_a_no_ends_the_run() {
    let world = owned("");
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/restart one");
    world.telegram.says(OWNER, "/restart two");
    world.sent(2);
    world.wait(world.telegram.has_confirmed(1002));
    world.is_settled();
    life.killed();
    let life = Life::start(&world.folder);
    world.telegram.presses(OWNER, "❌ Deny");
    assert_eq!(answers(&world, 1), ["Denied"]);
    world.wait(world.telegram.saw("editMessageText", 1));
    world.telegram.presses(OWNER, "✅ Approve");
    assert_eq!(world.sent(3)[2], "restarted by Ana");
    life.end();
    assert_eq!(world.folder.read("done"), "1\n");
    let shown = world.folder.piped(&["show", "2"], "");
    shown.prints(&["nothing to say", "ok: denied by Ana"]);
}

#[test]
fn a_question_that_nobody_answers_ends() {
    let world = owned("expires = \"1s\"\non_error = \"continue\"");
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/restart nginx");
    world.sent(1);
    let (chat, number, data) = world
        .telegram
        .button(OWNER, "✅ Approve")
        .expect("a button");
    world.wait(world.telegram.saw("editMessageText", 1));
    let shows = &world.telegram.shows(OWNER)[0];
    assert!(shows.ends_with("⌛ nobody answered in time"), "{shows}");
    world.telegram.sends_press(OWNER, chat, number, &data);
    assert_eq!(answers(&world, 1), ["This is not asked any more"]);
    // It said that it wants to go on all the same.
    assert_eq!(world.sent(2)[1], "restarted by");
    life.end();
}

#[test]
fn a_terminal_decides_too_with_and_without_a_daemon() {
    let world = owned("");
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/restart nginx");
    world.sent(1);
    world
        .folder
        .piped(&["approvals", "approve", "1"], "")
        .prints(&["run #1 is approved: it goes on"]);
    assert_eq!(world.sent(2)[1], "restarted by the terminal");
    world
        .folder
        .piped(&["approvals", "deny", "1"], "")
        .says(2, &["run #1 does not wait for a word"]);
    let again = world.folder.piped(&["replay", "1", "--from", "done"], "");
    again.says(
        2,
        &["what `ok` was answered was for run #1 alone", "--from ok"],
    );
    world.telegram.says(OWNER, "/restart two");
    world.sent(3);
    world.wait(world.telegram.has_confirmed(1002));
    world.is_settled();
    life.killed();
    let said = world.folder.piped(&["approvals", "approve", "2"], "");
    said.prints(&["run #2 is approved: it goes on when the daemon runs"]);
    let life = Life::start(&world.folder);
    assert_eq!(world.sent(4)[3], "restarted by the terminal");
    life.end();
    // By hand without a daemon: it is written down, and goes on in one.
    let asked = world.folder.piped(&["run", "restart", "--set", "x=y"], "");
    asked.says(
        0,
        &[
            "run #3 asks (until",
            "it goes on in the daemon, once it is answered",
        ],
    );
    world
        .folder
        .piped(&["approvals"], "")
        .prints(&["#3  restart"]);
}

#[test]
fn a_button_says_what_somebody_could_have_written() {
    let menu = "[[trigger]]\ntelegram = \"/menu\"\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"What?\"\nbuttons = [\"/echo hello\", \"evento\"]\n";
    let world = World::new(&format!("owner = {OWNER}")).with("menu", menu);
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/menu");
    world.sent(1);
    world.telegram.presses(OWNER, "/echo hello");
    assert_eq!(world.sent(2)[1], "hello Ana");
    world.telegram.presses(OWNER, "evento");
    assert_eq!(world.sent(3)[2], "evento Ana");
    assert_eq!(answers(&world, 2), ["", ""]);
    let keyboard = &world.telegram.calls("sendMessage")[0]["reply_markup"]["inline_keyboard"];
    let expected = json!([[
        { "text": "/echo hello", "callback_data": "=/echo hello" },
        { "text": "evento", "callback_data": "=evento" },
    ]]);
    assert_eq!(*keyboard, expected);
    life.end();
}

#[test]
fn a_status_message_is_changed_in_its_place() {
    let status = "[[trigger]]\ntelegram = \"/status2\"\n\n[[deliver]]\ntelegram = \"owner\"\nedit = true\ntext = \"{{ event.args }}\"\n";
    let world = World::new(&format!("owner = {OWNER}")).with("lamp", status);
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/status2 on");
    world.sent(1);
    world.telegram.says(OWNER, "/status2 off");
    world.wait(world.telegram.saw("editMessageText", 1));
    assert_eq!(world.telegram.shows(OWNER), ["off"]);
    life.end();
    // Across lives, and anew where somebody took it out.
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/status2 off");
    world.wait(world.telegram.saw("editMessageText", 2));
    let (_, number) = (
        OWNER,
        world.telegram.calls("editMessageText")[0]["message_id"].as_i64(),
    );
    world.telegram.forgets(OWNER, number.expect("a number"));
    world.telegram.says(OWNER, "/status2 on again");
    assert_eq!(world.sent(2)[1], "on again");
    life.end();
}

#[test]
fn files_of_the_workspace_are_sent_with_words_below_them() {
    let report = r#"
[[trigger]]
telegram = "/report"

[[step]]
file = "write"
path = "outputs/report.txt"
text = "forty two"

[[deliver]]
telegram = "origin"
document = "outputs/report.txt"
text = "**Here** it is"

[[deliver]]
telegram = "origin"
photo = "outputs/none.png"
text = "a picture"
"#;
    let world = World::new(&format!("owner = {OWNER}")).with("report", report);
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/report");
    let sent = &world.wait(world.telegram.saw("sendDocument", 1))[0];
    assert_eq!(
        sent["document"],
        json!({ "name": "report.txt", "content": "forty two" }),
        "{sent}"
    );
    assert_eq!(sent["caption"], "Here it is");
    assert_eq!(sent["caption_entities"][0]["type"], "bold");
    let words = &world.sent(1)[0];
    assert!(
        words.starts_with("a picture\n\n(") && words.contains("none.png"),
        "{words}"
    );
    life.end();
}

#[test]
fn the_week_is_a_picture_with_its_figures_below() {
    let week = r#"
[[trigger]]
telegram = "/tokens"

[[step]]
id = "week"
ledger = "7d"
plot = "week.png"

[[deliver]]
telegram = "origin"
photo = "{{ week.picture }}"
text = "{{ week.calls }} calls"
"#;
    let world = World::new(&format!("owner = {OWNER}")).with("week", week);
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/tokens");
    let sent = &world.wait(world.telegram.saw("sendPhoto", 1))[0];
    assert_eq!(sent["photo"]["name"], "week.png", "{sent}");
    let content = sent["photo"]["content"].as_str().expect("a file");
    assert!(content.contains("PNG\r\n"), "{content}");
    assert_eq!(sent["caption"], "0 calls");
    life.end();
}

#[test]
fn a_failure_is_heard_where_it_was_asked_for_and_alerts_have_buttons() {
    let fragile = r#"
[[trigger]]
telegram = "/fragile"

[[trigger]]
webhook = "door"

[[step]]
id = "look"
exec = ["cat", "FOLDER/here"]

[[deliver]]
telegram = "origin"
text = "there is {{ look.stdout }}"
"#;
    let world = World::new(&format!("owner = {OWNER}"));
    let folder = world.folder.path("").display().to_string();
    let world = world.with(
        "fragile",
        &fragile.replace("FOLDER", folder.trim_end_matches('/')),
    );
    let settings = world
        .folder
        .read("config/reveille.toml")
        .replace("\"journal\"", "\"telegram\"");
    world.folder.write("config/reveille.toml", settings);
    let life = Life::start(&world.folder);
    // Who asked hears it each time.
    world.telegram.says(OWNER, "/fragile");
    assert!(world.sent(1)[0].starts_with("fragile failed: step look:"));
    world.telegram.presses(OWNER, "Retry");
    let mut again = world.sent(3).split_off(1);
    again.sort();
    assert_eq!(again[0], "fragile #2 begins");
    assert!(again[1].starts_with("fragile failed: step look:"));
    // What nobody asked for is an alert.
    world
        .folder
        .piped(&["emit", "door", "--data", "{}"], "")
        .prints(&[]);
    assert!(world.sent(4)[3].starts_with("fragile failed: step look:"));
    world.telegram.presses(OWNER, "Explain");
    assert!(world.sent(5)[4].starts_with("Run #3 of fragile"));
    world.telegram.presses(OWNER, "Mute 7 days");
    assert!(world.sent(6)[5].contains("fragile"));
    world
        .folder
        .piped(&["mute", "--json"], "")
        .prints(&["fragile"]);
    world.folder.write("here", "light");
    world.telegram.presses(OWNER, "Retry");
    let mut sent = world.sent(9).split_off(6);
    sent.sort();
    assert!(sent[1].starts_with("fragile works again"), "{sent:?}");
    assert_eq!(
        [&sent[0], &sent[2]],
        ["fragile #4 begins", "there is light"]
    );
    life.end();
}

#[test]
fn a_question_that_is_stopped_says_so_and_shows_who_asks() {
    let world = owned("");
    let life = Life::start(&world.folder);
    world
        .telegram
        .says(USER, "/restart **b** [x](http://evil.example) \u{202e}live");
    let asked = world.sent(1);
    assert!(
        asked[0].starts_with(
            "restart #1 asks for Ana (4712):\n\nRestart **b** [x](http://evil.example) live *now*?"
        ),
        "{asked:?}"
    );
    let looks = &world.telegram.calls("sendMessage")[0]["entities"];
    assert!(!looks.to_string().contains("link"), "{looks}");
    world.telegram.says(OWNER, "/cancel 1");
    let edit = &world.wait(world.telegram.saw("editMessageText", 1))[0];
    assert!(
        edit["text"]
            .as_str()
            .expect("a text")
            .ends_with("the run was stopped"),
        "{edit}"
    );
    assert!(edit["reply_markup"].is_null());
    // So does whoever asked for it.
    let told = world.wait(world.telegram.has_sent(3));
    let stopped = (USER, "restart: ⏹ the run was stopped".to_owned());
    assert!(told.contains(&stopped), "{told:?}");
    world.telegram.says(USER, "/restart again");
    world.wait(world.telegram.saw("sendMessage", 4));
    world.telegram.presses(OWNER, "❌ Deny");
    let all = world.wait(world.telegram.has_sent(5));
    let denied = "restart is not done: it was not approved";
    assert_eq!(all[4], (USER, denied.to_owned()));
    life.end();
}

#[test]
fn a_file_that_is_not_there_costs_no_word_of_a_long_text() {
    let job = "[[trigger]]\ntelegram = \"/report\"\n\n[[deliver]]\ntelegram = \"origin\"\ndocument = \"outputs/{{ run.id }}.txt\"\ntext = \"{% for n in range(900) %}word {% endfor %}\"\n";
    let world = World::new(&format!("owner = {OWNER}")).with("report", job);
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/report");
    let sent = world.sent(2);
    let words = sent
        .join(" ")
        .split_whitespace()
        .filter(|word| *word == "word")
        .count();
    assert!(
        words == 900 && sent[1].contains("outputs/1.txt"),
        "{words}: {sent:?}"
    );
    world
        .folder
        .write("state/workspace/outputs/2.txt", "forty two");
    world.telegram.says(OWNER, "/report");
    world.wait(world.telegram.saw("sendDocument", 1));
    std::fs::remove_file(world.folder.path("state/workspace/outputs/2.txt")).expect("it was there");
    let sent = world.sent(4).split_off(2).join(" ");
    let words = sent
        .split_whitespace()
        .filter(|word| *word == "word")
        .count();
    assert!(
        words == 900 && !sent.contains("outputs"),
        "{words}: {sent:?}"
    );
    life.end();
}
