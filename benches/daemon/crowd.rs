//! A crowd before one model: 1,000 runs of two jobs whose prompts wait for one lane, and a person who asks in the middle.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::process::{Place, free_port};
use super::row;

const EACH: usize = 500;

/// So many runs of a job are under way at once: both jobs fill the daemon's places.
const AT_ONCE: usize = 128;

/// A server of models that answers only when it is let; what it was asked, in order.
#[derive(Default)]
struct Model {
    open: Mutex<bool>,
    opened: Condvar,
    asked: Mutex<Vec<char>>,
}

impl Model {
    fn start() -> (Arc<Model>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let model = Arc::new(Model::default());
        let shared = Arc::clone(&model);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let model = Arc::clone(&shared);
                thread::spawn(move || model.serve(stream));
            }
        });
        (model, url)
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut held = Vec::new();
        let mut chunk = [0; 16384];
        loop {
            let text = String::from_utf8_lossy(&held).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                match stream.read(&mut chunk) {
                    Ok(0) | Err(_) => return,
                    Ok(read) => held.extend_from_slice(&chunk[..read]),
                }
                continue;
            };
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse().ok())?
            });
            if body.len() < length.unwrap_or(0) {
                match stream.read(&mut chunk) {
                    Ok(0) | Err(_) => return,
                    Ok(read) => held.extend_from_slice(&chunk[..read]),
                }
                continue;
            }
            held.clear();
            let chat = head.starts_with("POST /api/chat");
            if let Some(who) = ['A', 'B', 'P']
                .iter()
                .find(|who| body.contains(&format!("by {who}.")))
                .filter(|_| chat)
            {
                self.asked.lock().expect("whole").push(*who);
            }
            let open = self.open.lock().expect("whole");
            drop(self.opened.wait_while(open, |open| !*open && chat));
            let answer = match chat {
                true => {
                    "{\"message\":{\"content\":\"Fine.\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":20,\"eval_count\":2}\n"
                }
                false => "{\"models\":[{\"name\":\"m\",\"model\":\"m\"}]}",
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
                answer.len()
            );
            if stream.write_all((head + answer).as_bytes()).is_err() {
                return;
            }
        }
    }
}

pub fn crowd(place: &Place) {
    let (model, url) = Model::start();
    let port = free_port();
    place.settings(&format!(
        "[web]\nlisten = \"127.0.0.1:{port}\"\n\n[models.m]\nprovider = \"ollama\"\nurl = \"{url}\"\nmodel = \"m\"\n\n[routes.r]\nmodels = [\"m\"]\n"
    ));
    for who in ["A", "B", "P"] {
        place.prompt(who, &format!("Asked by {who}.\n---\nNothing."));
        let name = who.to_lowercase();
        place.job(
            &name,
            &format!(
                "concurrency.max = {AT_ONCE}\n\n[[trigger]]\nwebhook = \"{name}\"\n\n[[step]]\nid = \"text\"\nprompt = \"{who}.md\"\nroute = \"r\"\n\n[[deliver]]\nfile = \"{name}.txt\"\ntext = \"{{{{ text }}}}\"\n"
            ),
        );
    }
    let daemon = place.daemon();
    let post = |name: &str, number: usize| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        let request = format!(
            "POST /hooks/{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nIdempotency-Key: {name}{number}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    };
    // What each kind of thing needs once is no part of the crowd.
    *model.open.lock().expect("whole") = true;
    post("a", EACH);
    let rows = |state: &str| -> i64 {
        let sql = "SELECT count(*) FROM runs WHERE state = ?1";
        place
            .database()
            .query_row(sql, [state], |row| row.get(0))
            .expect("a count")
    };
    wait(|| rows("finished") == 1);
    *model.open.lock().expect("whole") = false;
    model.asked.lock().expect("whole").clear();
    let rest = daemon.own();
    // First all of the one, then all of the other.
    for name in ["a", "b"] {
        (0..EACH).for_each(|number| post(name, number));
    }
    let queued = daemon.own();
    // Four times as many.
    for name in ["a", "b"] {
        (EACH + 1..4 * EACH + 1).for_each(|number| post(name, number));
    }
    let more = daemon.own();
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let mut person = place
        .command(&["run", "p"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    wait(|| rows("running") + rows("queued") + rows("waiting") > 8 * EACH as i64);
    *model.open.lock().expect("whole") = true;
    model.opened.notify_all();
    let most = daemon.most_own(|| wait(|| rows("finished") == 8 * EACH as i64 + 2));
    person.wait().expect("it ends");
    let grew = mib(queued.max(most).saturating_sub(rest));
    let said = format!("{:.1} MiB above its rest", mib(queued.saturating_sub(rest)));
    row(
        "memory of 4,000 queued model steps above that of 1,000, no file's",
        mib(more.saturating_sub(queued)),
        "MiB",
        3.0,
        &said,
    );
    row(
        "the most while they are worked off, above its rest",
        grew,
        "MiB",
        24.0,
        "256 runs under way",
    );
    let asked = model.asked.lock().expect("whole").clone();
    let place = asked
        .iter()
        .position(|who| *who == 'P')
        .unwrap_or(asked.len());
    row(
        "a person among them is asked for as number",
        place as f64 + 1.0,
        "",
        3.0,
        "3rd: what is under way ends first",
    );
    // While both wait for the lane they take turns; which runs begin is by the order of their events.
    let (mut ahead, mut most) = (0_i64, 0_i64);
    for who in asked.iter().take(AT_ONCE) {
        ahead += match who {
            'A' => 1,
            'B' => -1,
            _ => 0,
        };
        most = most.max(ahead.abs());
    }
    row(
        "one job ahead of the other by",
        most as f64,
        "calls",
        3.0,
        "in turns",
    );
}

fn wait(done: impl Fn() -> bool) {
    for _ in 0..12_000 {
        if done() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("it takes longer than two minutes");
}
