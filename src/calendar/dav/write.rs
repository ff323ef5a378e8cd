//! Events made, changed, deleted and put back (RFC 4791, section 5.3), each write against the version that was seen.

use url::Url;

use super::ask::{Condition, Doing, etag};
use super::{Dav, multistatus, path, sync};
use crate::calendar::Moment;
use crate::calendar::edit::{self, Left};
use crate::calendar::remote::{Draft, RemoteError, Resource, Target};
use crate::calendar::write;

impl Dav<'_> {
    /// Makes an event in `collection` and gives its id. Where an earlier try made it, it is found.
    ///
    /// # Errors
    /// `Changed` where the draft's UID is there with other words or times; every other [`RemoteError`].
    pub async fn create(
        &self,
        collection: &Url,
        draft: &Draft,
    ) -> Result<(String, Resource), RemoteError> {
        let collection = path::folder(collection);
        let id = path::normal(&format!("{}{}.ics", collection.path(), draft.uid));
        let url = at(&collection, &id);
        let text = write::calendar(draft, self.clock.now());
        let response = self.put(&url, &text, Condition::Nothing).await?;
        let status = response.status.as_u16();
        if matches!(status, 403 | 409 | 412) {
            // It lies under this name, or under another one that the server names (RFC 4791, section 5.3.2.1).
            let named = multistatus::read(&response.body).ok();
            let conflict = named
                .and_then(|named| named.conflict)
                .and_then(|href| path::id_within(&collection, &href));
            if status == 412 || conflict.is_some() {
                let id = conflict.unwrap_or(id);
                let there = self
                    .fetched(&collection, &id)
                    .await?
                    .ok_or(RemoteError::Changed)?;
                return match edit::says(&there.ics, draft, &draft.uid) {
                    true => Ok((id, there)),
                    false => Err(RemoteError::Changed),
                };
            }
        }
        self.fine(&response, Doing::Writing)
            .map_err(no_collection)?;
        let written = self
            .written(&collection, &id, etag(&response), text)
            .await?;
        Ok((id, written))
    }

    /// Changes an event's title, place and times to those of `draft`; its UID and description are not looked at, and all else
    /// stays as it is. For a whole series the draft's times are those of its first occurrence ([`edit::times`]).
    ///
    /// # Errors
    /// `Changed` if it is another version by now (unless it says just this), `Gone`, `Refused` if the change cannot be made
    /// to such a series; every other [`RemoteError`].
    pub async fn update(
        &self,
        collection: &Url,
        target: &Target<'_>,
        draft: &Draft,
    ) -> Result<Resource, RemoteError> {
        let now = self.clock.now();
        let text = edit::changed(&target.seen.ics, target.occurrence, draft, now)?;
        match self.replace(collection, target, text).await {
            Err(RemoteError::Changed) => {
                // An earlier try may have arrived, its answer not.
                let there = self.fetched(collection, target.id).await?;
                let there = there.ok_or(RemoteError::Gone)?;
                let uid = edit::uid(&target.seen.ics).unwrap_or_default();
                match edit::says(&there.ics, draft, &uid) {
                    true => Ok(there),
                    false => Err(RemoteError::Changed),
                }
            }
            other => other,
        }
    }

    /// Deletes an event, a series or one occurrence. What is left of a series is given.
    ///
    /// # Errors
    /// `Changed` if it is another version by now (unless that lacks the occurrence); `Gone`; every other [`RemoteError`].
    pub async fn delete(
        &self,
        collection: &Url,
        target: &Target<'_>,
    ) -> Result<Option<Resource>, RemoteError> {
        if let Some(occurrence) = target.occurrence {
            let now = self.clock.now();
            let left = edit::without(&target.seen.ics, occurrence, self.zone, now)?;
            if let Left::Some(text) = left {
                return match self.replace(collection, target, text).await {
                    Err(RemoteError::Changed) => self.left(collection, target.id, occurrence).await,
                    other => other.map(Some),
                };
            }
        }
        let url = at(collection, target.id);
        let version = Condition::Version(&target.seen.etag);
        self.remove(&url, version).await.map(|()| None)
    }

    /// What is left of a series that was changed meanwhile, if it lacks the occurrence: an earlier try may have arrived, its
    /// answer not.
    async fn left(
        &self,
        collection: &Url,
        id: &str,
        occurrence: Moment,
    ) -> Result<Option<Resource>, RemoteError> {
        let Some(there) = self.fetched(collection, id).await? else {
            return Ok(None);
        };
        match edit::without(&there.ics, occurrence, self.zone, self.clock.now()) {
            Err(RemoteError::Gone) => Ok(Some(there)),
            _ => Err(RemoteError::Changed),
        }
    }

    /// Puts back what was seen before a change or a deletion. `over` is what that left there; none where it deleted all.
    ///
    /// # Errors
    /// `Changed` if something else is there by now (unless an earlier try put this back); every other [`RemoteError`].
    pub async fn restore(
        &self,
        collection: &Url,
        id: &str,
        resource: &Resource,
        over: Option<&Resource>,
    ) -> Result<Resource, RemoteError> {
        let text = sync::lines(&resource.ics);
        let version = over.map_or(Condition::Nothing, |over| Condition::Version(&over.etag));
        let response = self.put(&at(collection, id), &text, version).await?;
        match self.fine(&response, Doing::Writing).map_err(no_collection) {
            Ok(()) => self.written(collection, id, etag(&response), text).await,
            Err(RemoteError::Changed) => {
                let there = self
                    .fetched(collection, id)
                    .await?
                    .ok_or(RemoteError::Gone)?;
                match same_lines(&there.ics, &text) {
                    true => Ok(there),
                    false => Err(RemoteError::Changed),
                }
            }
            Err(error) => Err(error),
        }
    }

    async fn replace(
        &self,
        collection: &Url,
        target: &Target<'_>,
        text: String,
    ) -> Result<Resource, RemoteError> {
        let version = Condition::Version(&target.seen.etag);
        let response = self.put(&at(collection, target.id), &text, version).await?;
        self.fine(&response, Doing::Writing)?;
        self.written(collection, target.id, etag(&response), text)
            .await
    }

    /// What lies there after a write. A server that gives no version with it changed the text (RFC 4791, section 5.3.4).
    async fn written(
        &self,
        collection: &Url,
        id: &str,
        etag: Option<String>,
        ics: String,
    ) -> Result<Resource, RemoteError> {
        match etag {
            Some(etag) => Ok(Resource { etag, ics }),
            None => {
                let there = self.fetched(collection, id).await?;
                there.ok_or(RemoteError::Gone)
            }
        }
    }
}

/// A resource of a collection.
fn at(collection: &Url, id: &str) -> Url {
    let mut url = collection.clone();
    url.set_path(id);
    url
}

/// Whether two texts hold the same lines, whatever their order and folds.
fn same_lines(one: &str, other: &str) -> bool {
    let lines = |text: &str| {
        let unfolded = text.replace("\r\n ", "");
        let mut lines: Vec<String> = unfolded.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    lines(one) == lines(other)
}

/// Where something new cannot be put, it is the calendar that is not there.
fn no_collection(error: RemoteError) -> RemoteError {
    match error {
        RemoteError::Gone => RemoteError::Refused("the calendar is not there any more".to_owned()),
        other => other,
    }
}
