//! What a server answers: multistatus and error bodies (RFC 4918, sections 13, 14 and 16), read without recursion, bounded,
//! and without the entities of a document of its own.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

/// Deepest nesting that is read; real answers have ten.
const MAX_DEPTH: usize = 32;
/// Most resources of one answer.
const MAX_RESPONSES: usize = 200_000;

/// A multistatus, or the body of an error.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether it is a multistatus.
    pub is_multistatus: bool,
    /// One for each resource, in the server's order.
    pub responses: Vec<Answered>,
    /// The token of a sync-collection.
    pub token: Option<String>,
    /// The conditions that an error names, in the words of the RFCs: `valid-sync-token`.
    pub conditions: Vec<String>,
    /// The href that an error names, as `no-uid-conflict` does.
    pub conflict: Option<String>,
}

/// What was said of one resource.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Answered {
    /// As the server writes it.
    pub href: String,
    /// The status of the whole of it; none where each property has its own.
    pub status: Option<u16>,
    /// What was found.
    pub found: Found,
}

/// The properties that were found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Found {
    /// DAV:displayname.
    pub name: Option<String>,
    /// DAV:getetag, as it is.
    pub etag: Option<String>,
    /// CALDAV:calendar-data.
    pub data: Option<String>,
    /// Whether it is a calendar.
    pub is_calendar: bool,
    /// CALDAV:supported-calendar-component-set; empty where it is not said.
    pub components: Vec<String>,
    /// DAV:current-user-privilege-set, by name.
    pub privileges: Vec<String>,
    /// DAV:supported-report-set, by name.
    pub reports: Vec<String>,
    /// DAV:current-user-principal.
    pub principal: Option<String>,
    /// CALDAV:calendar-home-set.
    pub homes: Vec<String>,
    /// CS:getctag.
    pub ctag: Option<String>,
}

