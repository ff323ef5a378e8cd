//! What changed in a calendar (RFC 6578), or the same by comparing versions where a server keeps no such list.

use std::collections::{BTreeMap, HashMap};

use reqwest::StatusCode;
use url::Url;

use super::ask::{Doing, no_caldav};
use super::multistatus::{self, Answer, Answered};
use super::{Dav, bodies, path};
use crate::calendar::Range;
use crate::calendar::remote::{Change, Delta, RemoteError, Resource};

/// How many resources are asked for at once.
const BATCH: usize = 50;
/// Most bytes of iCalendar text in one [`Delta`].
const MAX_TEXT: usize = 64 << 20;
/// Most answers of a list that a server gives in parts.
const MAX_PARTS: usize = 1_000;
/// How a token of our own begins: of a calendar whose server keeps no list of changes.
const OWN: &str = "reveille-query ";

/// What a list says of one resource: its version, or that it is gone.
type State = Option<String>;

/// How far a list of changes got.
enum Listed {
    /// To its end.
    Changes(BTreeMap<String, State>, String),
    /// The server does not know the token any more.
    Forgotten,
    /// The server keeps no such list.
    Unable,
}

impl Dav<'_> {
    /// What changed in `collection` since `token` was given. `known` is what the caller has, as ids and etags: what it has
    /// already is not brought again, and where a server has to be asked for everything (it forgot the token, or keeps no list
    /// of changes) what is gone is told by it. With nothing known that answer is whole. `window` is only for servers without
    /// lists of changes: of these, events outside of it count as gone.
    ///
    /// # Errors
    /// Every [`RemoteError`] but `Changed`; more than 64 MiB of text.
    pub async fn changes(
        &self,
        collection: &Url,
        token: Option<&str>,
        known: &[(String, String)],
        window: Range,
    ) -> Result<Delta, RemoteError> {
        let collection = path::folder(collection);
        let known = known.iter().map(|(id, etag)| (id.as_str(), etag.as_str()));
        let known: HashMap<&str, &str> = known.collect();
        let work = Work {
            dav: self,
            collection: &collection,
            known: &known,
        };
        let mut able = true;
        if let Some(token) = token.filter(|token| !token.starts_with(OWN)) {
            match work.listed(token).await? {
                Listed::Changes(states, token) => {
                    return work.delta(states, Some(token), false).await;
                }
                Listed::Forgotten => {}
                Listed::Unable => able = false,
            }
        }
        let abilities = work.abilities().await?;
        let reports = &abilities.found.reports;
        able &= reports.is_empty() || reports.iter().any(|report| report == "sync-collection");
        if able && let Listed::Changes(states, token) = work.listed("").await? {
            return work.delta(states, Some(token), true).await;
        }
        let own = abilities
            .found
            .ctag
            .map(|ctag| format!("{OWN}{} {} {ctag}", window.start, window.days));
        if own.is_some() && own.as_deref() == token {
            return Ok(Delta {
                token: own,
                ..Delta::default()
            });
        }
        let states = work.queried(window).await?;
        work.delta(states, own, true).await
    }
}

/// One look at one calendar.
struct Work<'a> {
    dav: &'a Dav<'a>,
    collection: &'a Url,
    known: &'a HashMap<&'a str, &'a str>,
}

