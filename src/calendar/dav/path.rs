//! Hrefs: one spelling for each resource, whichever the server chose.

use std::fmt::Write;

use url::Url;

/// The path in its one spelling: escaped is what RFC 3986 does not leave unreserved, with upper-case digits, since servers
/// differ in whether they escape `@` or `(`. Segments stay apart: an escaped slash stays escaped.
pub fn normal(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        let mut normal = String::with_capacity(segment.len());
        for byte in unescaped(segment) {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                normal.push(char::from(byte));
            } else {
                // Writing to a string never fails.
                let _ = write!(normal, "%{byte:02X}");
            }
        }
        normal
    });
    segments.collect::<Vec<_>>().join("/")
}

/// An href of an answer from `base`, as a URL; its path is normal.
pub fn resolve(base: &Url, href: &str) -> Option<Url> {
    let mut url = base.join(href.trim()).ok()?;
    let path = normal(url.path());
    url.set_path(&path);
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

/// The id of what an href names, if it lies in `collection` and is not that itself.
pub fn id_within(collection: &Url, href: &str) -> Option<String> {
    let url = resolve(collection, href)?;
    let folder = folder(collection);
    let inside = url.origin() == collection.origin() && url.path().starts_with(folder.path());
    (inside && url.path().len() > folder.path().len()).then(|| url.path().to_owned())
}

/// Whether an href names the collection itself, with or without its last slash.
pub fn is_itself(collection: &Url, href: &str) -> bool {
    resolve(collection, href).is_some_and(|url| {
        url.origin() == collection.origin()
            && url.path().trim_end_matches('/') == folder(collection).path().trim_end_matches('/')
    })
}

/// The collection with a normal path that ends in a slash.
pub fn folder(collection: &Url) -> Url {
    let mut url = collection.clone();
    let mut path = normal(url.path());
    if !path.ends_with('/') {
        path.push('/');
    }
    url.set_path(&path);
    url
}

/// The last segment, as people would write it.
pub fn last_segment(url: &Url) -> String {
    let path = url.path().trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default();
    String::from_utf8_lossy(&unescaped(last)).into_owned()
}

fn unescaped(segment: &str) -> Vec<u8> {
    let bytes = segment.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        let escaped = bytes.get(place + 1..place + 3).filter(|_| *byte == b'%');
        let escaped = escaped.and_then(|digits| {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            u8::try_from(digit(digits[0])? * 16 + digit(digits[1])?).ok()
        });
        plain.push(escaped.unwrap_or(*byte));
        place += if escaped.is_some() { 3 } else { 1 };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_resource_are_one_id() {
        let collection = Url::parse("https://dav.example.org/u/me%40x.org/cal").unwrap();
        for href in [
            "/u/me@x.org/cal/a%20b.ics",
            "/u/me%40x.org/cal/a b.ics",
            "https://dav.example.org:443/u/%6de%40x.org/cal/a%20b.ics",
            " cal/a%20b.ics\n",
        ] {
            let id = id_within(&collection, href);
            assert_eq!(id.as_deref(), Some("/u/me%40x.org/cal/a%20b.ics"), "{href}");
        }
        for outside in [
            "/u/other/cal/a.ics",
            "/u/me%40x.org/cal/",
            "/u/me@x.org/cal",
            "https://evil.example.org/u/me%40x.org/cal/a.ics",
            "/u/me@x.org/cal/../../you/cal/a.ics",
            "/u/me@x.org/cal/%2e%2e/x.ics",
        ] {
            assert_eq!(id_within(&collection, outside), None, "{outside}");
        }
        assert!(is_itself(&collection, "/u/me@x.org/cal/"));
        assert!(is_itself(&collection, "/u/me%40x.org/cal"));
        assert!(!is_itself(&collection, "/u/me%40x.org/calx"));
    }

    #[test]
    fn an_escaped_slash_and_a_lonely_percent_stay_what_they_are() {
        assert_eq!(normal("/a%2fb/c%/%zz/100%25"), "/a%2Fb/c%25/%25zz/100%25");
        assert_eq!(normal(&normal("/a%2fb/c%/é")), normal("/a%2fb/c%/é"));
        let url = Url::parse("https://x.org/cal/Caf%C3%A9/").unwrap();
        assert_eq!(last_segment(&url), "Café");
    }
}
