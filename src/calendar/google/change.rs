//! Changes to events. Google's generated calls cannot say `If-Match`: what lies there is looked at right before, which leaves a
//! moment in which somebody else's change is not noticed.

use google_calendar3::api::{Event, EventDateTime};

use super::Google;
use super::in_path;
use super::old::Old;
use super::text::{FIELDS, cut, is_cancelled, resource, uid};
use crate::calendar::Moment;
use crate::calendar::remote::{Draft, RemoteError, Resource, Target};
use crate::zone::Tz;

impl Google {
    /// Makes an event; its id is the draft's uid, so that a second try finds what the first one made. Gives id and event.
    ///
    /// # Errors
    /// `Changed`: something else lies under that id. `Gone`: it was made and deleted since. Else as [`Google::changes`].
    pub async fn create(
        &self,
        calendar: &str,
        draft: &Draft,
    ) -> Result<(String, Resource), RemoteError> {
        let path = &in_path(calendar)?;
        let inserted = self.call(|mut ear| async move {
            let mut event = drafted(draft);
            event.id = Some(draft.uid.clone());
            let call = self.hub.events().insert(event, path);
            let call = call.param("fields", FIELDS).add_scopes(self.scopes());
            call.delegate(&mut ear).doit().await
        });
        match inserted.await {
            Ok(event) => lies(event),
            Err(failure) if failure.status() == Some(409) => {
                let event = self.get(calendar, &draft.uid).await?;
                if is_cancelled(&event) {
                    return Err(RemoteError::Gone);
                }
                if !is_drafted(&event, draft) {
                    return Err(RemoteError::Changed);
                }
                lies(event)
            }
            Err(failure) => Err(failure.of(self, calendar)),
        }
    }

    /// Makes an event, or one occurrence of a series, what the draft says; its uid is not looked at. Gives the id under which it
    /// lies now, an occurrence's own, and what lies there.
    ///
    /// # Errors
    /// `Gone`, `Changed`; else as [`Google::changes`].
    pub async fn update(
        &self,
        calendar: &str,
        target: &Target<'_>,
        draft: &Draft,
    ) -> Result<(String, Resource), RemoteError> {
        let (id, now) = self.aim(calendar, target).await?;
        if is_cancelled(&now) {
            return Err(RemoteError::Gone);
        }
        let mut wanted = drafted(draft);
        // What was cut on the way here would else be cut there.
        if draft.description == cut(now.description.as_deref()) {
            wanted.description = None;
        }
        // A series goes by the clock of its zone, whoever moves it.
        for (wanted, known) in [(&mut wanted.start, &now.start), (&mut wanted.end, &now.end)] {
            let zone = known.as_ref().and_then(|known| known.time_zone.clone());
            if let (Some(wanted), Some(zone)) = (wanted, zone)
                && wanted.date_time.is_some()
            {
                wanted.time_zone = Some(zone);
            }
        }
        self.put(calendar, &id, &now, wanted).await
    }

    /// Deletes an event, a whole series, or one occurrence of it. Gives the id under which it lay, an occurrence's own (see
    /// [`Google::restore`]), and what says of an occurrence that it does not take place. An
    /// occurrence that was deleted before stays so.
    ///
    /// # Errors
    /// `Gone`, `Changed`; else as [`Google::changes`].
    pub async fn delete(
        &self,
        calendar: &str,
        target: &Target<'_>,
    ) -> Result<(String, Option<Resource>), RemoteError> {
        let (id, mut event) = self.aim(calendar, target).await?;
        if !is_cancelled(&event) {
            self.remove(calendar, &id).await?;
            event.status = Some("cancelled".to_owned());
        }
        let left = uid(&event).and_then(|uid| resource(&event, uid));
        Ok((id, left))
    }

