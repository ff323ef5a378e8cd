//! Which hosts and addresses a request may go to.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::NetError;

/// Whom a client may talk to: every public address, and the hosts that the owner named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    hosts: BTreeSet<String>,
    reach: Reach,
}

/// How far a client gets beyond the hosts that are named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Reach {
    #[default]
    Public,
    Typed,
}

impl Policy {
    /// Public addresses only.
    pub fn public() -> Self {
        Policy::default()
    }

    /// Every address: for URLs that the owner typed, each of which opens its own host. No redirect may be followed.
    pub fn typed() -> Self {
        Policy {
            reach: Reach::Typed,
            ..Policy::default()
        }
    }

    /// Also these hosts (names or IP addresses, without port), whatever address they have.
    pub fn allowing<S: AsRef<str>>(hosts: impl IntoIterator<Item = S>) -> Self {
        let hosts = hosts.into_iter().map(|host| normal(host.as_ref()));
        Policy {
            hosts: hosts.collect(),
            reach: Reach::Public,
        }
    }

    /// Checks what can be checked before a name is resolved, and gives the parsed URL.
    ///
    /// # Errors
    /// Not a URL, not http or https, with userinfo, or an IP address that is refused.
    pub fn check(&self, url: &str) -> Result<Url, NetError> {
        let url = Url::parse(url).map_err(|error| NetError::Url(error.to_string()))?;
        self.check_url(&url)?;
        Ok(url)
    }

    pub(super) fn check_url(&self, url: &Url) -> Result<(), NetError> {
        if !matches!(url.scheme(), "http" | "https") {
            let why = format!("`{}` is not http or https", url.scheme());
            return Err(NetError::Url(why));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NetError::Url("it holds a user name or password".into()));
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(NetError::Url("it has no host".into())),
        };
        self.check_address(url.host_str().unwrap_or_default(), address)
    }

    /// Checks one address that `host` resolved to.
    pub(super) fn check_address(&self, host: &str, address: IpAddr) -> Result<(), NetError> {
        match refused(address) {
            Some(rule) if self.reach == Reach::Public && !self.hosts.contains(&normal(host)) => {
                Err(NetError::Refused {
                    host: host.to_owned(),
                    address,
                    rule,
                })
            }
            _ => Ok(()),
        }
    }
}

fn normal(host: &str) -> String {
    let host = host.strip_suffix('.').unwrap_or(host);
    let bare_v6 = host.parse::<Ipv6Addr>().map(|v6| format!("[{v6}]"));
    let host = bare_v6.unwrap_or_else(|_| host.to_owned());
    Host::parse(&host).map_or_else(|_| host.to_lowercase(), |host| host.to_string())
}

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// 127.0.0.0/8, ::1.
    Loopback,
    /// 0.0.0.0/8 and `::` reach this machine on Linux.
    Unspecified,
    /// RFC 1918, and unique local addresses (RFC 4193).
    Private,
    /// 100.64.0.0/10 (RFC 6598).
    CarrierNat,
    /// 169.254.0.0/16, fe80::/10.
    LinkLocal,
    /// Where clouds hand out credentials.
    Metadata,
    /// 224.0.0.0/4, ff00::/8.
    Multicast,
    /// 255.255.255.255.
    Broadcast,
    /// Documentation, benchmarks, protocol assignments and what is reserved (RFC 6890).
    Reserved,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::Loopback => "this machine's loopback",
            Rule::Unspecified => "the unspecified address, this machine",
            Rule::Private => "a private network",
            Rule::CarrierNat => "a provider's shared network",
            Rule::LinkLocal => "a link-local address",
            Rule::Metadata => "a cloud's metadata service",
            Rule::Multicast => "a multicast address",
            Rule::Broadcast => "the broadcast address",
            Rule::Reserved => "a reserved address",
        })
    }
}

