//! Places that messages go to and that say nothing, or hang up.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::life::Life;
use crate::support::Folder;

/// A place whose calls a test answers one by one.
struct Sink(TcpListener);

impl Sink {
    fn new() -> Self {
        Sink(TcpListener::bind("127.0.0.1:0").expect("a free port"))
    }

    /// What sends a text to it.
    fn deliver(&self, text: &str, more: &str) -> String {
        let address = self.0.local_addr().expect("bound");
        format!("[[deliver]]\nwebhook = \"http://{address}/\"\n{more}\ntext = \"{text}\"\n\n")
    }

    fn call(&self) -> TcpStream {
        self.0.accept().expect("a call").0
    }

    /// The next call, when it has brought this text.
    fn brings(&self, text: &str) -> TcpStream {
        let mut call = self.call();
        let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
        while !seen.ends_with(text.as_bytes()) {
            let count = call.read(&mut bytes).expect("it goes on");
            assert!(count > 0, "{}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&bytes[..count]);
        }
        call
    }

    /// The next call brings this text, and is told that all is well.
    fn takes(&self, text: &str) {
        let said = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        self.brings(text).write_all(said).expect("it is heard");
    }

    /// The next call ends with a reset: what is closed with something unread in it is reset.
    fn resets(&self) {
        let mut call = self.call();
        call.read_exact(&mut [0]).expect("a byte");
    }
}

const AT_START: &str = "[[trigger]]\nstartup = true\n\n";

/// The messages of runs, by their texts, with what became of them.
fn states(folder: &Folder) -> Vec<String> {
    let rows = folder.run(["outbox", "--all", "--json"]).json();
    let rows = rows.as_array().expect("a list").iter();
    let rows = rows.filter(|row| !row["run"].is_null());
    let line =
        |row: &serde_json::Value| format!("{} {}", row["body"], row["state"]).replace('"', "");
    let mut lines: Vec<_> = rows.map(line).collect();
    lines.sort();
    lines
}

#[test]
fn a_place_that_never_answers_holds_up_no_other_and_the_next_life_knows_what_to_send() {
    let (deaf, good, once) = (Sink::new(), Sink::new(), Sink::new());
    let messages = [
        deaf.deliver("deaf", ""),
        good.deliver("first", ""),
        good.deliver("second", ""),
        once.deliver("once", "on_unknown = \"park\""),
    ];
    let folder = Folder::new().job("x", &(AT_START.to_owned() + &messages.concat()));
    let life = Life::start(&folder);
    let (_deaf, _once) = (deaf.brings("deaf"), once.brings("once"));
    good.takes("first");
    // The first is settled, or the second would not come.
    let second = good.brings("second");
    life.killed();
    drop(second);
    let text = folder.read("jobs/x.toml");
    folder.write(
        "jobs/x.toml",
        text.replace("startup", "enabled = false\nstartup"),
    );
    let mut life = Life::start(&folder);
    deaf.takes("deaf");
    good.takes("second");
    life.says_of("it may have arrived");
    life.end();
    assert_eq!(
        states(&folder),
        ["deaf sent", "first sent", "once parked", "second sent"]
    );
}

#[test]
fn a_place_that_resets_gets_it_again_where_it_may_come_twice() {
    let (twice, once) = (Sink::new(), Sink::new());
    let messages = [
        twice.deliver("twice", ""),
        once.deliver("once", "on_unknown = \"park\""),
    ];
    let folder = Folder::new().job("x", &(AT_START.to_owned() + &messages.concat()));
    let mut life = Life::start(&folder);
    once.resets();
    twice.resets();
    twice.takes("twice");
    life.says_of("it may have arrived");
    life.end();
    assert_eq!(states(&folder), ["once parked", "twice sent"]);
    once.0.set_nonblocking(true).expect("a socket");
    assert!(once.0.accept().is_err(), "it came twice");
}
