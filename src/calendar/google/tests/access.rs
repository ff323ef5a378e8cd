//! Tokens, limits and failures.

use super::fake::{KEY, ROBOT, SECRET};
use super::*;

fn why(error: &RemoteError) -> String {
    let shown = format!("{error} {error:?}");
    for secret in [SECRET, "1//refresh", "ya29.", "MII", KEY] {
        assert!(!shown.contains(secret), "a secret is shown: {shown}");
    }
    error.to_string()
}

#[tokio::test]
async fn a_service_account_shows_its_key_once_for_many_requests() {
    let world = World::robot(Write::No).await;
    world
        .server
        .read_only("es.spain#holiday@group.v.calendar.google.com");
    let found = world.google.calendars().await.expect("calendars");
    let found: Vec<_> = found
        .iter()
        .map(|one| (one.id.as_str(), one.writable, one.primary))
        .collect();
    let holidays = "es.spain#holiday@group.v.calendar.google.com";
    assert_eq!(found, [(OWN, true, true), (holidays, false, false)]);
    let asked = world.google.changes(holidays, None).await;
    asked.expect("an id with a # is found");
    assert_eq!(
        world.server.asked(),
        [
            "POST token".to_owned(),
            "GET users/me/calendarList".to_owned(),
            format!("GET calendars/{holidays}/events"),
        ]
    );
    assert_eq!(world.google.account().address(), Some(ROBOT));
}

#[tokio::test]
async fn an_access_token_is_refreshed_and_kept_in_the_state() {
    let world = World::person(&[READ], Write::No).await;
    world.all().await;
    let kept = world.google.account().kept().expect("a sign-in");
    let first = kept.access_token.expect("an access token");
    world.server.calls();
    // The next process finds it, as its owner's alone.
    let path = world.folder.path().join("home.json");
    let text = std::fs::read_to_string(&path).expect("there");
    assert!(text.contains(&first), "{text}");
    let account = person(&world.server, &world.folder, &world.clock, None).await;
    let account = account.expect("an account");
    let next = Google::new(account, Write::No, Some(&world.server.url));
    next.changes("primary", None).await.expect("a delta");
    assert_eq!(world.server.asked(), ["GET calendars/primary/events"]);
    // One that ended before its time costs one refusal.
    world.server.ends_access();
    next.changes("primary", None).await.expect("a delta");
    assert_eq!(
        world.server.asked(),
        [
            "GET calendars/primary/events",
            "POST token",
            "GET calendars/primary/events"
        ]
    );
    let kept = next.account().kept().expect("a sign-in");
    assert_ne!(kept.access_token, Some(first));
}

#[tokio::test]
async fn a_sign_in_of_elsewhere_is_read_and_what_is_new_goes_to_the_state() {
    let world = World::person(&[READ], Write::No).await;
    let path = world.folder.path().join("home.json");
    let text = std::fs::read_to_string(&path).expect("there");
    std::fs::remove_file(&path).expect("gone");
    let account = person(&world.server, &world.folder, &world.clock, Some(&text)).await;
    let account = account.expect("an account");
    let google = Google::new(account, Write::No, Some(&world.server.url));
    google.changes("primary", None).await.expect("a delta");
    let stored = Kept::parse(&std::fs::read_to_string(&path).expect("there"));
    assert!(stored.expect("a sign-in").access_token.is_some());
}

#[tokio::test]
async fn a_revoked_sign_in_is_for_a_person_to_mend() {
    let world = World::person(&[READ, WRITE], Write::Yes).await;
    world.server.revokes();
    let error = world.google.changes("primary", None).await;
    let error = error.expect_err("it is over");
    assert!(matches!(error, RemoteError::SignIn { .. }), "{error:?}");
    let why = why(&error);
    assert!(why.contains("invalid_grant"), "{why}");
    assert!(
        why.contains("`reveille auth google --account home --write`"),
        "{why}"
    );
}

