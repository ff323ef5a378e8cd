//! What changed, from servers of every kind.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::calendar::remote::{Change, Delta};

const ABLE: &str = "<d:resourcetype><c:calendar/></d:resourcetype><d:supported-report-set><d:supported-report><d:report><d:sync-collection/></d:report></d:supported-report></d:supported-report-set>";
const UNABLE: &str = "<d:resourcetype><c:calendar/></d:resourcetype><d:supported-report-set><d:supported-report><d:report><c:calendar-query/></d:report></d:supported-report></d:supported-report-set>";

fn token(token: &str) -> String {
    format!("<d:sync-token>{token}</d:sync-token>")
}

fn version(href: &str, etag: &str) -> String {
    found(href, &format!("<d:getetag>{etag}</d:getetag>"))
}

/// A multiget's answer: an event for each href, but for those that are gone or tasks.
fn texts(body: &str) -> String {
    let hrefs = body
        .split("<D:href>")
        .skip(1)
        .filter_map(|part| part.split('<').next());
    let all: String = hrefs
        .map(|href| {
            let text = match href {
                gone if gone.contains("gone") => return status(gone, 404),
                task if task.contains("task") => {
                    "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR".to_owned()
                }
                _ => event("u"),
            };
            let text = text.replace("\r\n", "\n");
            // Another spelling than the one that was asked for.
            found(
                &href.replace("%40", "@"),
                &format!("<d:getetag>\"new\"</d:getetag><c:calendar-data>{text}</c:calendar-data>"),
            )
        })
        .collect();
    multistatus(&all)
}

fn now(id: &str) -> Change {
    Change {
        id: id.to_owned(),
        now: Some(seen("u", "\"new\"")),
    }
}

fn gone(id: &str) -> Change {
    Change {
        id: id.to_owned(),
        now: None,
    }
}

fn known(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(id, etag)| ((*id).to_owned(), (*etag).to_owned()))
        .collect()
}

/// A server with a list of changes that knows only the token `t2`.
fn able(asked: &Asked) -> String {
    if asked.method == "PROPFIND" {
        return multistatus(&found("/cal/", ABLE));
    }
    if asked.body.contains("calendar-multiget") {
        return texts(&asked.body);
    }
    assert!(asked.head.contains("depth: 0"), "{asked:?}");
    if asked.body.contains("<D:sync-token>t2</D:sync-token>") {
        return multistatus(
            &[
                status("/cal/", 200),
                version("/cal/", "x"),
                version("/cal/b@x.ics", "\"new\""),
                version("/cal/same.ics", "\"1\""),
                version("/cal/task.ics", "\"1\""),
                version("/other/c.ics", "\"1\""),
                status("/cal/a%20a.ics", 404),
                token("t3"),
            ]
            .concat(),
        );
    }
    if asked.body.contains("<D:sync-token></D:sync-token>") {
        return multistatus(
            &[
                version("/cal/b%40x.ics", "\"new\""),
                version("/cal/same.ics", "\"1\""),
                version("/cal/task.ics", "\"1\""),
                token("t2"),
            ]
            .concat(),
        );
    }
    answer(
        "403 Forbidden",
        "",
        "<error xmlns='DAV:'><valid-sync-token/></error>",
    )
}

