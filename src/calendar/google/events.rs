//! What changed in a calendar.

use std::collections::HashMap;

use google_calendar3::api::{Event, Events};

use super::call::Failure;
use super::text::{FIELDS, resource, uid};
use super::{Google, MOST_PAGES, in_path};
use crate::calendar::remote::{Change, Delta, RemoteError};

/// Most bytes of text in one [`Delta`].
const MAX_TEXT: usize = 64 << 20;

impl Google {
    /// What is new, changed or gone in a calendar (its id, or `primary`) since `token` was given; without one, and where Google
    /// knows that no more, all there is. With a token and nothing new it is one request.
    ///
    /// A changed instance has an id of its own and the UID of its series. When a series goes, Google does not name its changed
    /// instances: what has its UID goes with it.
    ///
    /// # Errors
    /// Every [`RemoteError`] but `Gone` and `Changed`; more than 64 MiB of text.
    pub async fn changes(&self, calendar: &str, token: Option<&str>) -> Result<Delta, RemoteError> {
        let since = match token {
            Some(token) => match self.pages(calendar, Some(token)).await {
                // 400: it is no token (any more); 410: it is too old.
                Err(failure) if matches!(failure.status(), Some(400 | 410)) => None,
                told => Some(told),
            },
            None => None,
        };
        let (whole, told) = match since {
            Some(told) => (false, told),
            None => (true, self.pages(calendar, None).await),
        };
        let (mut gathered, token) = told.map_err(|failure| failure.of(self, calendar))?;
        self.name_instances(calendar, &mut gathered).await?;
        Ok(Delta {
            whole,
            changes: gathered.changes,
            token,
        })
    }

    async fn pages(
        &self,
        calendar: &str,
        token: Option<&str>,
    ) -> Result<(Gathered, Option<String>), Failure> {
        let calendar = in_path(calendar).map_err(Failure::Other)?;
        let mut gathered = Gathered::default();
        let mut page: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let answer = self.page(&calendar, token, page.as_deref()).await?;
            for event in answer.items.unwrap_or_default() {
                gathered.take(event).map_err(Failure::Other)?;
            }
            if answer.next_page_token.is_none() {
                return Ok((gathered, answer.next_sync_token));
            }
            page = answer.next_page_token;
        }
        let why = "the list of events does not end".to_owned();
        Err(Failure::Other(RemoteError::Answer(why)))
    }

    async fn page(
        &self,
        calendar: &str,
        token: Option<&str>,
        page: Option<&str>,
    ) -> Result<Events, Failure> {
        let fields = format!("nextPageToken,nextSyncToken,items({FIELDS})");
        let fields = fields.as_str();
        self.call(|mut ear| async move {
            // Of the attendees only oneself is asked for.
            let events = self.hub.events();
            let mut call = events
                .list(calendar)
                .single_events(false)
                .max_results(2500)
                .max_attendees(1)
                .param("fields", fields)
                .add_scopes(self.scopes());
            if let Some(token) = token {
                call = call.sync_token(token);
            }
            if let Some(page) = page {
                call = call.page_token(page);
            }
            call.delegate(&mut ear).doit().await
        })
        .await
    }

    /// Of a cancelled instance Google need not tell the UID: its series has it.
    async fn name_instances(
        &self,
        calendar: &str,
        gathered: &mut Gathered,
    ) -> Result<(), RemoteError> {
        for (place, event) in std::mem::take(&mut gathered.nameless) {
            let Some(series) = event.recurring_event_id.clone() else {
                continue;
            };
            if !gathered.uids.contains_key(&series) {
                let found = match self.get(calendar, &series).await {
                    Ok(found) => uid(&found).unwrap_or_default().to_owned(),
                    Err(RemoteError::Gone) => String::new(),
                    Err(error) => return Err(error),
                };
                gathered.uids.insert(series.clone(), found);
            }
            let uid = gathered.uids.get(&series).filter(|uid| !uid.is_empty());
            gathered.changes[place].now = uid.and_then(|uid| resource(&event, uid));
        }
        Ok(())
    }

    /// One event, a cancelled one included.
    pub(super) async fn get(&self, calendar: &str, id: &str) -> Result<Event, RemoteError> {
        let (path, id) = (in_path(calendar)?, in_path(id)?);
        let (path, id) = (&path, &id);
        let got = self.call(|mut ear| async move {
            let events = self.hub.events();
            let call = events.get(path, id).max_attendees(1);
            let call = call.param("fields", FIELDS).add_scopes(self.scopes());
            call.delegate(&mut ear).doit().await
        });
        got.await
            .map_err(|failure| failure.of_event(self, calendar))
    }
}

/// What the pages held.
#[derive(Default)]
struct Gathered {
    changes: Vec<Change>,
    /// Where each id is in `changes`.
    places: HashMap<String, usize>,
    /// The UIDs of series.
    uids: HashMap<String, String>,
    /// So much text it is, at least.
    bytes: usize,
    /// Instances whose UID is not known yet, with their places.
    nameless: Vec<(usize, Event)>,
}

impl Gathered {
    fn take(&mut self, event: Event) -> Result<(), RemoteError> {
        let Some(id) = event.id.clone() else {
            return Ok(());
        };
        let now = uid(&event).and_then(|uid| resource(&event, uid));
        self.bytes += 2 * id.len() + now.as_ref().map_or(0, |now| now.ics.len());
        if self.bytes > MAX_TEXT {
            return Err(RemoteError::Answer(format!(
                "its events are more than {} MiB of text",
                MAX_TEXT >> 20
            )));
        }
        let place = *self.places.entry(id.clone()).or_insert(self.changes.len());
        let change = Change { id, now };
        match self.changes.get_mut(place) {
            // It changed while the pages were turned.
            Some(known) => *known = change,
            None => self.changes.push(change),
        }
        self.nameless.retain(|(known, _)| *known != place);
        match uid(&event) {
            None => self.nameless.push((place, event)),
            Some(uid) if event.recurrence.is_some() => {
                let change = &self.changes[place];
                self.uids.insert(change.id.clone(), uid.to_owned());
            }
            Some(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_memory_should_not_hold_is_refused() {
        let event = Event {
            id: Some("e1".to_owned()),
            i_cal_uid: Some("e1@google.com".to_owned()),
            start: Some(google_calendar3::api::EventDateTime {
                date: chrono::NaiveDate::from_ymd_opt(2026, 11, 20),
                ..Default::default()
            }),
            ..Event::default()
        };
        let mut gathered = Gathered {
            bytes: MAX_TEXT - 400,
            ..Gathered::default()
        };
        assert!(gathered.take(event.clone()).is_ok());
        let more = (0..3).map(|_| gathered.take(event.clone()));
        let why = more.last().expect("three").expect_err("too much");
        assert!(why.to_string().contains("more than 64 MiB"), "{why}");
    }
}
