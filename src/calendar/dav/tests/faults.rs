//! What servers and attackers do.

use std::time::Duration;

use super::*;
use crate::net::HeaderValue;

/// Every failure of a look, with nothing in it that is nobody's business.
async fn failure(answer: String) -> RemoteError {
    let fake = Fake::new(move |_| answer.clone());
    let user = fake.user();
    let error = user
        .dav()
        .changes(&fake.url, Some("t"), &[], window())
        .await
        .expect_err("a failure");
    for secret in ["hunter2", "bWU6aHVudGVyMg", "/cal"] {
        assert!(
            !format!("{error} {error:?} {:?}", user.dav()).contains(secret),
            "{error:?}"
        );
    }
    error
}

#[tokio::test]
async fn failures_are_told_apart() {
    let error = failure(answer(
        "401 Unauthorized",
        "WWW-Authenticate: Basic realm=\"x\"\r\n",
        "",
    ))
    .await;
    assert!(
        matches!(&error, RemoteError::SignIn { right, .. } if right.contains("app password")),
        "{error}"
    );
    let error = failure(answer(
        "401 Unauthorized",
        "WWW-Authenticate: Digest realm=\"x\"\r\n",
        "",
    ))
    .await;
    assert!(
        matches!(&error, RemoteError::SignIn { why, .. } if why.contains("Basic")),
        "{error}"
    );
    let error = failure(answer("429 Slow", "Retry-After: 120\r\n", "")).await;
    let wait = Some(Duration::from_secs(120));
    assert!(
        matches!(error, RemoteError::Busy { after, .. } if after == wait),
        "{error}"
    );
    let error = failure(answer("503 No", "", "<html>")).await;
    assert!(
        matches!(error, RemoteError::Busy { after: None, .. }),
        "{error}"
    );
    let error = failure(answer("423 Locked", "", "")).await;
    assert!(matches!(error, RemoteError::Busy { .. }), "{error}");
    let error = failure(answer("404 No", "", "")).await;
    assert!(matches!(error, RemoteError::Gone), "{error}");
    let error = failure(answer("405 No", "", "")).await;
    assert!(
        error.to_string().contains("not as a CalDAV server"),
        "{error}"
    );
    let error = failure(answer("200 OK", "", "<html><p>Hello")).await;
    assert!(
        error.to_string().contains("not as a CalDAV server"),
        "{error}"
    );
}

#[tokio::test]
async fn broken_and_hostile_answers_are_refused() {
    let half = multistatus(&found("/cal/a.ics", "<d:getetag>1</d:getetag>"));
    let error = failure(half[..half.len() - 60].to_owned()).await;
    assert!(matches!(error, RemoteError::Net(_)), "{error}");
    let endless = format!("HTTP/1.1 207 x\r\n\r\n<d:multistatus xmlns:d=\"DAV:\">{ENDLESS}");
    let error = failure(endless).await;
    assert!(error.to_string().contains("larger than"), "{error}");
    let laughs = "<!DOCTYPE m [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><m>&b;</m>";
    let error = failure(answer("207 x", "", laughs)).await;
    assert!(error.to_string().contains("DOCTYPE"), "{error}");
    let error = failure(answer("207 x", "", &"<a>".repeat(100_000))).await;
    assert!(error.to_string().contains("nests"), "{error}");
    let error = failure("garbage\r\n\r\n".to_owned()).await;
    assert!(matches!(error, RemoteError::Net(_)), "{error}");
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let (release, held) = channel::<()>();
    let held: Mutex<Receiver<()>> = Mutex::new(held);
    let fake = Fake::new(move |_| {
        let _ = held.lock().expect("no panic").recv();
        String::new()
    });
    let user = fake.user();
    let dav = user.dav();
    let look = dav.changes(&fake.url, Some("t"), &[], window());
    let (looked, ()) = tokio::join!(look, async {
        user.clock.sleeping(1).await;
        user.clock.advance(Limits::default().total);
    });
    let error = looked.expect_err("no answer");
    assert!(
        error.to_string().contains("did not answer within 30s"),
        "{error}"
    );
    drop(release);
}

