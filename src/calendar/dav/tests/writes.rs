//! What a write meets, and what a second try of it finds.

use super::*;

#[tokio::test]
async fn what_a_write_meets() {
    let fake = Fake::new(|asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("PUT", "/cal/there.ics") => answer("412 No", "", ""),
        ("GET", "/cal/there.ics") => answer(
            "200 OK",
            "ETag: W/\"7\"\r\n",
            &event("there").replace('\r', ""),
        ),
        ("PUT", "/cal/other.ics") => answer("412 No", "", ""),
        ("GET", "/cal/other.ics") => answer(
            "200 OK",
            "ETag: \"7\"\r\n",
            &event("other").replace("Dentist", "x"),
        ),
        ("PUT", "/cal/named.ics") => answer(
            "409 Conflict",
            "",
            "<d:error xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><c:no-uid-conflict><d:href>/cal/x@y.ics</d:href></c:no-uid-conflict></d:error>",
        ),
        ("GET", "/cal/x%40y.ics") => answer("200 OK", "ETag: \"8\"\r\n", &event("named")),
        ("PUT", "/cal/silent.ics") => answer("201 Created", "", ""),
        ("GET", "/cal/silent.ics") => answer(
            "200 OK",
            "ETag: \"9\"\r\n",
            &event("silent").replace("Dentist", "Dentist!"),
        ),
        ("PUT", "/cal/mine.ics") => answer("403 No", "", ""),
        ("PUT", "/cal/full.ics") => answer("507 Full", "", ""),
        ("DELETE", "/cal/there.ics") => answer("412 No", "", ""),
        ("DELETE", "/cal/gone.ics") => answer("404 No", "", ""),
        _ => answer("204 No Content", "", ""),
    });
    let user = fake.user();
    let dav = user.dav();
    let create = async |uid: &str| {
        dav.create(
            &fake.url,
            &Draft {
                uid: uid.to_owned(),
                ..dentist()
            },
        )
        .await
    };
    let (id, made) = create("there").await.expect("made before");
    assert_eq!(
        (id.as_str(), made.etag.as_str()),
        ("/cal/there.ics", "W/\"7\"")
    );
    assert_eq!(made.ics, event("there"));
    assert!(matches!(create("other").await, Err(RemoteError::Changed)));
    assert_eq!(
        create("named").await.expect("made before").0,
        "/cal/x%40y.ics"
    );
    let (_, silent) = create("silent").await.expect("made");
    assert!(
        silent.etag == "\"9\"" && silent.ics.contains("Dentist!"),
        "{silent:?}"
    );
    let error = create("mine").await.expect_err("no right");
    assert!(
        matches!(&error, RemoteError::Refused(why) if why.contains("`me`")),
        "{error}"
    );
    assert!(matches!(create("full").await, Err(RemoteError::Refused(_))));

    let mut later = Draft {
        uid: String::new(),
        ..dentist()
    };
    later.title = "Later".to_owned();
    let known = seen("there", "W/\"6\"");
    let error = dav
        .update(&fake.url, &target("/cal/there.ics", &known), &later)
        .await;
    assert!(matches!(error, Err(RemoteError::Changed)));
    let put = fake
        .asked()
        .into_iter()
        .rfind(|asked| asked.method == "PUT")
        .expect("a write");
    assert!(
        put.head.contains("if-match: w/\"6\"") && put.body.contains("SEQUENCE:1"),
        "{put:?}"
    );
    // The one that arrived before.
    let again = dav
        .update(&fake.url, &target("/cal/there.ics", &known), &dentist())
        .await;
    assert_eq!(again.expect("done before").etag, "W/\"7\"");
    let again = dav.restore(&fake.url, "/cal/there.ics", &known, None).await;
    assert_eq!(again.expect("put back before").etag, "W/\"7\"");

    assert!(matches!(
        dav.delete(&fake.url, &target("/cal/there.ics", &known))
            .await,
        Err(RemoteError::Changed)
    ));
    assert!(matches!(
        dav.delete(&fake.url, &target("/cal/gone.ics", &known))
            .await,
        Err(RemoteError::Gone)
    ));
    assert!(matches!(
        dav.delete(&fake.url, &target("/cal/fine.ics", &known))
            .await,
        Ok(None)
    ));
    let bad = seen("x", "\"1\"\r\nX-Evil: 1");
    assert!(matches!(
        dav.delete(&fake.url, &target("/cal/a.ics", &bad)).await,
        Err(RemoteError::Answer(_))
    ));
}

#[tokio::test]
async fn an_occurrence_that_was_deleted_before_is_deleted() {
    let series = |more: &str| {
        event("s").replace(
            "SUMMARY",
            &format!("RRULE:FREQ=DAILY;COUNT=3\r\n{more}SUMMARY"),
        )
    };
    let (without, renamed) = (series("EXDATE:20261125T090000Z\r\n"), series("X-NEW:1\r\n"));
    let texts = [without.clone(), renamed];
    let fake = Fake::new(
        move |asked| match (asked.method.as_str(), asked.path.as_str()) {
            ("PUT", _) => answer("412 No", "", ""),
            (_, "/cal/without.ics") => answer("200 OK", "ETag: \"2\"\r\n", &texts[0]),
            (_, "/cal/renamed.ics") => answer("200 OK", "ETag: \"2\"\r\n", &texts[1]),
            _ => answer("404 No", "", ""),
        },
    );
    let user = fake.user();
    let dav = user.dav();
    let known = Resource {
        etag: "\"1\"".to_owned(),
        ics: series(""),
    };
    let delete = async |id: &str| {
        let occurrence = Some(at("2026-11-25T09:00:00Z"));
        let target = Target {
            id,
            seen: &known,
            occurrence,
        };
        dav.delete(&fake.url, &target).await
    };
    let left = delete("/cal/without.ics").await.expect("deleted before");
    assert_eq!(
        left,
        Some(Resource {
            etag: "\"2\"".to_owned(),
            ics: without
        })
    );
    assert!(matches!(
        delete("/cal/renamed.ics").await,
        Err(RemoteError::Changed)
    ));
    assert!(matches!(delete("/cal/gone.ics").await, Ok(None)));
}
