//! The servers of calendars, by what the configuration says of them.

use super::desk::Desk;
use crate::calendar::remote::{Delta, Draft, RemoteError, Resource, Target};
use crate::config::settings::CalendarSettings;

/// A calendar on a server, ready to be asked.
pub(super) enum Server {}

impl Server {
    pub async fn connect(
        _desk: &Desk<'_>,
        _source: &CalendarSettings,
    ) -> Result<Self, RemoteError> {
        Err(RemoteError::Answer("not yet".to_owned()))
    }

    pub async fn changes(
        &self,
        _token: Option<&str>,
        _versions: &[(String, String)],
    ) -> Result<Delta, RemoteError> {
        match *self {}
    }

    pub async fn create(&self, _draft: &Draft) -> Result<(String, Resource), RemoteError> {
        match *self {}
    }

    pub async fn update(
        &self,
        _target: &Target<'_>,
        _draft: &Draft,
    ) -> Result<(String, Resource), RemoteError> {
        match *self {}
    }

    pub async fn delete(
        &self,
        _target: &Target<'_>,
    ) -> Result<(String, Option<Resource>), RemoteError> {
        match *self {}
    }

    pub async fn restore(
        &self,
        _id: &str,
        _was: &Resource,
    ) -> Result<(String, Resource), RemoteError> {
        match *self {}
    }
}
