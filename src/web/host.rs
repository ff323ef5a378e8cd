//! Under which names the listener may be called.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::HOST;

/// Whether the name that a request was sent to is one of ours: an address, `localhost`, or one of `hosts`.
///
/// A page in a browser of this house may let its own name point at this machine (DNS rebinding); it cannot do so with an
/// address.
pub(super) fn is_ours(headers: &HeaderMap, hosts: &[String]) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else {
        return false;
    };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.trim_end_matches('.');
    name.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(|ours| ours.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_that_were_told() {
        let hosts = ["Pi.example.org".to_owned()];
        let check = |host: &str, expected: bool| {
            let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
            assert_eq!(is_ours(&headers, &hosts), expected, "{host}");
        };
        for ours in [
            "localhost",
            "LOCALHOST:7777",
            "127.0.0.1:7777",
            "[::1]:7777",
            "[::1]",
            "192.168.1.5:80",
            "pi.example.org",
            "pi.example.org.:443",
        ] {
            check(ours, true);
        }
        for other in [
            "evil.example",
            "localhost.evil.example:7777",
            "",
            "127.0.0.1.evil.example",
            "[evil",
        ] {
            check(other, false);
        }
        assert!(!is_ours(&HeaderMap::new(), &hosts));
    }
}
