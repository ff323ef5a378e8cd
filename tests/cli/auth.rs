//! Signing in to Google, the test being the browser.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::fake_google::{Google, OWN, ROBOT, SECRET};
use crate::stories::life::Life;
use crate::support::{Folder, Outcome};

const READ: &str = "https://www.googleapis.com/auth/calendar.readonly";
const WRITE: &str = "https://www.googleapis.com/auth/calendar.events";

struct World {
    runtime: tokio::runtime::Runtime,
    google: Google,
    folder: Folder,
}

impl World {
    /// With these keys below `[google.home]`.
    fn new(keys: &str) -> World {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let google = runtime.block_on(Google::start());
        let settings = format!(
            "[defaults]\ntimezone = \"Europe/Madrid\"\n\n[google.home]\n{keys}\napi_url = \"{}\"\n",
            google.url
        );
        let folder = Folder::new()
            .file("config/reveille.toml", settings)
            .file("client.json", google.client_secret())
            .file("key.json", google.service_key());
        World {
            runtime,
            google,
            folder,
        }
    }

    fn person() -> World {
        World::new("client.file = \"client.json\"")
    }

    /// Begins a sign-in; gives the program and the address that it shows.
    #[expect(clippy::zombie_processes, reason = "`Begun::ends` waits")]
    fn begins(&self, words: &[&str]) -> (Begun, String) {
        let words: Vec<&str> = ["auth", "google"].iter().chain(words).copied().collect();
        let mut child = self
            .folder
            .command(&words)
            .stdin(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut shown = String::new();
        loop {
            let begin = shown.len();
            let read = stdout.read_line(&mut shown).expect("a line");
            if let Some(url) = shown[begin..].trim().strip_prefix(&self.google.url) {
                let url = format!("{}{url}", self.google.url);
                let begun = Begun {
                    child,
                    stdout,
                    shown,
                };
                return (begun, url);
            }
            if read == 0 {
                drop(stdout);
                panic!("no address: {}", Outcome::of(&words, child));
            }
        }
    }

    /// Opens an address and follows where it leads, as a browser; gives status and text.
    fn opens(&self, url: &str) -> (u16, String) {
        self.runtime.block_on(async {
            let answer = reqwest::get(url).await.expect("an answer");
            let status = answer.status().as_u16();
            (status, answer.text().await.expect("a text"))
        })
    }

    fn signs_in(&self, words: &[&str]) -> Outcome {
        let (begun, url) = self.begins(words);
        let (status, text) = self.opens(&url);
        assert_eq!(status, 200, "{text}");
        begun.ends()
    }
}

struct Begun {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    shown: String,
}

impl Begun {
    fn ends(mut self) -> Outcome {
        let mut rest = self.shown;
        std::io::Read::read_to_string(&mut self.stdout, &mut rest).expect("text");
        let mut outcome = Outcome::of(&["auth", "google"], self.child);
        outcome.stdout = rest;
        for secret in [SECRET, "1//refresh", "ya29.", "4/code"] {
            let shown = outcome.to_string();
            assert!(!shown.contains(secret), "a secret is shown: {shown}");
        }
        outcome
    }
}

#[test]
fn a_sign_in_is_kept_where_the_daemon_finds_it() {
    let world = World::person();
    let signed_in = world.signs_in(&["--write"]);
    signed_in.prints(&[
        "say yes",
        &format!("Signed in as {OWN}"),
        "state/google/home.json",
    ]);
    let kept: serde_json::Value =
        serde_json::from_str(&world.folder.read("state/google/home.json")).expect("JSON");
    assert_eq!(kept["scopes"], serde_json::json!([READ, WRITE]));
    assert_eq!(kept["email"], OWN);
    assert!(
        kept["refresh_token"]
            .as_str()
            .is_some_and(|token| token.starts_with("1//"))
    );
    let mode = std::fs::metadata(world.folder.path("state/google/home.json")).expect("there");
    let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
    assert_eq!(mode & 0o777, 0o600);
    let status = world.folder.run(["auth", "status"]);
    status.prints(&[
        &format!("home: sign-in, {OWN}, works\n  may read and change, since 2026-11-20 06:59\n"),
        &format!("  scopes: {READ} {WRITE}\n  access token until 20"),
        &format!("\n  calendar {OWN} (Calendar {OWN}, primary)\n"),
    ]);
}

#[test]
fn the_browser_may_be_elsewhere_and_the_client_new() {
    let world = World::person();
    let settings = world.folder.read("config/reveille.toml");
    world
        .folder
        .write("config/reveille.toml", settings.replace("home", "other"));
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("bound").port().to_string();
    drop(free);
    let words = [
        "--account",
        "ana",
        "--client",
        "client.json",
        "--no-browser",
        "--port",
        &port,
        "--api-url",
        &world.google.url,
    ];
    let (begun, url) = world.begins(&words);
    // What somebody else brings there is not taken.
    let back = format!("http://127.0.0.1:{port}/?code=4/evil&state=guessed");
    assert_eq!(world.opens(&back).0, 400);
    assert_eq!(world.opens(&url).0, 200);
    begun.ends().prints(&[
        &format!("ssh -L {port}:127.0.0.1:{port} USER@"),
        &format!("Signed in as {OWN}"),
        "[google.ana]\n    client.file = \"",
        "client.json\"",
    ]);
}

#[test]
fn saying_no_is_told_at_once() {
    let world = World::person();
    world.google.refuses();
    let said = world.signs_in(&[]);
    said.says(1, &["you said no in the browser"]);
    assert!(!world.folder.path("state/google/home.json").exists());
}

#[test]
fn a_box_that_was_not_ticked_is_told() {
    let world = World::person();
    world.google.allows(READ);
    let said = world.signs_in(&["--write"]);
    said.says(0, &["warning: you did not allow changes"]);
    world.google.allows(WRITE);
    world
        .signs_in(&[])
        .says(1, &["does not allow to see calendars", "tick every box"]);
}

#[test]
fn a_sign_in_that_ends_after_seven_days_is_warned_of() {
    let world = World::person();
    world.google.is_in_testing();
    world.signs_in(&[]).prints(&["Signed in"]);
    let status = world.folder.run(["auth", "status"]);
    status.prints(&["warning: this sign-in ends on 2026-11-27", "In production"]);
    // Google does not always tell: from the fifth day it is said that it may be so.
    let kept = world.folder.read("state/google/home.json");
    let mut kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    kept.as_object_mut().expect("fields").remove("ends_at");
    for (granted, warned) in [
        ("2026-11-16", false),
        ("2026-11-15", true),
        ("2026-11-12", false),
    ] {
        kept["granted_at"] = format!("{granted}T05:00:00Z").into();
        world
            .folder
            .write("state/google/home.json", kept.to_string());
        let status = world.folder.run(["auth", "status", "--json"]).json();
        assert_eq!(
            status[0]["warning"].is_string(),
            warned,
            "{granted}: {status}"
        );
    }
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let world = World::person();
    let status = world.folder.run(["auth", "status"]);
    assert_eq!(status.code, 1, "{status}");
    for part in [
        "does not work",
        "nobody has signed in yet",
        "`reveille auth google --account home`",
    ] {
        assert!(status.stdout.contains(part), "{status}");
    }
    world.signs_in(&[]).prints(&["Signed in"]);
    world.google.revokes();
    let status = world.folder.run(["auth", "status", "--json"]).json();
    assert!(
        status[0]["wrong"]
            .as_str()
            .is_some_and(|why| why.contains("invalid_grant")),
        "{status}"
    );
    assert_eq!(
        status[0]["hint"],
        "run `reveille auth google --account home`"
    );
}

#[test]
fn a_service_account_needs_nobody() {
    let world = World::new("service_account.file = \"key.json\"");
    let status = world.folder.run(["auth", "status"]);
    status.prints(&[&format!("home: service account, {ROBOT}, works")]);
    world
        .folder
        .run(["auth", "google"])
        .says(2, &["nobody has to sign in"]);
    world
        .folder
        .run(["auth", "google", "--account", "ana"])
        .says(2, &["no OAuth client", "--client FILE"]);
    world
        .folder
        .write("key.json", "{\"private_key\": \"hunter2\"}");
    let status = world.folder.run(["auth", "status"]);
    assert_eq!(status.code, 1, "{status}");
    assert!(
        status.stdout.contains("not a service account's key"),
        "{status}"
    );
    assert!(!status.to_string().contains("hunter2"), "{status}");
}

#[test]
fn ctrl_c_ends_it_and_changes_nothing() {
    let world = World::person();
    let (begun, _) = world.begins(&[]);
    let id = rustix::process::Pid::from_child(&begun.child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it runs");
    begun.ends().says(1, &["stopped: nothing was changed"]);
    assert!(!world.folder.path("state/google").exists());
}

#[test]
fn the_owner_hears_once_that_a_sign_in_ended_and_once_that_there_is_one_again() {
    let world = World::person();
    let settings = world.folder.read("config/reveille.toml");
    world.folder.write(
        "config/reveille.toml",
        format!(
            "{settings}\n[calendars.ana]\ngoogle = \"primary\"\n\n[owner]\nnotify = \"journal\"\n"
        ),
    );
    let job = "[[step]]\nid = \"events\"\ncalendar = \"list\"\n\n[[deliver]]\nconsole = true\ntext = \"{{ events.count }}.\"\n";
    world.folder.write("jobs/list.toml", job);
    std::fs::create_dir_all(world.folder.path("state/google")).expect("a folder");
    let sign_in = |day: u32| {
        let token = world.google.signed_in(READ);
        let kept = serde_json::json!({
            "refresh_token": token, "granted_at": format!("2026-11-{day}T06:00:00Z"), "scopes": [READ],
        });
        world
            .folder
            .write("state/google/home.json", kept.to_string());
    };
    sign_in(20);
    world.google.revokes();
    let mut life = Life::start(&world.folder);
    for _ in 0..2 {
        let ran = world.folder.piped(&["run", "list"], "");
        assert_eq!(ran.code, 1, "{ran:?}");
    }
    life.says("Calendars, `home`: ");
    sign_in(21);
    world.folder.piped(&["run", "list"], "").prints(&["0."]);
    life.says("The calendars of `home` are read again");
    let said = life.end();
    assert_eq!(said.matches("Calendars, `home`: ").count(), 1, "{said}");
    assert!(said.contains("reveille auth google"), "{said}");
}
