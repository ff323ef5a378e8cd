//! Answers that grow on the phone as a model writes them.

use super::super::life::Life;
use super::{OWNER, World};
use crate::fake_models::{Act, Ollama, Script};

/// Whatever no other job claims, to a model.
const ASK: &str = r#"
[[trigger]]
telegram = "any"

[[step]]
id = "answer"
prompt = "ask.md"
route = "smart"
FACTS

[[deliver]]
telegram = "origin"
stream = true
text = "> {{ event.text }}\n\n{{ answer }}"
"#;

/// A world with a model that does this, and a job that asks it.
fn asking(script: Script, facts: &str) -> (World, Ollama) {
    let world = World::new(&format!("owner = {OWNER}"));
    let ollama = world.runtime.block_on(Ollama::start(script));
    let settings = world.folder.read("config/reveille.toml");
    let models = format!(
        "{settings}\n[models.tiny]\nprovider = \"ollama\"\nurl = \"{}\"\nmodel = \"tiny\"\n\n[routes.smart]\nmodels = [\"tiny\"]\n",
        ollama.url
    );
    world.folder.write("config/reveille.toml", models);
    world.folder.write(
        "prompts/ask.md",
        "Answer the question.\n---\n{{ event.text }}\n",
    );
    (world.with("ask", &ASK.replace("FACTS", facts)), ollama)
}

#[test]
fn a_message_grows_and_ends_exact() {
    let acts = vec![
        Act::Say("Once upon"),
        Act::Wait,
        Act::Say(" a time"),
        Act::Wait,
        Act::Say(" **there** was."),
        Act::Done("stop"),
    ];
    let (world, ollama) = asking(Script::chat(acts), "");
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "A story?");
    assert_eq!(world.sent(1), ["A story?\n\nOnce upon"]);
    // It types, beside all else.
    world.wait(world.telegram.saw("sendChatAction", 1));
    ollama.go_on();
    let edited = world.wait(world.telegram.saw("editMessageText", 1));
    assert_eq!(edited[0]["text"], "A story?\n\nOnce upon a time");
    ollama.go_on();
    let last = |edits: &[serde_json::Value]| {
        edits.last().expect("one")["text"] == "A story?\n\nOnce upon a time there was."
    };
    let mut edits = 2;
    while !last(&world.wait(world.telegram.saw("editMessageText", edits))) {
        edits += 1;
    }
    world.is_settled();
    life.end();
    assert_eq!(
        world.telegram.shows(OWNER),
        ["A story?\n\nOnce upon a time there was."]
    );
    let looks = &world
        .telegram
        .calls("editMessageText")
        .pop()
        .expect("the last")["entities"];
    assert!(looks.to_string().contains("bold"), "{looks}");
    world
        .folder
        .run(["show", "1"])
        .prints(&["telegram", "sent"]);
}

#[test]
fn a_model_that_dies_leaves_a_message_that_says_so() {
    let acts = vec![Act::Say("Once upon"), Act::Wait, Act::Die];
    let (world, ollama) = asking(Script::chat(acts), "");
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "A story?");
    world.sent(1);
    ollama.go_on();
    world.wait(world.telegram.saw("editMessageText", 1));
    let why = &world.sent(2)[1];
    assert!(
        why.starts_with("ask failed: step answer: no model answered"),
        "{why}"
    );
    world.is_settled();
    life.end();
    assert_eq!(
        world.telegram.shows(OWNER)[..1],
        ["A story?\n\nOnce upon\n\n(it stopped here)"]
    );
}

#[test]
fn a_crash_in_the_middle_goes_on_in_the_same_message() {
    let script = Script {
        chats: vec![
            vec![Act::Say("Once upon"), Act::Hang],
            vec![Act::Say("Once upon a time."), Act::Done("stop")],
        ],
        ..Script::says("")
    };
    let (world, _ollama) = asking(script, "");
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "A story?");
    world.sent(1);
    // Its number is written down by the time that the next question is answered.
    world.telegram.says(OWNER, "/echo hello");
    world.sent(2);
    life.killed();
    let life = Life::start(&world.folder);
    world.wait(world.telegram.saw("editMessageText", 1));
    world.is_settled();
    life.end();
    let shows = world.telegram.shows(OWNER);
    assert_eq!(shows[0], "A story?\n\nOnce upon a time.");
    assert!(
        shows[1..].iter().all(|text| text.ends_with("hello Ana")),
        "{shows:?}"
    );
}

