//! A real daemon and a Telegram that keeps the real rules.

use std::future::Future;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Runtime;

use super::life::Life;
use crate::support::Folder;
use telegram::{Fail, TOKEN, Telegram};

#[path = "../../fakes/telegram.rs"]
mod telegram;

mod agenda;
mod hooks;
mod reminders;
mod streams;
mod taps;

const OWNER: i64 = 4711;
const STRANGER: i64 = 666;

/// A Telegram, and a folder whose bot is known there.
struct World {
    runtime: Runtime,
    telegram: Telegram,
    folder: Folder,
}

/// What answers a word, so that the answer shows the question.
const ECHO: &str = "description = \"Says it again\"\n\n[[trigger]]\ntelegram = \"/echo\"\nwords = [\"evento\"]\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"**{{ event.args }}** {{ event.user.name }}\"\n";

impl World {
    fn new(more: &str) -> World {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let telegram = runtime.block_on(Telegram::start());
        let folder = Folder::new().job("echo", ECHO);
        let settings = format!(
            "[telegram]\ntoken.env = \"BOT\"\napi_url = \"{}\"\n{more}\n\n[owner]\nnotify = \"journal\"\n",
            telegram.url
        );
        folder.write("config/reveille.toml", settings);
        folder.write(".env", format!("BOT={TOKEN}\n"));
        World {
            runtime,
            telegram,
            folder,
        }
    }

    fn owned() -> World {
        World::new(&format!("owner = {OWNER}"))
    }

    fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        let limit = Duration::from_secs(10);
        let waited = async { tokio::time::timeout(limit, what).await.expect("it comes") };
        self.runtime.block_on(waited)
    }

    /// The same with one more job.
    fn with(mut self, name: &str, job: &str) -> World {
        self.folder = self.folder.job(name, job);
        self
    }

    /// Waits until it is written down what became of every message.
    fn is_settled(&self) {
        let empty = || {
            self.folder
                .piped(&["outbox", "--json"], "")
                .stdout
                .starts_with("[]")
        };
        assert!((0..200).any(|_| empty()), "the outbox does not get empty");
    }

    /// Waits until so many messages were sent; their texts.
    fn sent(&self, count: usize) -> Vec<String> {
        let sent = self.wait(self.telegram.has_sent(count)).into_iter();
        sent.map(|(_, text)| text).collect()
    }
}

#[test]
fn a_question_is_answered_in_its_chat_and_confirmed() {
    let world = World::owned();
    let life = Life::start(&world.folder);
    let number = world.telegram.says(OWNER, "¿Hay EVENTOS hoy?");
    assert_eq!(
        world.wait(world.telegram.has_sent(1)),
        [(OWNER, "¿Hay EVENTOS hoy? Ana".to_owned())]
    );
    let call = &world.telegram.calls("sendMessage")[0];
    assert_eq!(
        call["entities"],
        json!([{ "type": "bold", "offset": 0, "length": 17 }])
    );
    assert_eq!(call["link_preview_options"]["is_disabled"], true);
    world.wait(world.telegram.has_confirmed(number + 1));
    // The same update again, as after a crash before it was confirmed: known.
    world.telegram.says(OWNER, "/echo once more");
    assert_eq!(world.sent(2)[1], "once more Ana");
    life.end();
}

