//! Letters, to a server that speaks SMTP and fails where it is told to.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::*;
use crate::job::OnUnknown;

/// What the server says to commands that begin so, once; "" hangs up.
type Script = &'static [(&'static str, &'static str)];

struct Server {
    settings: String,
    letters: watch::Sender<Vec<String>>,
}

impl Server {
    async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let letters = watch::Sender::default();
        let seen = letters.clone();
        tokio::spawn(async move {
            let mut script = script.to_vec();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = talk(stream, &mut script, &seen).await;
            }
        });
        Server {
            settings: format!(
                "[email]\nserver = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nfrom = \"Reveille <pi@example.org>\"\nto = \"me@example.org\"\n"
            ),
            letters,
        }
    }

    fn letters(&self) -> Vec<String> {
        self.letters.borrow().clone()
    }
}

async fn talk(
    stream: TcpStream,
    script: &mut Vec<(&str, &str)>,
    letters: &watch::Sender<Vec<String>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 fake ESMTP\r\n").await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        if line == "DATA\r\n" && !script.iter().any(|(command, _)| *command == "DATA") {
            stream.write_all(b"354 go on\r\n").await?;
            let mut letter = String::new();
            while !letter.ends_with("\r\n.\r\n") {
                if stream.read_line(&mut letter).await? == 0 {
                    return Ok(());
                }
            }
            letters.send_modify(|letters| letters.push(letter));
            line = ".".to_owned();
        }
        let told = script
            .iter()
            .position(|(command, _)| line.starts_with(command));
        let answer = match told.map(|told| script.remove(told)) {
            Some((_, "")) => return Ok(()),
            Some((_, answer)) => answer,
            None if line.starts_with("EHLO") => "250-fake\r\n250 AUTH PLAIN",
            None => "250 fine",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        line.clear();
    }
    Ok(())
}

fn letter(to: &str, subject: &str, body: &str) -> NewDelivery {
    let target = json!({ "to": [to], "subject": subject });
    NewDelivery::usual("email", to, target, body)
}

async fn home(server: &Server, more: &str) -> (Home, Outbox) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("password"), "hunter2hunter2\n").unwrap();
    let clock = Arc::new(TestClock::at(at("2026-11-20T06:00:00Z")));
    let home = Home::at(folder, clock, &format!("{}{more}", server.settings));
    let outbox = home.start().await;
    (home, outbox)
}

/// How one letter stands after one try.
async fn once(script: Script, on_unknown: OnUnknown) -> (Delivery, usize) {
    let server = Server::start(script).await;
    let (home, outbox) = home(&server, "").await;
    let mut message = letter("a@example.org", "x", "hello");
    message.policy.on_unknown = on_unknown;
    let ids = home.send(&outbox, vec![message]).await;
    settled(&outbox, 1).await;
    (home.row(ids[0]), server.letters().len())
}