#[test]
fn what_is_held_to_the_facts_is_shown_when_it_was_looked_at() {
    let first = vec![
        Act::Say("At 25:00"),
        Act::Wait,
        Act::Say(" you sleep."),
        Act::Done("stop"),
    ];
    let second = vec![Act::Say("At 26:00."), Act::Done("stop")];
    let script = Script {
        chats: vec![first, second],
        ..Script::says("")
    };
    let (world, ollama) = asking(script, "facts = \"strict\"\nfallback = \"ask.md\"");
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "When?");
    world.wait(world.telegram.saw("sendChatAction", 1));
    world.wait(ollama.asked("/api/chat"));
    ollama.go_on();
    let sent = world.sent(1);
    assert!(
        sent[0].contains("When?") && !sent[0].contains("25:00"),
        "{sent:?}"
    );
    assert!(world.telegram.calls("editMessageText").is_empty());
    life.end();
}

#[test]
fn a_question_may_follow_another() {
    let (world, ollama) = asking(Script::says("Blue."), "");
    for file in ["prompts/ask.md", "jobs/ask.toml"] {
        let shipped = std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR")));
        world.folder.write(file, shipped.expect("it is shipped"));
    }
    let life = Life::start(&world.folder);
    world.telegram.says(OWNER, "Which colour has the sky?");
    assert_eq!(world.sent(1), ["Blue."]);
    // What is shown comes before what is written down.
    let ended = || {
        let runs = world.folder.piped(&["history", "--json"], "").json();
        runs[0]["state"] == "ok"
    };
    while !ended() {}
    world.telegram.says(OWNER, "And the sea?");
    world.sent(2);
    let asked = &ollama.bodies("/api/chat")[1]["messages"];
    let said = asked.as_array().expect("messages")[1..].iter();
    let said: Vec<_> = said
        .map(|turn| (turn["role"].as_str(), turn["content"].as_str()))
        .collect();
    let turn = |role, text| (Some(role), Some(text));
    assert_eq!(
        said,
        [
            turn("user", "Which colour has the sky?"),
            turn("assistant", "Blue."),
            turn("user", "And the sea?"),
        ]
    );
    life.end();
}

#[test]
fn a_guests_words_are_not_the_owners_when_he_repeats_their_run() {
    let writes = || {
        vec![
            Act::Tool("file_write", r#"{"path": "outputs/x.txt", "text": "evil"}"#),
            Act::Done("stop"),
        ]
    };
    let says = || vec![Act::Say("So it is."), Act::Done("stop")];
    let script = Script {
        chats: vec![writes(), says(), writes(), says()],
        ..Script::says("")
    };
    let (world, _ollama) = asking(script, "");
    let settings = world.folder.read("config/reveille.toml");
    let owner = format!("owner = {OWNER}");
    world.folder.write(
        "config/reveille.toml",
        settings.replace(&owner, &format!("{owner}\nusers = [4799]")),
    );
    let job = "[[trigger]]\ntelegram = \"any\"\n\n[[step]]\nid = \"answer\"\nagent = \"plain.md\"\nroute = \"smart\"\ntools = [\"file.write\"]\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"{{ answer }}\"\n";
    world.folder.write("jobs/ask.toml", job);
    world.folder.write("prompts/plain.md", "Answer.\n");
    let life = Life::start(&world.folder);
    world.telegram.says(4799, "write evil");
    let waits = |run: &str| while !world.folder.piped(&["approvals"], "").stdout.contains(run) {};
    waits("#1");
    world
        .folder
        .piped(&["approvals", "deny", "1"], "")
        .prints(&[]);
    let mut again = world.folder.unclocked(&["replay", "1"]);
    let again = again.spawn().expect("it starts");
    waits("#2");
    world
        .folder
        .piped(&["approvals", "deny", "2"], "")
        .prints(&[]);
    again.wait_with_output().expect("it ended");
    assert!(!world.folder.path("state/workspace/outputs/x.txt").exists());
    life.end();
}