#[test]
fn strangers_are_dropped_unread_until_one_has_the_code() {
    let world = World::new("");
    let mut life = Life::start(&world.folder);
    world.telegram.says(STRANGER, "/echo hello");
    world.telegram.says(STRANGER, "/pair 123456");
    let last = world.telegram.message(
        STRANGER,
        json!({ "text": "/echo", "chat": { "id": -5, "type": "group", "title": "x" } }),
    );
    world.wait(world.telegram.has_confirmed(last + 1));
    let pair = world
        .folder
        .unclocked(&["telegram", "pair"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut pair = pair;
    let mut line = String::new();
    let out = pair.stdout.take().expect("piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("a line");
    let code = line.trim().rsplit(' ').next().expect("a code").to_owned();
    world.telegram.says(STRANGER, "/pair 000");
    let forwarded = json!({ "text": format!("/pair {code}"), "forward_date": 1 });
    let last = world.telegram.message(STRANGER, forwarded);
    // Chats do not wait for each other.
    world.wait(world.telegram.has_confirmed(last + 1));
    world.telegram.says(OWNER, &format!("/pair {code}"));
    assert!(world.sent(1)[0].starts_with("You are the owner"));
    assert!(pair.wait().expect("it ends").success());
    world.telegram.says(STRANGER, &format!("/pair {code}"));
    world.telegram.says(OWNER, "/echo hi");
    assert_eq!(world.sent(2)[1], "hi Ana");
    life.says("said a wrong pairing code");
    life.end();
    // Another life knows its owner.
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/echo again");
    assert_eq!(world.sent(3)[2], "again Ana");
    life.end();
    assert!(world.telegram.sent().iter().all(|(chat, _)| *chat == OWNER));
}

#[test]
fn who_is_the_owner_already_can_pair_again_and_without_a_daemon() {
    let world = World::owned();
    world.folder.write(".env", "");
    world
        .folder
        .run(["telegram", "pair"])
        .says(2, &["the bot's token is not there"]);
    world.folder.write(".env", format!("BOT={TOKEN}\n"));
    let mut command = world.folder.unclocked(&["telegram", "pair"]);
    let mut pair = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut out = std::io::BufReader::new(pair.stdout.take().expect("piped"));
    let asked = line(&mut out);
    let code = asked.trim().rsplit(' ').next().expect("a code");
    world.telegram.says(OWNER, &format!("/pair {code}"));
    assert!(world.sent(1)[0].starts_with("You are the owner"));
    assert_eq!(line(&mut out), format!("User {OWNER} is the owner now.\n"));
    assert!(pair.wait().expect("it ends").success());
}

#[test]
fn a_person_looks_after_the_jobs_from_the_phone() {
    let world = World::owned();
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/help");
    world.telegram.says(OWNER, "/jobs");
    world.telegram.says(OWNER, "/run echo from afar");
    world.telegram.says(OWNER, "/why");
    world
        .telegram
        .message(OWNER, json!({ "text": "/echo evil", "forward_origin": {} }));
    world.telegram.says(OWNER, "nobody takes this");
    let mut sent = world.sent(6);
    sent.sort();
    let has = |text: &str| {
        assert!(
            sent.iter().any(|sent| sent.contains(text)),
            "{text}: {sent:#?}"
        )
    };
    has("/echo Says it again");
    has("Says it again");
    has("from afar Ana");
    has("/why JOB WHEN: what became of a moment");
    has("passed on is not carried out");
    has("No job takes this message");
    life.end();
}

#[test]
fn a_long_text_goes_on_where_it_stopped() {
    let world = World::owned();
    let long = format!(
        "[[trigger]]\ntelegram = \"/long\"\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"**a** {{% for n in range(900) %}}{}{{% endfor %}}\"\n",
        "word ".repeat(2)
    );
    let world = World {
        folder: world.folder.job("long", &long),
        ..world
    };
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/long");
    world.telegram.fail(
        "sendMessage",
        Fail::With(400, "Bad Request: can't parse entities: for the test"),
    );
    let sent = world.sent(4);
    world.is_settled();
    life.end();
    let taken: Vec<_> = sent.iter().skip(1).map(|text| text.trim()).collect();
    world
        .folder
        .run(["status"])
        .prints(&["sent without their looks: 1 of late"]);
    assert_eq!(sent[0], sent[1], "what was not taken is sent plain");
    let whole = format!("a {}", "word ".repeat(1800));
    assert_eq!(taken.join(" "), whole.trim());
}

#[test]
fn a_flood_limit_holds_up_its_own_chat_only() {
    let world = World::owned();
    let life = Life::start(&world.folder);
    world.telegram.fail("sendMessage", Fail::Flood(2));
    world.telegram.says(OWNER, "/echo first");
    world.telegram.says(OWNER, "/echo second");
    assert_eq!(world.sent(2), ["first Ana", "second Ana"]);
    life.end();
}

#[test]
fn who_blocked_the_bot_is_told_of_once() {
    let world = World::owned();
    world.telegram.blocked_by(OWNER);
    let mut life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/echo first");
    life.says("the person blocked the bot");
    life.end();
    world
        .folder
        .run(["outbox", "--all"])
        .prints(&["failed", "the person blocked the bot"]);
    assert_eq!(world.telegram.calls("sendMessage").len(), 1);
}

#[test]
fn what_may_have_arrived_before_a_crash_says_so() {
    let world = World::owned();
    let life = Life::start(&world.folder);
    world.telegram.fail("sendMessage", Fail::Deaf);
    let number = world.telegram.says(OWNER, "/echo first");
    world.wait(world.telegram.has_confirmed(number + 1));
    world.wait(world.telegram.is_deaf_to("sendMessage"));
    life.killed();
    let life = Life::start(&world.folder);
    assert_eq!(world.sent(1), ["(perhaps a repeat)\nfirst Ana"]);
    world.telegram.says(OWNER, "/echo second");
    assert_eq!(world.sent(2)[1], "second Ana");
    life.end();
}

#[test]
fn a_text_that_telegram_split_is_one_again() {
    let world = World::owned();
    let count = "[[trigger]]\ntelegram = \"text\"\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"{{ event.text | length }}\"\n";
    let world = World {
        folder: world.folder.job("count", count),
        ..world
    };
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, &"x".repeat(4096));
    world.telegram.says(OWNER, &"y".repeat(4096));
    world.telegram.says(OWNER, "z");
    assert_eq!(world.sent(1), ["8193"]);
    life.end();
}

#[test]
fn a_file_is_in_the_workspace_before_its_job_begins() {
    let world = World::owned();
    let file = "[[trigger]]\ntelegram = \"document\"\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"{{ event.file.size }} {{ event.file.path }} {{ event.text }}\"\n";
    let world = World {
        folder: world.folder.job("file", file),
        ..world
    };
    world.telegram.holds("abc", b"12345");
    let life = Life::start(&world.folder);
    let document =
        json!({ "caption": "look", "document": { "file_id": "abc", "file_name": "../a b.txt" } });
    let number = world.telegram.message(OWNER, document);
    let path = format!("inbox/{number}-_a_b.txt");
    assert_eq!(world.sent(1), [format!("5 {path} look")]);
    assert_eq!(
        world.folder.read(&format!("state/workspace/{path}")),
        "12345"
    );
    world
        .telegram
        .message(OWNER, json!({ "photo": [{ "file_id": "gone" }] }));
    assert!(world.sent(2)[1].starts_with("The file could not be taken"));
    life.end();
}

#[test]
fn a_second_reader_a_wrong_token_and_a_broken_line_are_told_without_the_token() {
    let world = World::owned();
    world.telegram.fail("getUpdates", Fail::Silence);
    world.telegram.fail("getUpdates", Fail::Garbage);
    world.telegram.has_webhook("https://other.example/hook");
    let mut life = Life::start(&world.folder);
    life.says("https://other.example/hook");
    world
        .folder
        .write(".env", "BOT=999:wrong-token-of-the-owner\n");
    life.says("Telegram does not know the token");
    let said = life.end();
    assert!(
        !said.contains(TOKEN) && !said.contains("wrong-token"),
        "{said}"
    );
}

#[test]
fn commands_are_offered_with_what_they_do_and_only_once() {
    let world = World::owned();
    for _ in 0..2 {
        let life = Life::start(&world.folder);
        let number = world.telegram.says(OWNER, "/help");
        world.wait(world.telegram.has_confirmed(number + 1));
        life.end();
    }
    let offered = world.telegram.calls("setMyCommands");
    assert_eq!(offered.len(), 2, "in two languages");
    assert_eq!(offered[1]["language_code"], "es");
    assert_eq!(
        offered[0]["commands"][0],
        json!({ "command": "echo", "description": "Says it again" })
    );
}

/// What a program prints, line by line.
fn line(out: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    line
}

#[test]
fn the_first_evening_ends_with_a_briefing_on_the_phone() {
    let world = World::owned();
    let home = Folder::empty();
    let calendar = format!("{}/config/calendar.ics", env!("CARGO_MANIFEST_DIR"));
    let mut command = home.unclocked(&["--dir", ".", "setup", "--token", TOKEN, "--at", "6:45"]);
    command.args([
        "--language",
        "es",
        "--calendar",
        &calendar,
        "--api-url",
        &world.telegram.url,
    ]);
    command.stdout(std::process::Stdio::piped());
    let mut setup = command.spawn().expect("it runs");
    let mut out = std::io::BufReader::new(setup.stdout.take().expect("piped"));
    assert_eq!(line(&mut out), "The bot is @reveille_bot.\n");
    assert!(line(&mut out).starts_with("The folder is "));
    let asked = line(&mut out);
    let code = asked.trim().rsplit(' ').next().expect("a code");
    world.telegram.says(OWNER, &format!("/pair {code}"));
    let sent = world.sent(2);
    assert!(
        sent[0].starts_with("Ahora este Reveille es suyo"),
        "{sent:?}"
    );
    assert!(sent[1].contains("Texto fijo"), "{sent:?}");
    assert!(setup.wait().expect("it ends").success());
    let read = |path: &str| home.read(path);
    assert!(read("jobs/daily-briefing.toml").contains("cron    = \"45 6 * * *\"\n"));
    assert_eq!(read(".env"), format!("TELEGRAM_TOKEN={TOKEN}\n"));
    assert!(!read("config/reveille.toml").contains(TOKEN));
    // The daemon goes on with it, and calendar questions need no model.
    let daemon = Life::start(&home);
    for (question, answer) in [
        ("¿Qué tengo en la agenda?", "\n\nMañana: "),
        ("/today", ""),
        ("eventos mañana", "Mañana"),
    ] {
        let before = world.telegram.sent().len();
        world.telegram.says(OWNER, question);
        let sent = world.sent(before + 1);
        assert!(
            sent[before].contains(answer) && !sent[before].contains("Texto fijo"),
            "{question}: {}",
            sent[before]
        );
    }
    daemon.end();
    home.run(["setup", "--token", TOKEN, "--at", "25:00"])
        .says(2, &["`25:00` is not a time of the day"]);
    let wrong = home.run([
        "--dir",
        ".",
        "setup",
        "--token",
        "1:wrong",
        "--calendar",
        "",
        "--at",
        "7:00",
        "--api-url",
        &world.telegram.url,
    ]);
    wrong.says(2, &["Telegram does not know this token"]);
}

#[test]
fn a_household_starts_the_jobs_that_it_may() {
    const CHILD: i64 = 4712;
    let world = World::new(&format!(
        "owner = {OWNER}\nusers = [{CHILD}]\njobs.{CHILD} = [\"lamp\"]"
    ));
    let lamp = "description = \"The lamp\"\n[[trigger]]\ntelegram = \"/lamp\"\n\n[[trigger]]\ntelegram = \"any\"\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"lamp {{ event.text }}\"\n";
    let world = world.with("lamp", lamp);
    let life = Life::start(&world.folder);
    for (text, answer) in [
        ("/lamp", "lamp /lamp"),
        ("/echo hello", "That is not for you."),
        ("evento", "That is not for you."),
        ("/run echo", "/run is the owner's command"),
        ("/nope", "/nope is no command: /help lists them"),
        ("/lamp@other_bot", ""),
        ("hello", "lamp hello"),
        ("/help", "/lamp The lamp"),
    ] {
        let before = world.telegram.sent().len();
        world.telegram.says(CHILD, text);
        if answer.is_empty() {
            continue;
        }
        let said = &world.sent(before + 1)[before];
        assert!(said.starts_with(answer), "{text}: {said}");
    }
    life.end();
}

#[test]
fn a_chat_on_a_terminal_goes_through_the_daemon() {
    let world = World::owned();
    let life = Life::start(&world.folder);
    let chat = world
        .folder
        .piped(&["chat"], "/echo one\nevento dos\n/status\n");
    chat.prints(&["one", "evento dos", "daemon    up"]);
    life.end();
}

#[test]
fn a_slow_file_keeps_nobody_waiting_and_outlives_a_crash() {
    let file = "[[trigger]]\ntelegram = \"document\"\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"{{ event.file.size }} {{ event.text }}\"\n";
    let world = World::owned().with("file", file);
    world.telegram.holds("abc", b"12345");
    let life = Life::start(&world.folder);
    world.telegram.fail("getFile", Fail::Deaf);
    let document = json!({ "caption": "look", "document": { "file_id": "abc" } });
    let number = world.telegram.message(OWNER, document);
    world.wait(world.telegram.is_deaf_to("getFile"));
    world.telegram.says(OWNER, "/echo meanwhile");
    assert_eq!(world.sent(1), ["meanwhile Ana"]);
    assert!(world.telegram.confirmed() > number, "it is written down");
    world.is_settled();
    life.killed();
    let life = Life::start(&world.folder);
    assert_eq!(world.sent(2)[1], "5 look");
    life.end();
}

#[test]
fn a_start_without_an_owner_says_how_to_become_it() {
    let world = World::new("");
    let mut life = Life::start(&world.folder);
    life.says("nobody is the bot's owner: send it `/pair ");
    let code = life.said.rsplit("/pair ").next().expect("a code");
    let code = code.split('`').next().expect("it ends").to_owned();
    world.telegram.says(OWNER, &format!("/pair {code}"));
    assert!(world.sent(1)[0].starts_with("You are the owner"));
    life.end();
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "/echo hi");
    assert_eq!(world.sent(2)[1], "hi Ana");
    assert!(!life.end().contains("nobody is the bot's owner"));
}
