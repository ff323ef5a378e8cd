//! From addresses of every kind to calendars.

use super::*;

const CALENDAR: &str = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>";
const PLACE: &str = "<d:resourcetype><d:collection/></d:resourcetype>";

/// A server with one user, whose home has four collections.
fn server(asked: &Asked) -> String {
    let deep = asked.head.contains("depth: 1");
    let principal = "<d:current-user-principal><d:href>/u/me/</d:href></d:current-user-principal>";
    match (asked.path.as_str(), deep) {
        ("/.well-known/caldav", _) => answer("301 Moved", "Location: /dav/\r\n", ""),
        ("/dav/", false) => multistatus(&found("/dav/", &format!("{PLACE}{principal}"))),
        ("/u/me/", false) => multistatus(&found(
            "/u/me/",
            &format!("{principal}<c:calendar-home-set><d:href>/home/me%40x</d:href></c:calendar-home-set>"),
        )),
        ("/home/me%40x/" | "/home/me@x/", false) => multistatus(&found("/home/me@x/", &format!("{PLACE}{principal}"))),
        ("/home/me%40x/" | "/home/me@x/", true) => multistatus(&[
            found("/home/me@x/", PLACE),
            found("/home/me@x/a/", &format!("{CALENDAR}<d:displayname>Work &amp; home</d:displayname><c:supported-calendar-component-set><c:comp name='VEVENT'/><c:comp name='VTODO'/></c:supported-calendar-component-set><d:current-user-privilege-set><d:privilege><d:read/></d:privilege><d:privilege><d:write/></d:privilege></d:current-user-privilege-set>")),
            found("/home/me@x/tasks/", &format!("{CALENDAR}<c:supported-calendar-component-set><c:comp name='VTODO'/></c:supported-calendar-component-set>")),
            found("/home/me@x/Caf%C3%A9/", &format!("{CALENDAR}<d:current-user-privilege-set><d:privilege><d:read/></d:privilege></d:current-user-privilege-set>")),
            found("/home/me@x/books/", PLACE),
            found("http://evil.example.org/home/b/", CALENDAR),
        ].concat()),
        ("/home/me%40x/a/" | "/home/me%40x/a", false) => multistatus(&found("/home/me@x/a/", &format!("{CALENDAR}<d:displayname>Work &amp; home</d:displayname>"))),
        ("/plain/", _) => multistatus(&found("/plain/", PLACE)),
        ("/old/", false) => multistatus(&found("/old/", PLACE)),
        ("/old/", true) => multistatus(&found("/old/cal/", CALENDAR)),
        ("/page/", _) => answer("200 OK", "", "<html>"),
        _ => answer("404 No", "", ""),
    }
}

async fn names(path: &str, calendar: Option<&str>) -> Result<Vec<(String, String, bool)>, String> {
    let fake = Fake::new(server);
    let mut user = fake.user();
    user.account.url = fake.url.join(path).expect("a URL");
    let found = user
        .dav()
        .find(calendar)
        .await
        .map_err(|error| error.to_string())?;
    Ok(found
        .into_iter()
        .map(|found| (found.name, found.url.path().to_owned(), found.writable))
        .collect())
}

#[tokio::test]
async fn every_kind_of_address_leads_to_the_calendars() {
    let both = vec![
        ("Work & home".to_owned(), "/home/me%40x/a/".to_owned(), true),
        (
            "Café".to_owned(),
            "/home/me%40x/Caf%C3%A9/".to_owned(),
            false,
        ),
    ];
    for path in ["/", "/dav/", "/u/me/", "/home/me@x/"] {
        assert_eq!(names(path, None).await.as_ref(), Ok(&both), "{path}");
    }
    assert_eq!(
        names("/home/me%40x/a", None).await,
        Ok(vec![both[0].clone()])
    );
    assert_eq!(names("/page/", None).await.as_ref(), Ok(&both));
    assert_eq!(names("/", Some("Café")).await, Ok(vec![both[1].clone()]));
    assert_eq!(
        names("/", Some("work & HOME")).await,
        Ok(vec![both[0].clone()])
    );
    assert_eq!(names("/", Some("a")).await, Ok(vec![both[0].clone()]));
    let error = names("/", Some("b")).await.expect_err("no such calendar");
    assert_eq!(
        error,
        "there is no calendar `b`: there are `Work & home`, `Café`"
    );
}

#[tokio::test]
async fn a_home_that_knows_no_users_is_looked_into() {
    let found = names("/old/", None).await;
    assert_eq!(
        found,
        Ok(vec![("cal".to_owned(), "/old/cal/".to_owned(), true)])
    );
    let fake = Fake::new(|asked| match asked.path.as_str() {
        "/.well-known/caldav" => answer("404 No", "", ""),
        _ => server(asked),
    });
    let mut user = fake.user();
    user.account.url = fake.url.join("/plain/").expect("a URL");
    let error = user.dav().find(None).await.expect_err("no calendars");
    assert!(
        error.to_string().contains("not as a CalDAV server"),
        "{error}"
    );
    user.account.url = fake.url.join("/nothing").expect("a URL");
    let error = user.dav().find(None).await.expect_err("nothing");
    assert!(error.to_string().contains("404"), "{error}");
    user.account.url = fake.url.join("/page/").expect("a URL");
    let error = user.dav().find(None).await.expect_err("a page");
    assert!(
        error.to_string().contains("not as a CalDAV server"),
        "{error}"
    );
}