/// The rule that refuses `address`, if one does: the non-global rows of IANA's special-purpose registries.
pub fn refused(address: IpAddr) -> Option<Rule> {
    match address {
        IpAddr::V4(address) => refused_v4(address),
        IpAddr::V6(address) => refused_v6(address),
    }
}

/// AWS, GCP and Azure; Alibaba; Oracle; Azure's wire server, which is a public address.
const METADATA_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];

fn refused_v4(address: Ipv4Addr) -> Option<Rule> {
    if METADATA_V4.contains(&address) {
        return Some(Rule::Metadata);
    }
    match address.octets() {
        [0, ..] => Some(Rule::Unspecified),
        [127, ..] => Some(Rule::Loopback),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(Rule::Private),
        [100, 64..=127, ..] => Some(Rule::CarrierNat),
        [169, 254, ..] => Some(Rule::LinkLocal),
        [192, 0, 0 | 2, _] | [192, 88, 99, _] => Some(Rule::Reserved),
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => Some(Rule::Reserved),
        [224..=239, ..] => Some(Rule::Multicast),
        [255, 255, 255, 255] => Some(Rule::Broadcast),
        [240..=255, ..] => Some(Rule::Reserved),
        _ => None,
    }
}

/// AWS's metadata service over IPv6.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