#[tokio::test]
async fn a_letter_is_whole_and_its_text_comes_through() {
    let server = Server::start(&[]).await;
    let (home, outbox) = home(&server, "").await;
    let body = "Año nuevo: 09:00\n.\nsigned";
    let ids = home
        .send(
            &outbox,
            vec![letter("Ana <ana@example.org>", "Mañana", body)],
        )
        .await;
    settled(&outbox, 1).await;
    let seen = server.letters().remove(0);
    assert!(
        seen.contains("From: Reveille <pi@example.org>\r\n"),
        "{seen}"
    );
    assert!(seen.contains("To: Ana <ana@example.org>\r\n"), "{seen}");
    assert!(
        seen.contains("Date: Fri, 20 Nov 2026 06:00:00 +0000\r\n"),
        "{seen}"
    );
    assert!(
        seen.contains("Subject: =?utf-8?b?TWHDsWFuYQ==?=\r\n"),
        "{seen}"
    );
    assert!(seen.contains("charset=utf-8"), "{seen}");
    assert!(seen.contains("A=C3=B1o nuevo: 09:00\r\n"), "{seen}");
    assert!(seen.contains("\r\n..\r\nsigned"), "{seen}");
    let receipt = match home.state(ids[0]) {
        DeliveryState::Sent { receipt, .. } => receipt.unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(receipt["said"], "fine");
}

#[tokio::test]
async fn a_second_copy_is_known_by_its_id() {
    // It has the letter, and hangs up instead of saying so.
    let server = Server::start(&[(".", "")]).await;
    let (home, outbox) = home(&server, "").await;
    home.send(&outbox, vec![letter("a@example.org", "x", "hello")])
        .await;
    settled(&outbox, 1).await;
    home.pass(1, Duration::from_secs(3)).await;
    settled(&outbox, 2).await;
    let ids: Vec<_> = server
        .letters()
        .iter()
        .map(|letter| {
            let mut lines = letter.lines();
            let id = lines.find(|line| line.starts_with("Message-ID: <reveille."));
            id.unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    assert!(ids[0].ends_with("@example.org>"), "{}", ids[0]);
}

#[tokio::test]
async fn what_a_server_refuses_for_ever_fails_and_for_now_waits() {
    let never = "550 5.1.1 no such user";
    let (row, letters) = once(&[("RCPT", "550 5.1.1 no such user")], OnUnknown::Park).await;
    let expected = format!("127.0.0.1 answered {never}");
    assert_eq!(
        row.reason.unwrap(),
        expected.replace("answered 550 ", "answered 550: ")
    );
    assert_eq!((row.state.word(), letters), ("failed", 0));
    for script in [
        &[("MAIL", "451 try later")] as Script,
        &[("RCPT", "450 greylisted")],
        &[("DATA", "452 no space")],
        &[(".", "421 busy")],
        &[("EHLO", ""), ("HELO", "")],
        &[("RCPT", "")],
    ] {
        let (row, _) = once(script, OnUnknown::Park).await;
        assert_eq!(row.state.word(), "pending", "{script:?}: {row:?}");
    }
}

#[tokio::test]
async fn a_letter_that_may_have_been_taken_is_set_aside_where_it_may_come_once_only() {
    let (row, letters) = once(&[(".", "")], OnUnknown::Park).await;
    assert_eq!((row.state.word(), letters), ("parked", 1));
}

#[tokio::test]
async fn a_login_that_is_refused_is_said_without_the_password() {
    let server = Server::start(&[("AUTH", "535 5.7.8 bad credentials hunter2hunter2")]).await;
    let login = "user = \"me\"\npassword.file = \"password\"\n";
    let (home, outbox) = home(&server, login).await;
    let ids = home
        .send(&outbox, vec![letter("a@example.org", "x", "hello")])
        .await;
    settled(&outbox, 1).await;
    let row = home.row(ids[0]);
    assert_eq!(row.state.word(), "failed");
    assert_eq!(
        row.reason.unwrap(),
        "127.0.0.1 answered 535: 5.7.8 bad credentials ***"
    );
}

#[tokio::test]
async fn letters_are_two_seconds_apart() {
    let server = Server::start(&[]).await;
    let (home, outbox) = home(&server, "").await;
    let two = ["1", "2"].map(|body| letter("a@example.org", "x", body));
    home.send(&outbox, two.to_vec()).await;
    settled(&outbox, 1).await;
    home.pass(1, Duration::from_millis(1999)).await;
    home.clock.sleeping(1).await;
    assert_eq!(server.letters().len(), 1);
    home.clock.advance(Duration::from_millis(1));
    settled(&outbox, 2).await;
    assert_eq!(server.letters().len(), 2);
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    let server = Server::start(&[]).await;
    let settings = server.settings.replace("\"none\"", "\"starttls\"");
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::at(at("2026-11-20T06:00:00Z")));
    let home = Home::at(folder, clock, &settings);
    let outbox = home.start().await;
    let ids = home
        .send(&outbox, vec![letter("a@example.org", "x", "hello")])
        .await;
    settled(&outbox, 1).await;
    assert_eq!(
        (home.words(&ids), server.letters().len()),
        (vec!["failed"], 0)
    );
    let reason = home.row(ids[0]).reason.unwrap();
    assert!(reason.contains("STARTTLS"), "{reason}");
}
