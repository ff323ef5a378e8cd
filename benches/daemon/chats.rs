//! From a message of a chat to its answer, and whose a message is.

use std::time::{Duration, Instant};

use reveille::telegram::intent::{Asked, Claim, Claims, Intents};
use telegram::{TOKEN, Telegram};
use tokio::runtime::Runtime;

use super::process::Place;
use super::rows::Bare;
use super::{above, median, millis, percentile, rest, row, tls};

#[path = "../../tests/fakes/telegram.rs"]
mod telegram;

const MESSAGES: i64 = 200;

/// Longer than Telegram wants between two messages.
const APART: Duration = Duration::from_millis(60);

/// A message is committed, its run with the answer, and that the answer leaves.
const COMMITS: u32 = 3;

/// A bot that so many people may write to, and a job that says again what they wrote.
fn echo(place: &Place, people: i64) -> (Runtime, Telegram) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let telegram = runtime.block_on(Telegram::start());
    let users: Vec<String> = (1..=people).map(|user| user.to_string()).collect();
    place.settings(&format!(
        "[telegram]\ntoken.env = \"BOT\"\napi_url = \"{}\"\nusers = [{}]\n",
        telegram.url,
        users.join(", ")
    ));
    std::fs::write(place.folder.join(".env"), format!("BOT={TOKEN}\n")).expect("written");
    place.job(
        "echo",
        "[[trigger]]\ntelegram = \"/echo\"\n\n[[deliver]]\ntelegram = \"origin\"\ntext = \"**{{ event.args }}**\"\n",
    );
    (runtime, telegram)
}

/// What came while the daemon was off: from so many chats, so much from each.
const CHATS: i64 = 500;
const EACH: i64 = 20;

/// 30 messages a second over all chats, which the sender keeps by 34 ms from one to the next.
const RATE: Duration = Duration::from_millis(34);

pub fn backlog(place: &Place) {
    let (runtime, telegram) = echo(place, CHATS + 1);
    let daemon = place.daemon();
    // What it needs once is not what a backlog takes.
    telegram.says(CHATS + 1, "/echo 0");
    runtime.block_on(telegram.saw("sendMessage", 1));
    std::thread::sleep(Duration::from_secs(4));
    let (rest, own) = (daemon.rss(), daemon.own());
    let began = Instant::now();
    let (mut last, mut taken, mut drained) = (0, Duration::ZERO, Duration::ZERO);
    let whole = usize::try_from(CHATS * EACH).expect("a count");
    let most_own = daemon.most_own(|| {
        for number in 1..=EACH {
            for user in 1..=CHATS {
                last = telegram.says(user, &format!("/echo {number}"));
            }
        }
        runtime.block_on(telegram.has_confirmed(last + 1));
        taken = began.elapsed();
        runtime.block_on(telegram.saw("sendMessage", whole + 1));
        drained = began.elapsed();
    });
    let most = daemon.most_rss();
    drop(daemon);
    let mut next = vec![1; usize::try_from(CHATS).expect("a count") + 1];
    for (chat, text) in telegram.sent().into_iter().skip(1) {
        let next = &mut next[usize::try_from(chat).expect("a person")];
        assert_eq!(text, next.to_string(), "chat {chat} is out of order");
        *next += 1;
    }
    let limit = RATE * u32::try_from(whole).expect("a count");
    row(
        "10,000 messages of 500 chats, all committed",
        taken.as_secs_f64(),
        "s",
        60.0,
        "60 s",
    );
    row(
        "the last of their answers, in order",
        drained.as_secs_f64(),
        "s",
        limit.as_secs_f64() * 1.02,
        "the 34 ms from one to the next that Telegram wants, and 2 %",
    );
    row(
        "RSS above its rest",
        (most - rest) as f64,
        "MiB",
        (10 << 20) as f64,
        "10 MiB",
    );
    row(
        "of it no file's: pages of the program itself are given back at rest",
        most_own.saturating_sub(own) as f64,
        "MiB",
        (10 << 20) as f64,
        "10 MiB",
    );
}

/// Everything of the daemon, and chats that are asked for by TLS.
pub fn polling(place: &Place) {
    let pss = polled(place, "");
    row(
        "idle, 100 jobs, chats asked for by TLS: PSS",
        pss,
        "MiB",
        (10 << 20) as f64,
        "10 MiB",
    );
}

