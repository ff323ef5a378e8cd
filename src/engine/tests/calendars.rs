//! Calendars at web addresses: fetched when they changed, kept when the server does not answer.

use std::time::Duration;

use serde_json::json;

use super::web::{Answer, Web, calendar};
use super::{Home, Ran};

const JOB: &str = "[[step]]\nid = \"events\"\ncalendar = \"list\"\n[[deliver]]\nconsole = true\n\
    text = \"{% for item in events.items %}{{ item.start_time }} {{ item.title }} {% endfor %}{% for warning in events.warnings %}({{ warning }}){% endfor %}\"\n";

fn ics(title: &str) -> String {
    calendar("20261120", &[("0900", title)])
}

fn ok(more: &str, body: &str) -> Answer {
    Answer::Says(200, more.to_owned(), body.to_owned())
}

async fn at(answers: Vec<Answer>) -> (Home, Web) {
    let web = Web::start(answers).await;
    let settings = format!("[calendars.home]\nics = \"{}/a.ics\"\n", web.url);
    let home = Home::new(tempfile::tempdir().unwrap(), &settings, JOB, &[]);
    (home, web)
}

fn said(ran: &Ran) -> String {
    ran.said().concat()
}

#[tokio::test]
async fn what_has_not_changed_is_neither_sent_nor_read_again() {
    let modified = "Fri, 20 Nov 2026 05:00:00 GMT";
    let first = ok(
        &format!("ETag: \"one\"\r\nLast-Modified: {modified}\r\n"),
        &ics("Dentist"),
    );
    let unchanged = Answer::Says(304, String::new(), String::new());
    let (home, web) = at(vec![first, unchanged]).await;
    assert_eq!(said(&home.run().await), "09:00 Dentist");
    // What is remembered of the day is made tellable: only a look that parses nothing shows it.
    let (key, kept) = home.kept("home", "2026-11-20+1");
    let marked = kept.unwrap().to_string().replace("Dentist", "Remembered");
    let change = (key, Some(serde_json::from_str(&marked).unwrap()));
    home.engine.store.remember(vec![change]).await.unwrap();
    assert_eq!(said(&home.run().await), "09:00 Remembered");
    let head = web.heads()[1].to_lowercase();
    assert!(head.contains("if-none-match: \"one\""), "{head}");
    assert!(
        head.contains(&format!("if-modified-since: {}", modified.to_lowercase())),
        "{head}"
    );

    web.now_answers(vec![ok("ETag: \"two\"\r\n", &ics("Swimming"))]);
    assert_eq!(said(&home.run().await), "09:00 Swimming");
    home.run().await;
    assert!(web.heads()[3].contains("\"two\""), "{:?}", web.heads());
}

/// What is known goes out with a warning when the server gives this, and stays for the next look.
async fn kept(bad: Answer, why: &str) {
    let (home, web) = at(vec![ok("ETag: \"one\"\r\n", &ics("Dentist"))]).await;
    home.run().await;
    home.clock.advance(Duration::from_secs(3 * 3600));
    web.now_answers(vec![bad]);
    let told = said(&home.run().await);
    assert!(
        told.starts_with("09:00 Dentist (home could not be brought up to date ("),
        "{told}"
    );
    assert!(told.contains(why), "{told}");
    assert!(
        told.ends_with("): this is from 2026-11-20 07:00)"),
        "{told}"
    );
    // The good one is what the next answer is compared with.
    web.now_answers(vec![Answer::Says(304, String::new(), String::new())]);
    assert_eq!(said(&home.run().await), "09:00 Dentist");
    assert!(web.heads()[2].contains("\"one\""), "{:?}", web.heads());
}

#[tokio::test]
async fn a_server_without_a_calendar_leaves_the_last_one() {
    kept(Answer::Hangs, "broke off").await;
    kept(
        Answer::Says(503, String::new(), "busy".into()),
        "status 503",
    )
    .await;
    kept(
        Answer::Says(404, String::new(), String::new()),
        "status 404",
    )
    .await;
    kept(ok("", "<html>Sign in</html>"), "a web page, not a calendar").await;
    kept(ok("", ""), "it is empty").await;
    let whole = ics("Half");
    kept(
        ok("ETag: \"bad\"\r\n", &whole[..whole.len() - 20]),
        "cut off",
    )
    .await;
    kept(
        Answer::Says(302, "Location: http://10.0.0.1/\r\n".into(), String::new()),
        "private network",
    )
    .await;
}

