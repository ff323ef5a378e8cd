//! What `outbox` lists, and what a person does with it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use crate::support::Folder;

/// A service that gives each request one of these answers, in their order; gives its address.
fn service(answers: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/x", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else {
                return;
            };
            let mut seen = Vec::new();
            let mut buffer = [0; 4096];
            while !seen.ends_with(b"hello") {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => seen.extend_from_slice(&buffer[..count]),
                }
            }
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

fn job(url: &str, more: &str) -> String {
    format!("[[deliver]]\nwebhook = \"{url}\"\n{more}\ntext = \"hello\"\n")
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const BUSY: &str = "HTTP/1.1 503 Busy\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n";
const NEVER: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nno access";

#[test]
fn an_empty_outbox_says_so() {
    let folder = Folder::new();
    folder.run(["outbox"]).is(0, "", "the outbox is empty\n");
    folder.run(["outbox", "--json"]).is(0, "[]\n", "");
    let said = "error: message 7 is not in the outbox, or is being sent now\nhint: `reveille outbox` lists what is\n";
    folder.run(["outbox", "retry", "7"]).is(2, "", said);
    folder
        .run(["outbox", "drop", "x"])
        .says(2, &["`x` is not a message's number"]);
    let nothing = "there is nothing to do in the outbox\n";
    folder.run(["outbox", "drop", "all"]).is(0, "", nothing);
}

#[test]
fn a_webhook_is_called_by_hand_too() {
    let url = service(&[OK]);
    let folder = Folder::with(&job(&url, ""));
    folder.run(["run", "x"]).is(0, "", "");
    folder.run(["show"]).prints(&["to webhook  sent "]);
    folder.run(["outbox"]).is(0, "", "the outbox is empty\n");
    let all = folder.run(["outbox", "--all"]);
    all.prints(&[
        "1  Fri 20 Nov 2026 ",
        "x #1  webhook http://127.0.0.1:",
        "sent",
        "\"hello\"\n",
    ]);
}

#[test]
fn what_is_refused_for_now_stays_and_goes_out_when_a_person_says_so() {
    let url = service(&[BUSY, OK]);
    let folder = Folder::with(&job(&url, ""));
    let stays = "it stays in the outbox for the daemon or a later run";
    folder
        .run(["run", "x"])
        .says(1, &["error: not delivered: webhook: ", "status 503", stays]);
    folder.run(["outbox"]).prints(&[
        "pending",
        "due Fri ",
        "(in 10 min)",
        "status 503",
        "\"hello\"\n",
    ]);
    let said = "1 message is sent again by the daemon or the next run\n";
    folder.run(["outbox", "retry", "1"]).is(0, said, "");
    let folder = folder.job("y", "[[deliver]]\nconsole = true\ntext = \"y\"\n");
    folder.run(["run", "y"]).is(0, "y\n", "");
    let rows = folder.run(["outbox", "--all", "--json"]).json();
    assert_eq!(
        (&rows[0]["state"], &rows[0]["body"]),
        (&"sent".into(), &"hello".into())
    );
}

#[test]
fn what_may_have_arrived_is_set_aside_and_said_what_to_do_with() {
    let url = service(&["", NEVER]);
    let folder = Folder::with(&job(&url, "on_unknown = \"park\""));
    folder
        .run(["run", "x"])
        .says(1, &["it may have arrived; see `reveille outbox`"]);
    let listed = folder.run(["outbox"]);
    listed.prints(&["parked", ": it may have arrived; \"hello\"\n"]);
    listed.says(0, &["hint: what is parked may have arrived: `reveille outbox retry 1` sends it again, `reveille outbox drop 1` lets it be"]);
    let folder = folder.job("y", "[[deliver]]\nconsole = true\ntext = \"y\"\n");
    folder.run(["run", "y"]).is(0, "y\n", "");
    folder.run(["outbox"]).prints(&["parked"]);
    folder
        .run(["outbox", "retry", "all"])
        .prints(&["1 message is "]);
    folder.run(["run", "y"]).says(
        0,
        &[
            "error: not delivered: run #1 of `x`: webhook: ",
            "status 403: no access",
        ],
    );
    folder.run(["outbox"]).prints(&["failed"]);
    folder
        .run(["outbox", "drop", "#1"])
        .is(0, "1 message is dropped\n", "");
    folder.run(["outbox"]).is(0, "", "the outbox is empty\n");
}

#[test]
fn what_has_its_time_is_kept_for_it() {
    let folder = Folder::with(
        "[[deliver]]\nconsole = true\nquiet = \"06:00-09:00\"\ntext = \"held\"\n\n[[deliver]]\nconsole = true\nquiet = \"06:00-09:00\"\nurgent = true\ntext = \"now\"\n\n[[deliver]]\nfile = \"d.md\"\ndigest = \"08:00\"\ntext = \"gathered\"\n",
    );
    let kept = "kept in the outbox for the daemon or a later run: console: Fri 20 Nov 2026 09:00, file: Fri 20 Nov 2026 08:00\n";
    folder.run(["run", "x"]).is(0, "now\n", kept);
    folder.run(["run", "x"]).is(0, "now\n", kept);
    folder
        .run(["outbox"])
        .prints(&["due Fri 09:00:00", "due Fri 08:00:00"]);
    // At nine the next run finds them; what was gathered is one message.
    let later = ["run", "x", "--now", "2026-11-20 09:00"];
    let said = folder.unclocked(&later).output().expect("it runs");
    let heard = String::from_utf8_lossy(&said.stderr);
    assert_eq!(heard.matches("held").count(), 2, "{heard}");
    let file = folder.read("state/workspace/d.md");
    assert_eq!(file.matches("gathered").count(), 2, "{file}");
}