#[tokio::test]
async fn a_list_of_changes_is_followed() {
    let fake = Fake::new(able);
    let user = fake.user();
    let dav = user.dav();
    let delta = dav
        .changes(
            &fake.url,
            Some("t2"),
            &known(&[("/cal/same.ics", "\"1\"")]),
            window(),
        )
        .await
        .expect("changes");
    let expected = Delta {
        whole: false,
        changes: vec![
            gone("/cal/a%20a.ics"),
            now("/cal/b%40x.ics"),
            gone("/cal/task.ics"),
        ],
        token: Some("t3".to_owned()),
    };
    assert_eq!(delta, expected);
    let bodies: Vec<_> = fake.asked().into_iter().map(|asked| asked.body).collect();
    assert!(
        bodies.len() == 2 && !bodies[1].contains("same.ics"),
        "{bodies:?}"
    );

    let whole = Delta {
        whole: true,
        changes: vec![now("/cal/b%40x.ics"), now("/cal/same.ics")],
        token: Some("t2".to_owned()),
    };
    assert_eq!(
        dav.changes(&fake.url, None, &[], window())
            .await
            .expect("all"),
        whole
    );
    // Without the slash at its end, and with a token that is not known any more.
    let bare = Url::parse(fake.url.as_str().trim_end_matches('/')).expect("a URL");
    assert_eq!(
        dav.changes(&bare, Some("t0"), &[], window())
            .await
            .expect("all"),
        whole
    );
    let delta = dav
        .changes(
            &fake.url,
            Some("t0"),
            &known(&[("/cal/same.ics", "\"1\""), ("/cal/lost.ics", "\"1\"")]),
            window(),
        )
        .await
        .expect("all");
    assert!(!delta.whole);
    assert_eq!(
        delta.changes,
        [
            now("/cal/b%40x.ics"),
            gone("/cal/lost.ics"),
            gone("/cal/task.ics")
        ]
    );
}

#[tokio::test]
async fn a_list_in_parts_is_read_to_its_end() {
    let parts = AtomicUsize::new(0);
    let fake = Fake::new(move |asked| {
        if asked.body.contains("calendar-multiget") {
            return texts(&asked.body);
        }
        let part = parts.fetch_add(1, Ordering::Relaxed);
        let mut inner = version(&format!("/cal/{part}.ics"), "\"1\"");
        if part < 2 {
            inner += &status("/cal/", 507);
        }
        multistatus(&(inner + &token(&format!("t{part}"))))
    });
    let user = fake.user();
    let delta = user
        .dav()
        .changes(&fake.url, Some("t"), &[], window())
        .await
        .expect("changes");
    assert_eq!(
        delta.changes,
        [now("/cal/0.ics"), now("/cal/1.ics"), now("/cal/2.ics")]
    );
    assert_eq!(delta.token.as_deref(), Some("t2"));

    let fake = Fake::new(|_| multistatus(&(status("/cal/", 507) + &token("t"))));
    let user = fake.user();
    let error = user
        .dav()
        .changes(&fake.url, Some("t"), &[], window())
        .await
        .expect_err("no end");
    assert!(error.to_string().contains("does not end"), "{error}");
}

#[tokio::test]
async fn a_server_that_gives_up_on_a_list_is_asked_for_everything() {
    for refusal in ["507 Too much", "410 Gone", "409 Conflict"] {
        let fake =
            Fake::new(
                move |asked| match asked.body.contains("<D:sync-token>old</D:sync-token>") {
                    true => answer(refusal, "", ""),
                    false => able(asked),
                },
            );
        let user = fake.user();
        let delta = user
            .dav()
            .changes(&fake.url, Some("old"), &[], window())
            .await
            .expect("all");
        assert!(
            delta.whole && delta.token.as_deref() == Some("t2"),
            "{refusal} {delta:?}"
        );
    }
}

/// A server without lists of changes.
fn unable(asked: &Asked) -> String {
    if asked.method == "PROPFIND" {
        return multistatus(&found(
            "/cal/",
            &format!("{UNABLE}<s:getctag>c1</s:getctag>"),
        ));
    }
    if asked.body.contains("calendar-multiget") {
        return texts(&asked.body);
    }
    if asked.body.contains("calendar-query") {
        assert!(
            asked
                .body
                .contains("start=\"20261019T000000Z\" end=\"20271225T000000Z\""),
            "{asked:?}"
        );
        assert!(asked.head.contains("depth: 1"), "{asked:?}");
        return multistatus(
            &[
                version("/cal/a.ics", "\"1\""),
                status("/cal/d.ics", 503),
                status("/cal/e.ics", 503),
                version("/cal/b.ics", "\"2\""),
            ]
            .concat(),
        );
    }
    answer("501 No", "", "")
}

