//! Files that come while no daemon runs.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use super::life::Life;
use crate::support::Folder;

const FILES: usize = 10_000;

/// Takes every request of a connection, and tells their bodies.
fn take(stream: TcpStream, bodies: &Sender<String>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let head = line.to_ascii_lowercase();
            if let Some(value) = head.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let _ = bodies.send(String::from_utf8(body).expect("text"));
        let said = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        stream.get_mut().write_all(said)?;
    }
}

#[test]
fn ten_thousand_files_that_came_while_it_was_stopped_are_each_handled_once() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (sender, bodies) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            thread::spawn(move || take(stream, &sender));
        }
    });
    let job = format!(
        "concurrency.max = 8\n\n[[trigger]]\nwatch = \"inbox\"\nsettle = \"0s\"\n\n[[deliver]]\nwebhook = \"http://{address}/\"\ntext = \"{{{{ event.path }}}} {{{{ event.change }}}}\"\n"
    );
    let folder = Folder::new().job("files", &job);
    fs::create_dir(folder.path("inbox")).expect("a folder");
    Life::start(&folder).end();
    for number in 0..FILES {
        folder.write(&format!("inbox/{number}"), "x");
    }
    let life = Life::start(&folder);
    let mut came: BTreeMap<String, usize> = BTreeMap::new();
    while came.len() < FILES {
        *came.entry(bodies.recv().expect("they come")).or_default() += 1;
    }
    life.end();
    for body in bodies.try_iter() {
        *came.entry(body).or_default() += 1;
    }
    for number in 0..FILES {
        let path = folder.path(&format!("inbox/{number}"));
        let body = format!("{} created", path.display());
        assert_eq!(came.remove(&body), Some(1), "{body}");
    }
    assert!(came.is_empty(), "{came:?}");
}