/// Reads an answer.
///
/// # Errors
/// In words: it is not XML, brings entities of its own, or is larger or deeper than any real one.
pub fn read(body: &[u8]) -> Result<Answer, String> {
    let text = std::str::from_utf8(body).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut xml = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    xml.config_mut().expand_empty_elements = true;
    let mut reader = Reader::default();
    loop {
        let (namespace, event) = xml.read_resolved_event().map_err(|error| broken(&error))?;
        match event {
            Event::Start(element) => {
                let name = name(&namespace, element.local_name().into_inner());
                reader.start(name, &element)?;
            }
            Event::End(_) => reader.end()?,
            Event::Text(text) => reader.text.push_str(&text.xml10_content()),
            Event::CData(text) => reader.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => reader.text.push(character(&reference)?),
            Event::DocType(_) => return Err("it brings a DOCTYPE, which is not read".to_owned()),
            Event::Eof => return reader.finish(),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

fn broken(error: &quick_xml::Error) -> String {
    let shown: String = error.to_string().chars().take(200).collect();
    format!("it is not whole XML: {shown}")
}

/// `D:href` for DAV's own, `C:calendar-data` for CalDAV's, `S:getctag`; nothing for what nobody asked for.
fn name(namespace: &ResolveResult<'_>, local: &str) -> String {
    let prefix = match namespace {
        ResolveResult::Bound(Namespace("DAV:")) => "D:",
        ResolveResult::Bound(Namespace("urn:ietf:params:xml:ns:caldav")) => "C:",
        ResolveResult::Bound(Namespace("http://calendarserver.org/ns/")) => "S:",
        _ => return String::new(),
    };
    format!("{prefix}{local}")
}

/// The five entities that XML itself has, and characters by number.
fn character(reference: &BytesRef<'_>) -> Result<char, String> {
    let by_number = reference.resolve_char_ref();
    if let Some(character) = by_number.map_err(|error| broken(&error))? {
        return Ok(character);
    }
    match reference.xml10_content().as_ref() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => Err("it brings entities of its own, which are not read".to_owned()),
    }
}

#[derive(Debug, Default)]
struct Reader {
    path: Vec<String>,
    text: String,
    answer: Answer,
    hrefs: Vec<String>,
    response: Answered,
    /// What a propstat says, until its status is known.
    propstat: Found,
    status: Option<u16>,
    is_whole: bool,
}

impl Reader {
    fn start(&mut self, name: String, element: &BytesStart<'_>) -> Result<(), String> {
        if self.path.len() >= MAX_DEPTH {
            return Err(format!("it nests deeper than {MAX_DEPTH} elements"));
        }
        self.text.clear();
        let parent = self.path.last().map_or("", String::as_str);
        match (parent, name.as_str()) {
            ("", "D:multistatus") if self.path.is_empty() => self.answer.is_multistatus = true,
            (_, "D:response") => {
                self.response = Answered::default();
                self.hrefs.clear();
            }
            (_, "D:propstat") => {
                self.propstat = Found::default();
                self.status = None;
            }
            ("D:resourcetype", "C:calendar") => self.propstat.is_calendar = true,
            ("D:privilege", privilege) => self.propstat.privileges.push(bare(privilege)),
            ("D:report", report) => self.propstat.reports.push(bare(report)),
            ("D:error", condition) => self.answer.conditions.push(bare(condition)),
            ("C:supported-calendar-component-set", "C:comp") => {
                let component = element.try_get_attribute("name").ok().flatten();
                let component = component.and_then(|name| {
                    name.normalized_value(XmlVersion::Implicit1_0)
                        .ok()
                        .map(|name| name.to_ascii_uppercase())
                });
                self.propstat.components.extend(component);
            }
            _ => {}
        }
        self.path.push(name);
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let text = std::mem::take(&mut self.text);
        let name = self.path.pop().unwrap_or_default();
        let parent = self.path.last().map_or("", String::as_str);
        let word = || Some(text.trim().to_owned()).filter(|word| !word.is_empty());
        match (parent, name.as_str()) {
            ("", "D:multistatus" | "D:error") if self.path.is_empty() => self.is_whole = true,
            (_, "D:response") => self.add_response()?,
            (_, "D:propstat") if self.status.is_none_or(|status| status / 100 == 2) => {
                let found = std::mem::take(&mut self.propstat);
                self.response.found.merge(found);
            }
            ("D:response", "D:href") => self.hrefs.extend(word()),
            ("D:response", "D:status") => self.response.status = status(&text),
            ("D:propstat", "D:status") => self.status = status(&text),
            ("D:multistatus", "D:sync-token") => self.answer.token = word(),
            ("D:prop", "D:displayname") => self.propstat.name = word(),
            ("D:prop", "D:getetag") => self.propstat.etag = word(),
            ("D:prop", "S:getctag") => self.propstat.ctag = word(),
            ("D:prop", "C:calendar-data") => self.propstat.data = Some(text),
            ("D:current-user-principal", "D:href") => self.propstat.principal = word(),
            ("C:calendar-home-set", "D:href") => self.propstat.homes.extend(word()),
            ("C:no-uid-conflict", "D:href") => self.answer.conflict = word(),
            _ => {}
        }
        Ok(())
    }

    /// One response may name many resources that have one status.
    fn add_response(&mut self) -> Result<(), String> {
        for href in std::mem::take(&mut self.hrefs) {
            if self.answer.responses.len() == MAX_RESPONSES {
                return Err(format!("it names more than {MAX_RESPONSES} things"));
            }
            let response = std::mem::take(&mut self.response);
            self.response.status = response.status;
            self.answer.responses.push(Answered { href, ..response });
        }
        Ok(())
    }

    fn finish(self) -> Result<Answer, String> {
        match self.is_whole {
            true => Ok(self.answer),
            false if self.path.is_empty() => Err("it is no answer of WebDAV".to_owned()),
            false => Err("it breaks off".to_owned()),
        }
    }
}

impl Found {
    /// What another propstat of the same resource found.
    fn merge(&mut self, other: Found) {
        self.is_calendar |= other.is_calendar;
        self.components.extend(other.components);
        self.privileges.extend(other.privileges);
        self.reports.extend(other.reports);
        self.homes.extend(other.homes);
        let texts = [
            (&mut self.name, other.name),
            (&mut self.etag, other.etag),
            (&mut self.data, other.data),
            (&mut self.principal, other.principal),
            (&mut self.ctag, other.ctag),
        ];
        for (own, found) in texts {
            *own = found.or(own.take());
        }
    }
}

fn bare(name: &str) -> String {
    name.rsplit(':').next().unwrap_or_default().to_owned()
}

/// `HTTP/1.1 404 Not Found`.
fn status(line: &str) -> Option<u16> {
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn multistatus(inner: &str) -> Result<Answer, String> {
        let text = format!(
            "<?xml version='1.0'?><multistatus xmlns='DAV:' xmlns:cal='urn:ietf:params:xml:ns:caldav'>{inner}</multistatus>"
        );
        read(text.as_bytes())
    }

    #[test]
    fn an_answer_is_read_whatever_its_prefixes() {
        let answer = multistatus(
            "<response><href> /cal/a%26.ics </href><propstat><prop><getetag>&quot;1&quot;</getetag>\
             <cal:calendar-data>A&amp;<![CDATA[<B>]]>&#13;\r\nC</cal:calendar-data></prop>\
             <status>HTTP/1.1 200 OK</status></propstat><propstat><prop><displayname>No</displayname></prop>\
             <status>HTTP/1.1 404 Not Found</status></propstat></response>\
             <response><href>/cal/b</href><href>/cal/c</href><status>HTTP/1.1 404 Gone</status></response>\
             <x:sync-token xmlns:x='DAV:'>t1</x:sync-token>",
        )
        .expect("an answer");
        assert_eq!(answer.token.as_deref(), Some("t1"));
        let first = &answer.responses[0];
        assert_eq!((first.href.as_str(), first.status), ("/cal/a%26.ics", None));
        assert_eq!(first.found.etag.as_deref(), Some("\"1\""));
        assert_eq!(first.found.data.as_deref(), Some("A&<B>\r\nC"));
        assert_eq!(first.found.name, None);
        let gone: Vec<_> = answer.responses[1..]
            .iter()
            .map(|gone| (gone.href.as_str(), gone.status))
            .collect();
        assert_eq!(gone, [("/cal/b", Some(404)), ("/cal/c", Some(404))]);
    }

    #[test]
    fn an_error_names_its_condition() {
        let answer = read(
            b"<error xmlns='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'><C:no-uid-conflict><href>/x</href></C:no-uid-conflict></error>",
        );
        let answer = answer.expect("an answer");
        assert_eq!(answer.conditions, ["no-uid-conflict"]);
        assert_eq!(answer.conflict.as_deref(), Some("/x"));
        assert!(!answer.is_multistatus);
    }

    #[track_caller]
    fn refused(text: &str, why: &str) {
        let error = read(text.as_bytes()).expect_err("hostile");
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn hostile_answers_are_refused() {
        let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><multistatus xmlns='DAV:'>&b;</multistatus>";
        refused(laughs, "DOCTYPE");
        refused("<multistatus xmlns='DAV:'>&b;</multistatus>", "entities");
        refused("<multistatus xmlns='DAV:'><response>", "");
        refused(
            "<multistatus xmlns='DAV:'><response></multistatus>",
            "not whole",
        );
        refused("", "no answer of WebDAV");
        refused("<html><body>Hello</body></html>", "no answer of WebDAV");
        refused("hello", "no answer");
        refused(&"<a>".repeat(1_000_000), "nests deeper");
        let names: String = (0..10_000)
            .map(|name| format!(" xmlns:a{name}='x'"))
            .collect();
        refused(
            &format!("<multistatus xmlns='DAV:'><x{names}/></multistatus>"),
            "namespace",
        );
        assert!(read(b"<multistatus xmlns='DAV:'>\xff</multistatus>").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in "[<>/&;a-c:='\" !\\[\\]?#0-9-]{0,60}") {
            let _ = read(bytes.as_bytes());
            let _ = multistatus(&bytes);
        }
    }
}