impl Work<'_> {
    async fn abilities(&self) -> Result<Answered, RemoteError> {
        let asked = self
            .dav
            .multistatus("PROPFIND", self.collection, "0", bodies::abilities());
        let (answer, url) = asked.await?;
        let first = answer.responses.into_iter().next();
        let first = first.ok_or_else(|| no_caldav(&url))?;
        match first.found.is_calendar {
            true => Ok(first),
            false => Err(RemoteError::Answer(
                "this is no calendar (any more)".to_owned(),
            )),
        }
    }

    /// A list of changes, to its end however many parts it comes in (RFC 6578, section 3.6).
    async fn listed(&self, token: &str) -> Result<Listed, RemoteError> {
        let mut states = BTreeMap::new();
        let mut token = token.to_owned();
        for _ in 0..MAX_PARTS {
            let asked = self
                .dav
                .ask("REPORT", self.collection, "0", bodies::sync(&token));
            let (response, _) = asked.await?;
            let answer = multistatus::read(&response.body);
            if response.status != StatusCode::MULTI_STATUS {
                let named = answer.map(|answer| answer.conditions).unwrap_or_default();
                let forgotten = named.iter().any(|name| name == "valid-sync-token");
                return match response.status.as_u16() {
                    400 | 403 | 409 | 410 | 412 | 507 if !token.is_empty() => Ok(Listed::Forgotten),
                    _ if forgotten => Ok(Listed::Forgotten),
                    400 | 403 | 405 | 409 | 415 | 422 | 501 | 507 => Ok(Listed::Unable),
                    200..300 => Ok(Listed::Unable),
                    _ => {
                        self.dav.fine(&response, Doing::Reading)?;
                        Ok(Listed::Unable)
                    }
                };
            }
            let answer = answer.map_err(RemoteError::Answer)?;
            let cut = self.take(&answer, &mut states);
            let Some(next) = answer.token else {
                return Ok(Listed::Unable);
            };
            if !cut {
                return Ok(Listed::Changes(states, next));
            }
            if next == token {
                break;
            }
            token = next;
        }
        Err(RemoteError::Answer(
            "its list of changes does not end".to_owned(),
        ))
    }

    /// Takes in what an answer says of each resource; whether the answer is only a part.
    fn take(&self, answer: &Answer, states: &mut BTreeMap<String, State>) -> bool {
        let mut cut = false;
        for answered in &answer.responses {
            // A list may hold the collection itself, which also tells that the list is cut short.
            if path::is_itself(self.collection, &answered.href) {
                cut |= answered.status == Some(507);
                continue;
            }
            let Some(id) = path::id_within(self.collection, &answered.href) else {
                continue;
            };
            match answered.status {
                Some(404 | 410) => {
                    states.insert(id, None);
                }
                // What cannot be told now is not gone.
                Some(400..) => {
                    let known = self.known.get(id.as_str()).map(|etag| (*etag).to_owned());
                    states.extend(known.map(|etag| (id, Some(etag))));
                }
                _ => {
                    let etag = answered.found.etag.clone();
                    states.insert(id, Some(etag.unwrap_or_default()));
                }
            }
        }
        cut
    }

    /// The versions of the events of some days.
    async fn queried(&self, window: Range) -> Result<BTreeMap<String, State>, RemoteError> {
        let asked = self
            .dav
            .multistatus("REPORT", self.collection, "1", bodies::query(window));
        let (answer, _) = asked.await?;
        let mut states = BTreeMap::new();
        match self.take(&answer, &mut states) {
            true => Err(RemoteError::Answer(
                "it gives only a part of the events of these days".to_owned(),
            )),
            false => Ok(states),
        }
    }

    /// Brings what is new. `all` says that a resource which is not listed is gone.
    async fn delta(
        &self,
        states: BTreeMap<String, State>,
        token: Option<String>,
        all: bool,
    ) -> Result<Delta, RemoteError> {
        let whole = all && self.known.is_empty();
        let mut changes = Vec::new();
        let mut wanted = Vec::new();
        if all {
            let missing = self.known.keys().filter(|id| !states.contains_key(**id));
            changes.extend(missing.map(|id| gone((*id).to_owned())));
        }
        for (id, state) in states {
            match state {
                None => changes.push(gone(id)),
                Some(etag)
                    if !etag.is_empty() && self.known.get(id.as_str()) == Some(&etag.as_str()) => {}
                Some(_) => wanted.push(id),
            }
        }
        let mut bytes = 0;
        for batch in wanted.chunks(BATCH) {
            for change in self.batch(batch).await? {
                bytes += change.now.as_ref().map_or(0, |now| now.ics.len());
                if bytes > MAX_TEXT {
                    return Err(RemoteError::Answer(format!(
                        "its events are more than {} MiB of text",
                        MAX_TEXT >> 20
                    )));
                }
                changes.push(change);
            }
        }
        if whole {
            changes.retain(|change| change.now.is_some());
        }
        changes.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Delta {
            whole,
            changes,
            token,
        })
    }

    /// What some resources are now, each once. Where they cannot be had together (too large, one that breaks the XML, a server
    /// that only knows GET), each comes alone.
    async fn batch(&self, ids: &[String]) -> Result<Vec<Change>, RemoteError> {
        let asked = self
            .dav
            .multistatus("REPORT", self.collection, "1", bodies::multiget(ids));
        let responses = match asked.await {
            Err(RemoteError::Answer(_)) => Vec::new(),
            answered => answered?.0.responses,
        };
        let mut found = HashMap::new();
        for answered in responses {
            let Some(id) = path::id_within(self.collection, &answered.href) else {
                continue;
            };
            match (answered.status, answered.found.etag, answered.found.data) {
                (Some(404 | 410), _, _) => {
                    found.insert(id, None);
                }
                (_, Some(etag), Some(data)) => {
                    found.insert(id, event(etag, &data));
                }
                _ => {}
            }
        }
        let mut changes = Vec::new();
        for id in ids {
            let now = match found.remove(id) {
                Some(now) => now,
                // Listed, and passed over: some servers answer for what they spell in another way.
                None => match self.dav.fetched(self.collection, id).await {
                    // Somebody's private event must not keep the others away.
                    Err(RemoteError::Refused(_)) => None,
                    fetched => fetched?,
                },
            };
            changes.push(Change {
                id: id.clone(),
                now,
            });
        }
        Ok(changes)
    }
}

impl Dav<'_> {
    /// What one resource is now, by itself; none when it is gone or holds no event.
    pub(super) async fn fetched(
        &self,
        collection: &Url,
        id: &str,
    ) -> Result<Option<Resource>, RemoteError> {
        let mut url = collection.clone();
        url.set_path(id);
        match self.get(&url).await {
            Ok((Some(etag), body)) => Ok(event(etag, &String::from_utf8_lossy(&body))),
            Ok((None, _)) => Err(RemoteError::Answer(
                "it gives an event without its version (ETag)".to_owned(),
            )),
            Err(RemoteError::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Tasks and journals lie in calendars, too.
fn event(etag: String, data: &str) -> Option<Resource> {
    let holds = data
        .lines()
        .any(|line| line.trim_end().eq_ignore_ascii_case("BEGIN:VEVENT"));
    holds.then(|| Resource {
        etag,
        ics: lines(data),
    })
}

/// The text with the line ends of RFC 5545: XML and some servers drop the carriage returns.
pub(super) fn lines(text: &str) -> String {
    let mut ended = String::with_capacity(text.len() + text.len() / 32);
    for line in text.trim_start_matches('\u{feff}').trim().split('\n') {
        ended.push_str(line.trim_end_matches('\r'));
        ended.push_str("\r\n");
    }
    ended
}

fn gone(id: String) -> Change {
    Change { id, now: None }
}