    async fn remove(&self, calendar: &str, id: &str) -> Result<(), RemoteError> {
        let (path, event) = (&in_path(calendar)?, &in_path(id)?);
        let deleted = self.call(|mut ear| async move {
            let call = self.hub.events().delete(path, event);
            let call = call.add_scopes(self.scopes());
            let deleted = call.delegate(&mut ear).doit().await;
            deleted.map(|answer| (answer, ()))
        });
        match deleted.await {
            Ok(()) => Ok(()),
            // It was there a moment ago: a try of ours, or of somebody with the same wish.
            Err(failure) if matches!(failure.status(), Some(404 | 410)) => Ok(()),
            Err(failure) => Err(failure.of_event(self, calendar)),
        }
    }

    /// Makes what lies under `id` again what it was in `was`: undoes a deletion or an update. For an occurrence that nobody had
    /// changed before, `was` is its series. `over` is what the update left; after a deletion nothing is there to be guarded.
    ///
    /// # Errors
    /// `Changed`: something else than `over` is there by now. `Gone`: it is not even there as a deleted one. Else as [`Google::changes`].
    pub async fn restore(
        &self,
        calendar: &str,
        id: &str,
        was: &Resource,
        over: Option<&Resource>,
    ) -> Result<(String, Resource), RemoteError> {
        let now = self.get(calendar, id).await?;
        // What was deleted is nobody's; what is there has to be what the change left.
        let is_there = now.status.as_deref() != Some("cancelled");
        if let Some(over) = over.filter(|_| is_there)
            && now.etag.as_deref() != Some(&over.etag)
        {
            return Err(RemoteError::Changed);
        }
        let old = Old::read(&was.ics);
        let original = now.original_start_time.as_ref();
        let of_rule = original.filter(|_| now.recurring_event_id.is_some() && !old.is_instance);
        let times = of_rule.and_then(|original| old.unchanged(original));
        let (start, end) = match times {
            Some((start, end)) => (Some(start), Some(end)),
            None => (old.start, old.end),
        };
        let status = if old.is_tentative {
            "tentative"
        } else {
            "confirmed"
        };
        let wanted = Event {
            status: Some(status.to_owned()),
            summary: Some(old.title),
            location: Some(old.location),
            description: old.description,
            start,
            end,
            ..Event::default()
        };
        self.put(calendar, id, &now, wanted).await
    }

    /// What is to be changed: its id and what it is now. An occurrence may be a cancelled one.
    async fn aim(
        &self,
        calendar: &str,
        target: &Target<'_>,
    ) -> Result<(String, Event), RemoteError> {
        let event = self.get(calendar, target.id).await?;
        if is_cancelled(&event) {
            return Err(RemoteError::Gone);
        }
        if event.etag.as_deref() != Some(&target.seen.etag) {
            return Err(RemoteError::Changed);
        }
        let Some(occurrence) = target
            .occurrence
            .filter(|_| event.recurring_event_id.is_none())
        else {
            return Ok((target.id.to_owned(), event));
        };
        let instance = self.instance(calendar, target.id, occurrence).await?;
        let id = instance.id.clone().ok_or(RemoteError::Gone)?;
        Ok((id, instance))
    }

    /// One occurrence of a series, by the start that its rule gives it.
    async fn instance(
        &self,
        calendar: &str,
        series: &str,
        occurrence: Moment,
    ) -> Result<Event, RemoteError> {
        let (tail, original) = match occurrence {
            Moment::Day(day) => (day.format("%Y%m%d").to_string(), day.to_string()),
            Moment::At(at) => {
                let utc = at.to_utc();
                (utc.format("%Y%m%dT%H%M%SZ").to_string(), utc.to_rfc3339())
            }
        };
        let guessed = self.get(calendar, &format!("{series}_{tail}")).await;
        match guessed {
            Ok(event) if event.recurring_event_id.as_deref() == Some(series) => return Ok(event),
            // A series that another one was split off from names its instances otherwise.
            Ok(_) | Err(RemoteError::Gone) => {}
            Err(error) => return Err(error),
        }
        let (path, id) = (&in_path(calendar)?, &in_path(series)?);
        let (original, fields) = (&original, &format!("items({FIELDS})"));
        let found = self.call(|mut ear| async move {
            let call = self.hub.events().instances(path, id);
            let call = call.original_start(original).max_attendees(1);
            let call = call.show_deleted(true).param("fields", fields.as_str());
            let call = call.add_scopes(self.scopes());
            call.delegate(&mut ear).doit().await
        });
        let found = found
            .await
            .map_err(|failure| failure.of_event(self, calendar))?;
        let first = found.items.into_iter().flatten().next();
        first.ok_or(RemoteError::Gone)
    }