#[tokio::test]
async fn nobody_signed_in_yet_and_for_reading_only() {
    let server = fake::Google::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let account = person(&server, &folder, &clock(), None)
        .await
        .expect("an account");
    let google = Google::new(account, Write::No, Some(&server.url));
    let error = google.calendars().await.expect_err("nobody signed in");
    assert!(why(&error).contains("nobody has signed in yet"), "{error}");
    let world = World::person(&[READ], Write::Yes).await;
    let draft = draft(
        "abcde",
        "Dinner",
        "2026-11-24T20:00:00+01:00",
        "2026-11-24T22:00:00+01:00",
    );
    let error = world.google.create("primary", &draft).await;
    let why = why(&error.expect_err("it is for reading"));
    assert!(
        why.contains("for reading only") && why.contains("--write"),
        "{why}"
    );
    assert_eq!(
        world.server.asked(),
        [""; 0],
        "nobody has to be asked for that"
    );
}

#[tokio::test]
async fn trouble_on_the_way_is_no_sign_in() {
    // The address of nobody.
    let world = World::person(&[READ], Write::No).await;
    let dead = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = dead.local_addr().expect("bound");
    drop(dead);
    let secret = world.server.client_secret();
    let secret = secret.replace(&world.server.url, &format!("http://{address}"));
    let credentials = Credentials::Client {
        secret: &secret,
        token: None,
    };
    let shared = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let account = Account::open("home", credentials, world.folder.path(), shared).await;
    let google = Google::new(
        account.expect("an account"),
        Write::No,
        Some(&world.server.url),
    );
    let error = google.changes("primary", None).await;
    let error = error.expect_err("nobody is there");
    assert!(matches!(error, RemoteError::Net(_)), "{error:?}");
    why(&error);
    // Google's trouble, twice: the refresh and the look at why it failed.
    world.server.fail_token(Fail::Page);
    world.server.fail_token(Fail::Page);
    let error = world.google.changes("primary", None).await;
    let error = error.expect_err("it has trouble");
    assert!(matches!(error, RemoteError::Busy { .. }), "{error:?}");
    // A moment's trouble.
    world.server.fail_token(Fail::Page);
    world.all().await;
    let robot = World::robot(Write::No).await;
    robot.server.fail_token(Fail::Page);
    let error = robot.google.calendars().await.expect_err("it has trouble");
    assert!(matches!(error, RemoteError::Busy { .. }), "{error:?}");
    robot.server.fail_token(Fail::Says(400, "invalid_grant"));
    let error = robot.google.calendars().await.expect_err("it is refused");
    assert!(matches!(error, RemoteError::SignIn { .. }), "{error:?}");
    assert!(why(&error).contains("service account"), "{error}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_after_30_s() {
    for write in [Write::No, Write::Yes] {
        // The sign-in: within it a limit of its own.
        let world = World::person(&[READ, WRITE], write).await;
        world.server.fail_token(Fail::Hang);
        let asked = world.google.changes("primary", None);
        let error = world.deaf(asked).await.expect_err("nothing came");
        assert!(matches!(error, RemoteError::Net(_)), "{error:?}");
        // The calendar.
        world.all().await;
        world.server.fail(Fail::Hang);
        let asked = world.google.changes("primary", None);
        let error = world.deaf(asked).await.expect_err("nothing came");
        assert_eq!(why(&error), "Google did not answer within 30 s");
        world.all().await;
    }
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let world = World::robot(Write::No).await;
    world.server.fail(Fail::Half);
    let error = world.google.changes("primary", None).await;
    let error = error.expect_err("it broke off");
    assert!(matches!(error, RemoteError::Net(_)), "{error:?}");
    assert_eq!(why(&error), "Google's answer broke off");
}

#[tokio::test]
async fn what_is_busy_is_asked_three_times() {
    let world = World::robot(Write::No).await;
    for fail in [
        Fail::Says(403, "rateLimitExceeded"),
        Fail::Says(403, "userRateLimitExceeded"),
        Fail::Says(429, "quotaExceeded"),
        Fail::Says(500, "backendError"),
        Fail::Page,
        Fail::Later(429, 7),
    ] {
        world.server.fail(fail.clone());
        let wait = if let Fail::Later(_, seconds) = fail {
            seconds
        } else {
            1
        };
        let asked = world.google.changes("primary", None);
        let told = world.resting(Duration::from_secs(wait), asked).await;
        told.unwrap_or_else(|error| panic!("{fail:?}: {error}"));
    }
    // To the end: 1 s, then 2 s.
    for _ in 0..3 {
        world.server.fail(Fail::Says(503, "backendError"));
    }
    world.server.calls();
    let asked = world.google.changes("primary", None);
    let asked = world.resting(Duration::from_secs(1), asked);
    let told = world.resting(Duration::from_secs(2), asked).await;
    let error = told.expect_err("it has trouble");
    assert!(
        matches!(error, RemoteError::Busy { after: None, .. }),
        "{error:?}"
    );
    assert_eq!(world.server.asked().len(), 3);
    // Whoever wants to be left alone longer than 10 s is.
    world.server.fail(Fail::Later(429, 60));
    let error = world.google.changes("primary", None).await;
    let error = error.expect_err("it wants a minute");
    let RemoteError::Busy { after, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(after, Some(Duration::from_secs(60)));
}

#[tokio::test]
async fn what_is_not_shared_is_said_with_whom_to_share_it() {
    let world = World::robot(Write::Yes).await;
    let error = world.google.changes("bea@example.org", None).await;
    let why = why(&error.expect_err("it is not shared"));
    for part in ["`bea@example.org`", "share it with", ROBOT] {
        assert!(why.contains(part), "{why}");
    }
    world.server.read_only("bea@example.org");
    let draft = draft(
        "abcde",
        "Dinner",
        "2026-11-24T20:00:00+01:00",
        "2026-11-24T22:00:00+01:00",
    );
    let error = world.google.create("bea@example.org", &draft).await;
    let error = error.expect_err("it is read only");
    assert!(matches!(error, RemoteError::Refused(_)), "{error:?}");
    assert!(
        error.to_string().contains("Make changes to events"),
        "{error}"
    );
    world
        .server
        .fail(Fail::Says(403, "insufficientPermissions"));
    let error = world.google.create("primary", &draft).await;
    let error = error.expect_err("the scope does not reach");
    assert!(error.to_string().contains("--write"), "{error}");
}

#[tokio::test]
async fn what_is_given_is_checked_and_not_shown() {
    let server = fake::Google::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let secret = server.client_secret();
    let key = server.service_key();
    let web = secret.replace("installed", "web");
    let open = secret.replace("http://127.0.0.1", "http://192.0.2.1");
    let torn = key.replace("BEGIN", "BEGUN");
    let token = format!("{{\"refresh_token\": \"{SECRET}\"}}");
    let token = Some(token.as_str());
    for (given, part) in [
        (Credentials::Service(&secret), "not a service account's key"),
        (Credentials::Service(&torn), "cannot be read"),
        (
            Credentials::Client {
                secret: &key,
                token: None,
            },
            "not an OAuth client's JSON",
        ),
        (
            Credentials::Client {
                secret: &web,
                token: None,
            },
            "Web application",
        ),
        (
            Credentials::Client {
                secret: &open,
                token: None,
            },
            "address",
        ),
        (
            Credentials::Client {
                secret: &secret,
                token,
            },
            "stored token",
        ),
    ] {
        let account = Account::open("home", given, folder.path(), clock()).await;
        let error = account.expect_err(part);
        assert!(matches!(error, RemoteError::SignIn { .. }), "{error:?}");
        assert!(why(&error).contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_sign_in_that_nobody_answers_ends_after_five_minutes() {
    let server = fake::Google::start().await;
    let (clock, secret) = (clock(), server.client_secret());
    let asking = Asking {
        name: "home",
        client: &secret,
        write: Write::No,
        port: 0,
    };
    let shared = Arc::clone(&clock) as Arc<dyn Clock>;
    let asked = sign_in(asking, &shared, |_, _| {});
    let passes = async {
        clock.sleeping(1).await;
        clock.advance(SIGN_IN_LIMIT);
    };
    let (told, ()) = tokio::join!(asked, passes);
    let error = told.expect_err("nobody came");
    assert!(why(&error).contains("within 5 minutes"), "{error}");
    // Where somebody else listens, nothing begins.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port();
    let error = sign_in(Asking { port, ..asking }, &shared, |_, _| {}).await;
    assert!(why(&error.expect_err("it is taken")).contains("--port"));
}
