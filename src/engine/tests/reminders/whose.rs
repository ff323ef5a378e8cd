//! Whose reminders are, and where they are told.

use serde_json::{Value, json};

use super::{DAY, SETTINGS, den, name};
use crate::engine::tests::den::{Den, result};

#[test]
fn each_person_sees_and_changes_his_own() {
    let den = den();
    let other = (5, json!({ "id": 5 }));
    let mine = den.says("add", "tomorrow at 9 mine");
    let theirs = den.said_by(other.clone(), "add", "tomorrow at 9 theirs");
    let texts = |list: &Value| {
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| item["text"].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(&den.says("list", "")), ["\"mine\""]);
    assert_eq!(
        texts(&den.said_by(other.clone(), "list", "")),
        ["\"theirs\""]
    );
    for job in ["cancel", "done", "snooze"] {
        assert_eq!(den.said_by(other.clone(), job, name(&mine)), Value::Null);
        assert_eq!(den.says(job, name(&theirs)), Value::Null);
    }
    assert_eq!(texts(&den.says("list", "")), ["\"mine\""]);
    // What the owner types on a terminal is his too.
    let by_hand = json!({ "kind": "hand", "asked": true, "args": "", "user": { "id": 0 } });
    let run = den.tells("list", by_hand);
    den.emptied();
    assert_eq!(texts(&result(&den.story(run), "it")), ["\"mine\""]);
    den.passes(2 * DAY);
    den.reminds();
    let chats: Vec<_> = den
        .reminded()
        .iter()
        .map(|run| den.event_of(*run))
        .collect();
    let chats: Vec<_> = chats
        .iter()
        .map(|event| (&event["text"], &event["chat"]["id"], &event["user"]["id"]))
        .collect();
    assert!(
        chats.contains(&(&json!("mine"), &json!(4711), &Value::Null)),
        "{chats:?}"
    );
    assert!(
        chats.contains(&(&json!("theirs"), &json!(5), &json!(5))),
        "{chats:?}"
    );
}

#[test]
fn who_may_not_speak_any_more_is_told_nothing() {
    let mut den = den();
    den.said_by((5, json!({ "id": 5 })), "add", "tomorrow at 9 theirs");
    den.die();
    std::fs::write(
        den.path("config/reveille.toml"),
        SETTINGS.replace("[5]", "[6]"),
    )
    .unwrap();
    den.live();
    den.passes(2 * DAY);
    den.reminds();
    assert_eq!(den.reminded(), []);
}

/// Where a message about it went: the chat and its topic.
fn places(den: &Den) -> Vec<(Value, Value)> {
    let told = den.reminded().into_iter();
    let sent = told.flat_map(|run| den.story(run).deliveries);
    let place = |target: &Value| (target["chat"].clone(), target["thread"].clone());
    sent.map(|one| place(&one.message.target)).collect()
}

#[test]
fn it_is_told_where_it_was_asked_for() {
    let den = den();
    let topic = json!({ "id": -9, "title": "home", "thread": 3 });
    den.said_by((4711, topic), "add", "in 1 minute apples");
    den.passes(60);
    den.reminds();
    // In a group the owner is still the owner.
    let event = den.event_of(den.reminded()[0]);
    assert_eq!(event["user"], json!({ "name": "Ana" }));
    assert_eq!(
        event["chat"],
        json!({ "id": -9, "title": "home", "thread": 3 })
    );
    let by_hand = json!({ "kind": "hand", "asked": true, "args": "in 1 minute bread" });
    den.tells("add", by_hand);
    den.emptied();
    den.passes(60);
    den.reminds();
    assert_eq!(
        places(&den),
        [(json!(-9), json!(3)), (Value::Null, Value::Null)]
    );
}