#[tokio::test]
async fn a_calendar_that_was_never_fetched_is_a_clear_failure() {
    let (home, _web) = at(vec![ok("", "<html>Sign in</html>")]).await;
    let ran = home.run().await;
    let page = "step `events`: home: its answer is of no use: this is a web page, not a calendar: is the address the *secret iCal* one?";
    assert_eq!(ran.failure(), page);
    let (home, _web) = at(vec![Answer::Hangs]).await;
    assert!(
        home.run()
            .await
            .failure()
            .starts_with("step `events`: home: ")
    );
}

#[tokio::test]
async fn what_was_fetched_for_a_run_that_failed_is_known_to_the_next() {
    let (home, web) = at(vec![ok("", &ics("Dentist")), Answer::Hangs]).await;
    let settings = format!("[calendars.home]\nics = \"{}/a.ics\"\n", web.url);
    let failing = JOB.replace("[[deliver]]", "[[step]]\nexec = [\"false\"]\n[[deliver]]");
    let home = home.again(&settings, &failing, &[]);
    home.run().await.failure();
    let home = home.again(&settings, JOB, &[]);
    let told = said(&home.run().await);
    assert!(told.starts_with("09:00 Dentist (home could not"), "{told}");
}

#[tokio::test]
async fn another_address_is_another_calendar() {
    let (home, web) = at(vec![ok("ETag: \"1\"\r\n", &ics("Dentist"))]).await;
    home.run().await;
    web.now_answers(vec![Answer::Hangs]);
    let home = home.again(
        &format!("[calendars.home]\nics = \"{}/b.ics\"\n", web.url),
        JOB,
        &[],
    );
    home.run().await.failure();
    assert!(!web.heads()[1].contains("If-None-Match") && !web.heads()[1].contains("if-none-match"));
}

#[tokio::test]
async fn a_redirect_is_followed() {
    let (home, _web) = at(vec![
        Answer::Says(302, "Location: /b.ics\r\n".into(), String::new()),
        ok("", &ics("Dentist")),
    ])
    .await;
    assert_eq!(said(&home.run().await), "09:00 Dentist");
}

#[tokio::test]
async fn one_calendar_that_fails_does_not_hide_the_others() {
    let (good, bad) = tokio::join!(
        Web::start(vec![ok("", &ics("Dentist"))]),
        Web::start(vec![Answer::Hangs])
    );
    let settings = format!(
        "[calendars.bad]\nics = \"{}/a.ics\"\n[calendars.good]\nics = \"{}/a.ics\"\nlabel = \"Good\"\n",
        bad.url, good.url
    );
    let home = Home::new(tempfile::tempdir().unwrap(), &settings, JOB, &[]);
    let told = said(&home.run().await);
    assert!(told.starts_with("09:00 Dentist (bad: "), "{told}");
}

#[tokio::test]
async fn servers_that_say_nothing_cost_one_wait_and_not_the_step() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("home.ics"), ics("Swimming")).unwrap();
    let settings = format!(
        "[calendars.a]\nics = \"{url}/a\"\n[calendars.b]\nics = \"{url}/b\"\n[calendars.home]\nics = \"home.ics\"\n"
    );
    let home = Home::new(folder, &settings, JOB, &[]);
    let (ran, _held) = tokio::join!(home.run(), async {
        let (one, two) = (silent.accept().await, silent.accept().await);
        // The limits of the run, the step and both requests.
        home.clock.sleeping(4).await;
        home.clock.advance(Duration::from_secs(30));
        (one, two)
    });
    assert!(said(&ran).starts_with("09:00 Swimming (a: "), "{ran:?}");
}

#[tokio::test]
async fn a_secret_address_is_written_nowhere() {
    for answer in [
        ok("ETag: \"TOKENTOKEN\"\r\n", &ics("TOKENTOKEN")),
        Answer::Hangs,
        ok("", "<html>"),
    ] {
        let web = Web::start(vec![answer]).await;
        let folder = tempfile::tempdir().unwrap();
        let url = format!("{}/private-TOKENTOKEN/a.ics", web.url);
        std::fs::write(folder.path().join("url"), &url).unwrap();
        let home = Home::new(folder, "[calendars.home]\nics.file = \"url\"\n", JOB, &[]);
        let ran = home.run().await;
        assert!(web.heads()[0].starts_with("GET /private-TOKENTOKEN/a.ics "));
        assert!(
            !format!("{ran:?}").contains("private-TOKENTOKEN"),
            "{ran:?}"
        );
        assert!(!home.written().contains("private-TOKENTOKEN"));
        let story = format!("{:?}", home.story(ran.finished.run));
        assert!(!story.contains("private-TOKENTOKEN"), "{}", json!(story));
    }
}