    /// Changes what `wanted` names. A patch cannot take a field away, as a day that becomes a time has to: then the whole is sent.
    async fn put(
        &self,
        calendar: &str,
        id: &str,
        now: &Event,
        wanted: Event,
    ) -> Result<(String, Resource), RemoteError> {
        let (path, event) = (&in_path(calendar)?, &in_path(id)?);
        let changed = if is_of_days(&now.start) == is_of_days(&wanted.start) {
            let wanted = &wanted;
            self.call(|mut ear| async move {
                let call = self.hub.events().patch(wanted.clone(), path, event);
                let call = call.param("fields", FIELDS).add_scopes(self.scopes());
                call.delegate(&mut ear).doit().await
            })
            .await
        } else {
            let whole = self.call(|mut ear| async move {
                let call = self.hub.events().get(path, event);
                let call = call.add_scopes(self.scopes());
                call.delegate(&mut ear).doit().await
            });
            let mut whole = whole
                .await
                .map_err(|failure| failure.of_event(self, calendar))?;
            whole.status = wanted.status.or(whole.status);
            whole.summary = wanted.summary.or(whole.summary);
            whole.location = wanted.location.or(whole.location);
            whole.description = wanted.description.or(whole.description);
            (whole.start, whole.end) = (wanted.start, wanted.end);
            let whole = &whole;
            self.call(|mut ear| async move {
                let call = self.hub.events().update(whole.clone(), path, event);
                let call = call.param("fields", FIELDS).add_scopes(self.scopes());
                call.delegate(&mut ear).doit().await
            })
            .await
        };
        lies(changed.map_err(|failure| failure.of_event(self, calendar))?)
    }
}

fn drafted(draft: &Draft) -> Event {
    Event {
        summary: Some(draft.title.clone()),
        location: Some(draft.location.clone()),
        description: Some(draft.description.clone()),
        start: Some(time(draft.start, draft.zone)),
        end: Some(time(draft.end, draft.zone)),
        ..Event::default()
    }
}

fn time(moment: Moment, zone: Tz) -> EventDateTime {
    match moment {
        Moment::Day(day) => EventDateTime {
            date: Some(day),
            ..EventDateTime::default()
        },
        Moment::At(at) => EventDateTime {
            date_time: Some(at.to_utc()),
            time_zone: Some(zone.name().to_owned()),
            date: None,
        },
    }
}

fn is_of_days(time: &Option<EventDateTime>) -> bool {
    time.as_ref().is_some_and(|time| time.date.is_some())
}

/// Whether an event is what the draft says.
fn is_drafted(event: &Event, draft: &Draft) -> bool {
    let wanted = drafted(draft);
    let when = |time: &Option<EventDateTime>| {
        let time = time.as_ref();
        time.map(|time| (time.date, time.date_time))
    };
    when(&event.start) == when(&wanted.start)
        && when(&event.end) == when(&wanted.end)
        && event.summary.as_deref().unwrap_or_default() == draft.title
}

fn lies(event: Event) -> Result<(String, Resource), RemoteError> {
    let answer = || RemoteError::Answer("Google's answer is no event".to_owned());
    let id = event.id.clone().ok_or_else(answer)?;
    let uid = uid(&event).unwrap_or(&id);
    let resource = resource(&event, uid).ok_or_else(answer)?;
    Ok((id, resource))
}
