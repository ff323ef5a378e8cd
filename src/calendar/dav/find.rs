//! From an address to calendars (RFC 6764, section 6; RFC 4791, sections 6.2.1 and 7.8).

use url::Url;

use super::ask::{no_caldav, origin};
use super::multistatus::Answered;
use super::{Dav, Found, bodies, path};
use crate::calendar::remote::RemoteError;

/// Most homes that are looked into.
const MAX_HOMES: usize = 5;

impl Dav<'_> {
    /// The calendars that hold events: of the address itself if it is one, else of the home or the user that it names.
    /// `calendar` picks one by its name or by the end of its path.
    ///
    /// # Errors
    /// No server, no CalDAV, no such user; or there is no such calendar, which lists those that there are.
    pub async fn find(&self, calendar: Option<&str>) -> Result<Vec<Found>, RemoteError> {
        let all = self.all().await?;
        let Some(wanted) = calendar else {
            return Ok(all);
        };
        let named = |test: &dyn Fn(&Found) -> bool| {
            let some: Vec<_> = all.iter().filter(|found| test(found)).cloned().collect();
            (!some.is_empty()).then_some(some)
        };
        let lower = wanted.to_lowercase();
        let chosen = named(&|found| found.name == wanted)
            .or_else(|| named(&|found| path::last_segment(&found.url) == wanted))
            .or_else(|| named(&|found| found.name.to_lowercase() == lower));
        chosen.ok_or_else(|| {
            let names: Vec<_> = all
                .iter()
                .map(|found| format!("`{}`", found.name))
                .collect();
            RemoteError::Refused(match names.is_empty() {
                true => format!("there is no calendar `{wanted}`, nor any other"),
                false => format!(
                    "there is no calendar `{wanted}`: there are {}",
                    names.join(", ")
                ),
            })
        })
    }

    async fn all(&self) -> Result<Vec<Found>, RemoteError> {
        let (place, url) = self.begin().await?;
        let Some(place) = place else {
            return Err(no_caldav(&url));
        };
        if let Some(found) = self.calendar(&url, &place) {
            return Ok(vec![found]);
        }
        if !place.found.homes.is_empty() {
            return self.homes(&url, &place.found.homes).await;
        }
        // A home, maybe another person's. A server's root holds too much that is none of ours.
        let principal = place.found.principal.as_deref();
        if url.path().len() > 1 || principal.is_none() {
            match self.inside(&url).await {
                Ok(found) if !found.is_empty() => return Ok(found),
                Err(error) if principal.is_none() => return Err(error),
                _ => {}
            }
        }
        let Some(principal) = principal.and_then(|href| path::resolve(&url, href)) else {
            return Err(no_caldav(&url));
        };
        let (answer, principal) = self
            .multistatus("PROPFIND", &principal, "0", bodies::place())
            .await?;
        let homes = answer
            .responses
            .into_iter()
            .flat_map(|place| place.found.homes);
        let homes: Vec<String> = homes.collect();
        if homes.is_empty() {
            return Err(no_caldav(&principal));
        }
        self.homes(&principal, &homes).await
    }

    /// What lies at the address, or where its server says that CalDAV begins (RFC 6764, section 5).
    async fn begin(&self) -> Result<(Option<Answered>, Url), RemoteError> {
        let own = &self.account.url;
        let first = self.at(own).await;
        match &first {
            Ok((Some(place), _)) if place.says_something() => return first,
            // A home on a server that tells nobody who they are.
            Ok((Some(_), url)) if self.has_calendars(url).await => return first,
            Err(RemoteError::Gone) if own.path().len() > 1 => {
                return Err(RemoteError::Answer(format!(
                    "nothing is at this path of {} (404): check it, or write the address without a path",
                    origin(own)
                )));
            }
            Err(RemoteError::Gone | RemoteError::Answer(_)) | Ok(_) => {}
            Err(_) => return first,
        }
        let mut well_known = own.clone();
        well_known.set_query(None);
        well_known.set_path("/.well-known/caldav");
        match (self.at(&well_known).await, first) {
            (Ok((Some(place), url)), _) if place.says_something() => Ok((Some(place), url)),
            (
                Err(RemoteError::Gone | RemoteError::Answer(_) | RemoteError::Net(_)) | Ok(_),
                first,
            ) => match first {
                Err(RemoteError::Gone) => Err(no_caldav(own)),
                other => other,
            },
            // It wants to send the password elsewhere, or does not take it.
            (Err(error), _) => Err(error),
        }
    }

    async fn has_calendars(&self, url: &Url) -> bool {
        self.inside(url).await.is_ok_and(|found| !found.is_empty())
    }

    async fn at(&self, url: &Url) -> Result<(Option<Answered>, Url), RemoteError> {
        let (answer, url) = self
            .multistatus("PROPFIND", url, "0", bodies::place())
            .await?;
        let mut responses = answer.responses.into_iter();
        Ok((responses.next(), url))
    }

    async fn homes(&self, base: &Url, homes: &[String]) -> Result<Vec<Found>, RemoteError> {
        let mut all: Vec<Found> = Vec::new();
        for home in homes.iter().take(MAX_HOMES) {
            let Some(home) = path::resolve(base, home) else {
                continue;
            };
            for found in self.inside(&home).await? {
                if all.iter().all(|known| known.url != found.url) {
                    all.push(found);
                }
            }
        }
        Ok(all)
    }

    /// The calendars right inside a collection.
    async fn inside(&self, home: &Url) -> Result<Vec<Found>, RemoteError> {
        let home = path::folder(home);
        let (answer, home) = self
            .multistatus("PROPFIND", &home, "1", bodies::place())
            .await?;
        let all = answer.responses.iter();
        Ok(all
            .filter_map(|place| self.calendar(&home, place))
            .collect())
    }

    /// A place as a calendar for events, if it is one.
    fn calendar(&self, base: &Url, place: &Answered) -> Option<Found> {
        let found = &place.found;
        let events =
            found.components.is_empty() || found.components.iter().any(|kind| kind == "VEVENT");
        let url = path::folder(&path::resolve(base, &place.href)?);
        if !found.is_calendar || !events || !self.is_ours(&url) {
            return None;
        }
        let may_write = |privilege: &String| {
            ["all", "write", "write-content", "bind"].contains(&privilege.as_str())
        };
        Some(Found {
            name: found
                .name
                .clone()
                .unwrap_or_else(|| path::last_segment(&url)),
            writable: found.privileges.is_empty() || found.privileges.iter().any(may_write),
            url,
        })
    }
}

impl Answered {
    /// Whether it is more than a place of WebDAV that knows nothing of calendars or users.
    fn says_something(&self) -> bool {
        let found = &self.found;
        found.is_calendar || found.principal.is_some() || !found.homes.is_empty()
    }
}
