//! A calendar at a web address, kept as a file: fetched when the server has a newer one, and used as it is when the
//! server cannot be reached.

use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use reqwest::header::{
    ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use serde::{Deserialize, Serialize};

use super::cache::{Fingerprint, Validators};
use super::ics::{Calendar, IcsError};
use super::source;
use crate::hash::fnv1a;
use crate::net::{Client, NetError};
use crate::workspace::{Workspace, WorkspaceError};

/// What lies beside the file: where it came from and how to ask for a newer one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// Which address it was; a secret one is not written down.
    url: u64,
    /// Which version of the file this speaks of.
    file: Fingerprint,
    validators: Validators,
    /// When the server last said that this is what it has, as people read it.
    confirmed_at: String,
}

/// A calendar on the disk.
#[derive(Debug)]
pub struct Download {
    /// Where it is.
    pub file: PathBuf,
    /// Why this may not be the newest, if so: when the server last confirmed it, and what went wrong now.
    pub stale: Option<(String, DownloadError)>,
}

/// Why a calendar could not be brought.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The server, or the way to it.
    #[error(transparent)]
    Net(#[from] NetError),
    /// It answers with something else.
    #[error("its answer is of no use: {0}")]
    Ics(#[from] IcsError),
    /// The disk.
    #[error("it could not be kept: {0}")]
    Keep(#[from] WorkspaceError),
    /// Its reading ended in a bug.
    #[error("a bug: {0}")]
    Bug(#[from] tokio::task::JoinError),
}

/// Brings the file `name` of `cache` up to date with `url`. Only what can be read as a calendar takes the place of what
/// is there; `now` is as people read it.
///
/// # Errors
/// It could not be fetched, and there is none from before.
pub async fn refresh(
    client: &Client,
    url: &str,
    cache: &Workspace,
    name: &str,
    now: String,
) -> Result<Download, DownloadError> {
    let file = cache.folder().join(name);
    let known = known(cache, name, &file, url);
    match fetch(client, url, known.as_ref()).await {
        Ok(fetched) => {
            keep(cache.clone(), name.to_owned(), fetched, hash(url), now).await?;
            Ok(Download { file, stale: None })
        }
        Err(error) => match known {
            Some(known) => Ok(Download {
                file,
                stale: Some((known.confirmed_at, error)),
            }),
            None => Err(error),
        },
    }
}

/// What is known of the file that is there, if it came from `url`. Another version of it (a state folder that was
/// copied, a crash between two writes) still stands in for a server that is down, but is never asked for by its validators.
fn known(cache: &Workspace, name: &str, file: &Path, url: &str) -> Option<Known> {
    let known = cache.read(&beside(name), 64 << 10).ok()?;
    let mut known: Known = serde_json::from_slice(&known).ok()?;
    if source::fingerprint(file).ok()? != known.file {
        known.validators = Validators::default();
    }
    (known.url == hash(url)).then_some(known)
}

enum Fetched {
    /// It is what we have.
    Same(Validators),
    /// A calendar.
    New(Vec<u8>, Validators),
}

async fn fetch(
    client: &Client,
    url: &str,
    known: Option<&Known>,
) -> Result<Fetched, DownloadError> {
    let headers = known.map_or_else(HeaderMap::new, |known| conditions(&known.validators));
    let response = client.get(url, headers).await?;
    if let Some(known) = known
        && response.status == StatusCode::NOT_MODIFIED
        && !known.validators.is_empty()
    {
        return Ok(Fetched::Same(known.validators.clone()));
    }
    let response = response.success()?;
    let text = |name| {
        let value: Option<&HeaderValue> = response.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let validators = Validators {
        etag: text(ETAG),
        last_modified: text(LAST_MODIFIED),
    };
    let body = response.body;
    let read = move || Calendar::parse(&body).map(|_| body);
    let body = tokio::task::spawn_blocking(read).await??;
    Ok(Fetched::New(body, validators))
}

/// The calendar first: what lies beside it names the version that it speaks of.
async fn keep(
    cache: Workspace,
    name: String,
    fetched: Fetched,
    url: u64,
    confirmed_at: String,
) -> Result<(), DownloadError> {
    let work = move || {
        let validators = match fetched {
            Fetched::Same(validators) => validators,
            Fetched::New(body, validators) => {
                cache.write(&name, &body)?;
                validators
            }
        };
        // A file that somebody took away meanwhile is fetched anew by the next look.
        let Ok(file) = source::fingerprint(&cache.folder().join(&name)) else {
            return Ok(());
        };
        let known = Known {
            url,
            file,
            validators,
            confirmed_at,
        };
        let known = serde_json::to_vec(&known).unwrap_or_default();
        cache.write(&beside(&name), &known)
    };
    Ok(tokio::task::spawn_blocking(work).await??)
}

fn beside(name: &str) -> String {
    format!("{name}.json")
}

/// Tells addresses apart without giving them away.
fn hash(url: &str) -> u64 {
    fnv1a(url.as_bytes())
}

fn conditions(validators: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let both = [
        (IF_NONE_MATCH, &validators.etag),
        (IF_MODIFIED_SINCE, &validators.last_modified),
    ];
    for (name, value) in both {
        if let Some(value) = value
            .as_deref()
            .and_then(|value| HeaderValue::from_str(value).ok())
        {
            headers.insert(name, value);
        }
    }
    headers
}