#[tokio::test]
async fn the_password_stays_with_its_server() {
    let other = Fake::new(|_| multistatus(""));
    let to = other.url.to_string();
    let fake = Fake::new(move |_| answer("302 Found", &format!("Location: {to}\r\n"), ""));
    let user = fake.user();
    let error = user.dav().find(None).await.expect_err("elsewhere");
    let expected = other.url.origin().ascii_serialization();
    assert!(
        matches!(&error, RemoteError::Refused(why) if why.contains(&expected)),
        "{error}"
    );
    let error = user
        .dav()
        .create(&fake.url, &dentist())
        .await
        .expect_err("elsewhere");
    assert!(matches!(error, RemoteError::Refused(_)), "{error}");
    // Nor is it brought to a calendar of another server that an answer or a caller names.
    let error = user
        .dav()
        .create(&other.url, &dentist())
        .await
        .expect_err("elsewhere");
    assert!(matches!(error, RemoteError::Refused(_)), "{error}");
    let home = other.url.to_string();
    let fake = Fake::new(move |_| {
        multistatus(&found(
            "/cal/",
            &format!("<c:calendar-home-set><d:href>{home}</d:href></c:calendar-home-set>"),
        ))
    });
    let user = fake.user();
    let error = user.dav().find(None).await.expect_err("elsewhere");
    assert!(matches!(error, RemoteError::Refused(_)), "{error}");
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn redirects_within_the_server_keep_method_and_body() {
    let fake = Fake::new(|asked| match asked.path.as_str() {
        "/cal/abc123.ics" => answer("307 Moved", "Location: /new/abc123.ics\r\n", ""),
        "/loop/abc123.ics" => answer("308 Moved", "Location: /loop/abc123.ics\r\n", ""),
        _ => answer("201 Created", "ETag: \"1\"\r\n", ""),
    });
    let user = fake.user();
    let (_, made) = user
        .dav()
        .create(&fake.url, &dentist())
        .await
        .expect("made");
    assert_eq!(made.etag, "\"1\"");
    let last = fake.asked().remove(1);
    assert_eq!(
        (last.method.as_str(), last.path.as_str()),
        ("PUT", "/new/abc123.ics")
    );
    assert!(
        last.head.contains("if-none-match: *") && last.body.contains("Dentist"),
        "{last:?}"
    );
    assert!(
        last.head.contains("authorization: basic bwu6ahvudgvymg=="),
        "{last:?}"
    );
    let round = fake.url.join("/loop/").expect("a URL");
    let error = user
        .dav()
        .create(&round, &dentist())
        .await
        .expect_err("a circle");
    assert!(error.to_string().contains("five times"), "{error}");
}

#[test]
fn a_password_goes_in_the_open_only_at_home() {
    let check = |url: &str, allowed: bool| {
        let user = User::new(Url::parse(url).expect("a URL"), "me", "hunter2");
        let made = Dav::new(&user.client, &*user.clock, &user.account, Tz::UTC);
        assert_eq!(made.is_ok(), allowed, "{url}");
    };
    for url in [
        "https://dav.example.org/",
        "http://127.0.0.1:5232/",
        "http://[::1]/",
        "http://192.168.1.4/",
        "http://nas/",
        "http://pi.local/",
        "http://[fd00::1]/",
    ] {
        check(url, true);
    }
    for url in [
        "http://dav.example.org/",
        "http://93.184.216.34/",
        "http://local.example/",
        "http://169.254.169.254/",
    ] {
        check(url, false);
    }
}

#[test]
fn a_server_behind_a_proxy_may_forget_its_tls() {
    let check = |from: &str, to: &str, expected: Option<&str>| {
        let from = Url::parse(from).expect("a URL");
        let location = HeaderValue::from_str(to).expect("a header");
        let next = super::super::ask::next(&from, Some(&location));
        assert_eq!(next.ok().as_ref().map(Url::as_str), expected, "{to}");
    };
    let from = "https://x.org:8443/.well-known/caldav";
    check(from, "/dav", Some("https://x.org:8443/dav"));
    check(from, "http://x.org/dav", Some("https://x.org:8443/dav"));
    check(from, "http://x.org:81/dav", None);
    check(from, "http://y.org/dav", None);
    check(from, "https://x.org/dav", None);
    check("http://127.0.0.1:1/", "https://127.0.0.1/dav", None);
    check(from, "http://", None);
}

#[test]
fn a_neighbour_by_https_is_ours_and_no_other() {
    let check = |own: &str, other: &str, ours: bool| {
        let user = User::new(Url::parse(own).expect("a URL"), "me", "hunter2");
        assert_eq!(
            user.dav().is_ours(&Url::parse(other).expect("a URL")),
            ours,
            "{own} {other}"
        );
    };
    check(
        "https://caldav.icloud.com",
        "https://p34-caldav.icloud.com:443/1/calendars/",
        true,
    );
    check(
        "https://caldav.icloud.com",
        "http://p34-caldav.icloud.com/",
        false,
    );
    check(
        "https://caldav.icloud.com",
        "https://p34-caldav.icloud.com:8443/",
        false,
    );
    check(
        "https://caldav.icloud.com",
        "https://evilicloud.com/",
        false,
    );
    check(
        "https://caldav.icloud.com",
        "https://icloud.com.evil.org/",
        false,
    );
    check("https://example.org", "https://other.org/", false);
    check("http://nas.local", "http://other.nas.local/", false);
}

#[tokio::test]
async fn what_is_no_calendar_any_more_is_said() {
    let fake = Fake::new(|_| {
        multistatus(&found(
            "/cal/",
            "<d:resourcetype><d:collection/></d:resourcetype>",
        ))
    });
    let user = fake.user();
    let error = user
        .dav()
        .changes(&fake.url, None, &[], window())
        .await
        .expect_err("none");
    assert!(error.to_string().contains("no calendar"), "{error}");
}

#[tokio::test]
async fn one_bad_event_does_not_keep_the_others_away() {
    let endless = format!("HTTP/1.1 207 x\r\n\r\n<d:multistatus xmlns:d=\"DAV:\">{ENDLESS}");
    let bad = [
        endless,
        multistatus("<d:response>&odd;</d:response>"),
        answer("501 No", "", ""),
    ];
    for bad in bad {
        let fake = Fake::new(move |asked| match asked.method.as_str() {
            "GET" => answer("200 OK", "ETag: \"1\"\r\n", &event("u")),
            _ if asked.body.contains("multiget") => bad.clone(),
            _ => multistatus(
                &[
                    found("/cal/a.ics", "<d:getetag>1</d:getetag>"),
                    found("/cal/b.ics", "<d:getetag>1</d:getetag>"),
                    "<d:sync-token>t2</d:sync-token>".to_owned(),
                ]
                .concat(),
            ),
        });
        let user = fake.user();
        let delta = user
            .dav()
            .changes(&fake.url, Some("t"), &[], window())
            .await
            .expect("changes");
        assert!(
            delta.changes.len() == 2 && delta.changes.iter().all(|change| change.now.is_some()),
            "{delta:?}"
        );
    }
}