/// The same with a calendar of Google that is looked at each minute, ahead of whose entries a job starts.
pub fn everything(place: &Place) {
    let google = google();
    let key = serde_json::json!({
        "type": "service_account", "project_id": "home", "private_key_id": "1", "client_id": "1",
        "private_key": include_str!("../../tests/data/google-key.pem"), "client_email": "pi@home.iam.gserviceaccount.com",
        "auth_uri": format!("{google}/auth"), "token_uri": format!("{google}/token"),
    });
    let path = place.folder.join("google.json");
    std::fs::write(&path, key.to_string()).expect("written");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, private).expect("its owner's");
    place.job(
        "ahead",
        "[[trigger]]\ncalendar = \"before\"\nby = \"15m\"\n\n[[deliver]]\nfile = \"x\"\ntext = \"x\"\n",
    );
    let more = format!(
        "[google.home]\nservice_account.file = \"google.json\"\napi_url = \"{google}\"\n\n[calendars.home]\ngoogle = \"primary\"\n"
    );
    let pss = polled(place, &more);
    let asked = ASKED.load(std::sync::atomic::Ordering::Relaxed);
    assert!(asked > 0, "nobody looked at the calendar");
    row(
        "the same and a calendar of Google: PSS",
        pss,
        "MiB",
        (11 << 20) as f64,
        "11 MiB",
    );
}

/// How often events were asked for.
static ASKED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// A Google with an empty calendar.
fn google() -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut chunk = [0; 16384];
                while let Ok(read) = stream.read(&mut chunk)
                    && read > 0
                {
                    let body = match &chunk[..4] {
                        b"POST" => {
                            "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":3600}"
                        }
                        b"GET " => {
                            ASKED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                            "{\"items\":[],\"nextSyncToken\":\"t\"}"
                        }
                        // The rest of a request.
                        _ => continue,
                    };
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                        body.len()
                    );
                    if stream.write_all((head + body).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

/// The memory of a daemon at rest that asks for chats by TLS, in bytes.
fn polled(place: &Place, more: &str) -> f64 {
    let (runtime, telegram) = echo(place, 1);
    let server = telegram.url.trim_start_matches("http://").to_owned();
    let port = runtime.block_on(tls::before(server, &place.folder));
    rest::jobs(place, 100);
    let settings = std::fs::read_to_string(place.folder.join("config/reveille.toml"));
    let settings = settings.expect("it was written");
    let chats = "[telegram]\ntoken.env = \"BOT\"\nowner = 1\n";
    let settings = format!("{settings}\n{chats}api_url = \"https://localhost:{port}\"\n\n{more}");
    std::fs::write(place.folder.join("config/reveille.toml"), settings).expect("written");
    let daemon = place.daemon();
    telegram.says(1, "/echo hello");
    runtime.block_on(telegram.saw("sendMessage", 1));
    std::thread::sleep(Duration::from_secs(70));
    daemon.pss() as f64
}

pub fn answers(place: &Place) {
    let (runtime, telegram) = echo(place, MESSAGES);
    let bare = Bare::new(&place.folder).commits(COMMITS);
    let daemon = place.daemon();
    let mut took = Vec::new();
    for user in 1..=MESSAGES {
        let began = Instant::now();
        telegram.says(user, "/echo hello");
        runtime.block_on(telegram.saw("sendMessage", took.len() + 1));
        took.push(began.elapsed());
        std::thread::sleep(APART);
    }
    let pss = daemon.pss();
    drop(daemon);
    above(
        "message to its answer, p50",
        median(took.clone()),
        bare,
        Duration::from_millis(5),
    );
    above(
        "message to its answer, p99",
        percentile(took, 99),
        bare,
        Duration::from_millis(15),
    );
    row(
        "the daemon after them: PSS",
        pss as f64,
        "MiB",
        (10 << 20) as f64,
        "10 MiB",
    );
}

const TRIGGERS: usize = 1_000;

pub fn intents(_: &Place) {
    let claim = |number: usize| Claim {
        job: format!("job-{number}"),
        trigger: "telegram".to_owned(),
        kind: match number % 4 {
            0 => Claims::Command(format!("command_{number}")),
            _ => Claims::Text,
        },
        words: vec![
            format!("word{number}"),
            format!("other{number}"),
            "agenda".to_owned(),
        ],
        phrases: vec![format!("what about {number}")],
        regex: number
            .is_multiple_of(10)
            .then(|| format!("buy (?<count>\\d+) of {number}")),
    };
    let intents = Intents::new((0..TRIGGERS).map(claim).collect());
    let mut took = Vec::new();
    for number in 0..TRIGGERS {
        let text = format!(
            "Please tell me what about {number}, is there anything else that I should know on Friday?"
        );
        let began = Instant::now();
        let found = intents.of(Asked {
            text: &text,
            file: false,
        });
        took.push(began.elapsed());
        assert_eq!(found[0].job, format!("job-{number}"));
    }
    let bound = Duration::from_micros(50);
    row(
        "whose a message is, 1000 triggers, p50",
        millis(median(took)),
        "ms",
        millis(bound),
        "0.05 ms",
    );
}