fn refused_v6(address: Ipv6Addr) -> Option<Rule> {
    if address == METADATA_V6 {
        return Some(Rule::Metadata);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(Rule::Unspecified),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Rule::Loopback),
        // IPv4 in IPv6's clothes: mapped, compatible, translated (RFC 2765), NAT64 (RFC 6052), 6to4.
        [0, 0, 0, 0, 0 | 0xffff, 0 | 0xffff, high, low] => refused_v4(embedded(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => refused_v4(embedded(high, low)),
        [0x2002, high, low, ..] => refused_v4(embedded(high, low)),
        // A NAT64 prefix of one's own (RFC 8215), Teredo and ORCHID: what lies behind cannot be seen.
        [0x64, 0xff9b, 1, ..] | [0x2001, 0..=0x1ff, ..] => Some(Rule::Reserved),
        [0x100, 0, 0, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some(Rule::Reserved),
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Some(Rule::Private),
        [0xfe80..=0xfebf, ..] => Some(Rule::LinkLocal),
        [0xff00..=0xffff, ..] => Some(Rule::Multicast),
        _ => None,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: Option<Rule>) {
        let found = match Policy::public().check(url) {
            Ok(_) => None,
            Err(NetError::Refused { rule, .. }) => Some(rule),
            Err(other) => panic!("{url}: {other}"),
        };
        assert_eq!(found, expected, "{url}");
    }

    #[test]
    fn every_spelling_of_an_address_is_that_address() {
        use Rule::{
            Broadcast, CarrierNat, LinkLocal, Loopback, Metadata, Multicast, Private, Reserved,
            Unspecified,
        };
        check("http://127.0.0.1/", Some(Loopback));
        check("http://127.0.0.1.:80/", Some(Loopback));
        check("http://127.1/", Some(Loopback));
        check("http://127.255.255.254:8080/x", Some(Loopback));
        check("http://2130706433/", Some(Loopback));
        check("http://0x7f.1/", Some(Loopback));
        check("http://0x7f000001/", Some(Loopback));
        check("http://0177.0.0.1/", Some(Loopback));
        check("http://017700000001/", Some(Loopback));
        check("http://①②⑦.0.0.1/", Some(Loopback));
        check("http://127。0。0。1/", Some(Loopback));
        check("http://%31%32%37.0.0.1/", Some(Loopback));
        check("http:\\\\127.0.0.1\\", Some(Loopback));
        check("https://[::1]/", Some(Loopback));
        check("https://[0:0:0:0:0:0:0:1]/", Some(Loopback));
        check("http://[::ffff:127.0.0.1]/", Some(Loopback));
        check("http://[::ffff:7f00:1]/", Some(Loopback));
        check("http://[::ffff:0:7f00:1]/", Some(Loopback));
        check("http://[::127.0.0.1]/", Some(Loopback));
        check("http://[64:ff9b::127.0.0.1]/", Some(Loopback));
        check("http://[2002:7f00:1::]/", Some(Loopback));
        check("http://0/", Some(Unspecified));
        check("http://0.0.0.0:11434/", Some(Unspecified));
        check("http://[::]/", Some(Unspecified));
        check("http://10.0.0.1/", Some(Private));
        check("http://172.16.0.1/", Some(Private));
        check("http://172.31.255.255/", Some(Private));
        check("http://192.168.1.1/", Some(Private));
        check("http://3232235777/", Some(Private));
        check("http://[::ffff:10.1.2.3]/", Some(Private));
        check("http://[64:ff9b::a00:1]/", Some(Private));
        check("http://[fd12:3456::1]/", Some(Private));
        check("http://[fec0::1]/", Some(Private));
        check("http://100.64.0.1/", Some(CarrierNat));
        check("http://100.127.255.255/", Some(CarrierNat));
        check("http://169.254.1.1/", Some(LinkLocal));
        check("http://[fe80::1]/", Some(LinkLocal));
        check("http://169.254.169.254/latest/meta-data", Some(Metadata));
        check("http://2852039166/", Some(Metadata));
        check("http://[::ffff:a9fe:a9fe]/", Some(Metadata));
        check("http://[64:ff9b::169.254.169.254]/", Some(Metadata));
        check("http://[fd00:ec2::254]/", Some(Metadata));
        check("http://100.100.100.200/", Some(Metadata));
        check("http://168.63.129.16/", Some(Metadata));
        check("http://224.0.0.251/", Some(Multicast));
        check("http://[ff02::fb]/", Some(Multicast));
        check("http://255.255.255.255/", Some(Broadcast));
        check("http://240.0.0.1/", Some(Reserved));
        check("http://192.0.2.1/", Some(Reserved));
        check("http://198.18.0.1/", Some(Reserved));
        check("http://[2001:db8::1]/", Some(Reserved));
        check("http://[2001:0:7f00:1::]/", Some(Reserved));
        check("http://[64:ff9b:1::7f00:1]/", Some(Reserved));
        check("http://1.1.1.1/", None);
        check("http://172.32.0.1/", None);
        check("http://100.128.0.1/", None);
        check("http://126.255.255.255/", None);
        check("http://128.0.0.1/", None);
        check("http://[2606:4700::1111]/", None);
        check("http://[64:ff9b::1.1.1.1]/", None);
        check("https://example.org/path?q#f", None);
    }

    #[test]
    fn what_the_owner_named_is_allowed_in_every_spelling() {
        let policy = Policy::allowing(["127.0.0.1", "::1", "Example.ORG."]);
        for url in ["http://127.1:11434/", "http://2130706433/", "http://[::1]/"] {
            assert!(policy.check(url).is_ok(), "{url}");
        }
        let home = "192.168.0.7".parse().expect("an address");
        assert!(policy.check_address("example.org", home).is_ok());
        assert!(policy.check_address("other.org", home).is_err());
        assert!(policy.check("http://127.0.0.2/").is_err());
        assert!(policy.check("http://[::ffff:127.0.0.1]/").is_err());
    }

    #[test]
    fn what_is_no_plain_web_url_is_refused() {
        for url in [
            "ftp://example.org/",
            "file:///etc/passwd",
            "gopher://example.org/",
            "http://user@example.org/",
            "http://user:secret@example.org/",
            "http://:secret@example.org/",
            "data:text/plain,hello",
            "http://",
            "http://256.1.1.1/",
            "http://exa mple.org/",
            "//example.org/",
            "",
        ] {
            let error = Policy::public().check(url).expect_err(url);
            assert!(matches!(error, NetError::Url(_)), "{url}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
