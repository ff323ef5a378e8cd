//! A calendar at a web address, kept as a file: fetched when the server has a newer one, and used as it is when the
//! server cannot be reached.

use std::path::PathBuf;

use reqwest::StatusCode;
use reqwest::header::{
    ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cache::Validators;
use crate::net::{Client, NetError};
use crate::workspace::{Workspace, WorkspaceError};

/// What is remembered of a download.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Known {
    validators: Validators,
    /// RFC 3339.
    fetched_at: String,
}

/// A calendar on the disk.
#[derive(Debug)]
pub struct Download {
    /// Where it is.
    pub file: PathBuf,
    /// What to remember; `None` when what is remembered still holds.
    pub keep: Option<Value>,
    /// Why this is not the newest, if it is not: when it was fetched, and what went wrong now.
    pub stale: Option<(String, NetError)>,
}

/// Why a calendar could not be brought.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The server, or the way to it.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The disk.
    #[error("it could not be kept: {0}")]
    Keep(#[from] WorkspaceError),
}

/// Brings the file `name` of `cache` up to date with `url`; `kept` is what the last download gave to remember.
///
/// # Errors
/// It could not be fetched, and there is none from before.
pub async fn refresh(
    client: &Client,
    url: &str,
    cache: &Workspace,
    name: &str,
    kept: Option<Value>,
    now: String,
) -> Result<Download, DownloadError> {
    let file = cache.folder().join(name);
    let known: Option<Known> = kept.and_then(|kept| serde_json::from_value(kept).ok());
    let known = known.filter(|_| file.exists());
    let headers = known
        .as_ref()
        .map_or_else(HeaderMap::new, |known| conditions(&known.validators));
    let fetched = client.get(url, headers).await;
    let response = match (fetched, known) {
        (Ok(response), Some(_)) if response.status == StatusCode::NOT_MODIFIED => {
            return Ok(Download {
                file: file.to_owned(),
                keep: None,
                stale: None,
            });
        }
        (fetched, known) => match (fetched.and_then(|response| response.success()), known) {
            (Ok(response), _) => response,
            (Err(error), None) => return Err(error.into()),
            (Err(error), Some(known)) => {
                let stale = Some((known.fetched_at, error));
                return Ok(Download {
                    file: file.to_owned(),
                    keep: None,
                    stale,
                });
            }
        },
    };
    let text = |name| {
        response
            .headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let known = Known {
        validators: Validators {
            etag: text(ETAG).map(str::to_owned),
            last_modified: text(LAST_MODIFIED).map(str::to_owned),
        },
        fetched_at: now,
    };
    cache.write(name, &response.body)?;
    Ok(Download {
        file,
        keep: serde_json::to_value(known).ok(),
        stale: None,
    })
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