#[tokio::test]
async fn versions_are_compared_where_there_is_no_list() {
    let fake = Fake::new(unable);
    let user = fake.user();
    let dav = user.dav();
    let delta = dav
        .changes(&fake.url, None, &[], window())
        .await
        .expect("all");
    assert!(delta.whole);
    assert_eq!(delta.changes, [now("/cal/a.ics"), now("/cal/b.ics")]);
    let before = fake.asked().len();
    let same = dav
        .changes(&fake.url, delta.token.as_deref(), &[], window())
        .await
        .expect("nothing");
    assert_eq!(
        same,
        Delta {
            token: delta.token.clone(),
            ..Delta::default()
        }
    );
    assert_eq!(fake.asked().len(), before + 1);

    let list = known(&[
        ("/cal/a.ics", "\"1\""),
        ("/cal/b.ics", "\"1\""),
        ("/cal/c.ics", "\"1\""),
        ("/cal/d.ics", "\"1\""),
    ]);
    // Another server's token, and one of another day.
    for token in ["t", "reveille-query 2026-10-19 430 c1"] {
        let delta = dav
            .changes(&fake.url, Some(token), &list, window())
            .await
            .expect("changes");
        assert!(!delta.whole);
        assert_eq!(
            delta.changes,
            [now("/cal/b.ics"), gone("/cal/c.ics")],
            "{token}"
        );
    }
}

#[tokio::test]
async fn many_are_brought_in_batches_and_what_is_passed_over_alone() {
    let fake = Fake::new(|asked| match asked.method.as_str() {
        "PROPFIND" => multistatus(&found("/cal/", ABLE)),
        "GET" if asked.path.contains("lost") => answer("404 No", "", ""),
        "GET" if asked.path.contains("private") => answer("403 No", "", ""),
        "GET" => answer("200 OK", "ETag: \"new\"\r\n", &event("u")),
        _ if asked.body.contains("multiget") => texts(
            &asked
                .body
                .replace("<D:href>/cal/lone", "")
                .replace("<D:href>/cal/lost", "")
                .replace("<D:href>/cal/private", ""),
        ),
        _ => {
            let all: String = (0..120)
                .map(|number| version(&format!("/cal/{number}.ics"), "1"))
                .collect();
            multistatus(
                &[
                    all,
                    version("/cal/lone.ics", "1"),
                    version("/cal/lost.ics", "1"),
                    version("/cal/private.ics", "1"),
                    status("/cal/broken.ics", 500),
                    version("/cal/gone.ics", "1"),
                    token("t"),
                ]
                .concat(),
            )
        }
    });
    let user = fake.user();
    let delta = user
        .dav()
        .changes(&fake.url, None, &[], window())
        .await
        .expect("all");
    assert_eq!(delta.changes.len(), 121);
    assert!(delta.whole && delta.changes.contains(&now("/cal/lone.ics")));
    let batches = fake
        .asked()
        .iter()
        .filter(|asked| asked.body.contains("multiget"))
        .count();
    assert_eq!(batches, 3);
}

#[tokio::test]
async fn text_without_end_is_not_kept() {
    let big = format!(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nX:{}\nEND:VEVENT\nEND:VCALENDAR",
        "x".repeat(3 << 20)
    );
    let fake = Fake::new(move |asked| match asked.method.as_str() {
        "PROPFIND" => multistatus(&found("/cal/", ABLE)),
        "GET" => answer("200 OK", "ETag: 1\r\n", &big),
        _ if asked.body.contains("multiget") => multistatus(""),
        _ => multistatus(
            &((0..30)
                .map(|number| version(&format!("/cal/{number}.ics"), "1"))
                .collect::<String>()
                + &token("t")),
        ),
    });
    let user = fake.user();
    let error = user
        .dav()
        .changes(&fake.url, None, &[], window())
        .await
        .expect_err("too much");
    assert!(error.to_string().contains("more than 64 MiB"), "{error}");
}
