//! The file in which a sign-in is kept: the token, and beside it what Google said of it once.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use yup_oauth2::storage::{TokenInfo, TokenStorage, TokenStorageError};

use crate::journal::{Level, say};

/// A sign-in, as its file has it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What new access tokens are had with.
    pub refresh_token: String,
    /// The newest access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// When that one ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When the person said yes.
    pub granted_at: DateTime<Utc>,
    /// What they said yes to, which may be less than was asked for.
    pub scopes: Vec<String>,
    /// When the refresh token ends, where Google tells: seven days after the grant while the consent screen is in Testing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// Who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// Without the tokens.
impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Kept");
        shown.field("granted_at", &self.granted_at);
        shown
            .field("scopes", &self.scopes)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Kept {
    /// From the fifth day on, what may be on the seventh.
    pub fn warning(&self, now: DateTime<Utc>) -> Option<String> {
        if let Some(end) = self.ends_at {
            return Some(format!(
                "this sign-in ends on {}: the consent screen is in Testing; set its publishing status to \"In production\" in Google's \
                 console, then sign in again",
                end.format("%Y-%m-%d")
            ));
        }
        let age = now - self.granted_at;
        let near = age >= TimeDelta::days(5) && age < TimeDelta::days(7);
        near.then(|| {
            let end = self.granted_at + TimeDelta::days(7);
            format!(
                "should the consent screen be in Testing, this sign-in ends on {}: Google's console, APIs & Services > OAuth consent \
                 screen, shows and changes the publishing status; then sign in again",
                end.format("%Y-%m-%d")
            )
        })
    }

    /// Reads what a file holds.
    ///
    /// # Errors
    /// It is no such file; in words, without anything of it.
    pub fn parse(text: &str) -> Result<Kept, String> {
        serde_json::from_str(text)
            .map_err(|_| "the stored token is not what `reveille auth google` writes".to_owned())
    }

    /// Writes it: a reader finds the old file or the new one, whole, which nobody but its owner may read.
    ///
    /// # Errors
    /// The folder or the disk.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let temporary = path.with_extension("json.new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(folder)?.sync_all()
    }

    /// Whether this one counts where both are there: of two grants the later, of one grant the one refreshed later.
    fn is_newer_than(&self, other: &Kept) -> bool {
        (self.granted_at, self.expires_at) > (other.granted_at, other.expires_at)
    }

    fn token(&self) -> TokenInfo {
        let end = |at: DateTime<Utc>| OffsetDateTime::from_unix_timestamp(at.timestamp()).ok();
        // One whose end is not known has ended.
        let ended = Some(OffsetDateTime::UNIX_EPOCH);
        TokenInfo {
            access_token: self.access_token.clone(),
            refresh_token: Some(self.refresh_token.clone()),
            expires_at: self.expires_at.and_then(end).or(ended),
            id_token: None,
        }
    }
}

/// Where the sign-in of one account is: a file of the state, which refreshed tokens go to, and perhaps one that may only be read.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    /// The newest that was seen, also where it could not be written.
    newest: Mutex<Option<Kept>>,
}

impl TokenFile {
    /// The file at `path`, and what somebody else keeps, as a systemd credential.
    pub fn new(path: PathBuf, original: Option<Kept>) -> Self {
        TokenFile {
            path,
            newest: Mutex::new(original),
        }
    }

    /// What counts now. Read anew each time: a sign-in by hand must reach a daemon that runs.
    pub fn newest(&self) -> Option<Kept> {
        let mut newest = self.newest.lock().ok()?;
        let stored = fs::read_to_string(&self.path).ok();
        if let Some(stored) = stored.and_then(|text| Kept::parse(&text).ok())
            && newest
                .as_ref()
                .is_none_or(|known| stored.is_newer_than(known))
        {
            *newest = Some(stored);
        }
        newest.clone()
    }

    /// Keeps an access token; where it cannot be written it holds as long as the process.
    pub fn refreshed(&self, access_token: Option<String>, expires_at: Option<DateTime<Utc>>) {
        let Some(mut kept) = self.newest() else {
            return;
        };
        kept.access_token = access_token;
        kept.expires_at = expires_at;
        if let Err(error) = kept.write(&self.path) {
            let path = self.path.display();
            say(
                Level::Warning,
                format_args!("cannot keep Google's access token in {path}: {error}"),
            );
        }
        if let Ok(mut newest) = self.newest.lock() {
            *newest = Some(kept);
        }
    }
}

/// For the authenticator.
#[derive(Debug, Clone)]
pub(super) struct Shared(pub(super) Arc<TokenFile>);

/// Scopes are not looked at: a sign-in has those that it was given.
#[async_trait::async_trait]
impl TokenStorage for Shared {
    async fn set(&self, _: &[&str], token: TokenInfo) -> Result<(), TokenStorageError> {
        let end = token
            .expires_at
            .and_then(|at| DateTime::from_timestamp(at.unix_timestamp(), 0));
        self.0.refreshed(token.access_token, end);
        Ok(())
    }

    async fn get(&self, _: &[&str]) -> Option<TokenInfo> {
        Some(self.0.newest()?.token())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn kept(granted: &str) -> Kept {
        Kept {
            refresh_token: "1//refresh".to_owned(),
            access_token: Some("ya29.access".to_owned()),
            expires_at: None,
            granted_at: granted.parse().expect("a time"),
            scopes: vec!["a".to_owned()],
            ends_at: None,
            email: Some("ana@example.org".to_owned()),
        }
    }

    #[test]
    fn a_file_is_whole_and_its_owners() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("google/home.json");
        for granted in ["2026-11-20T06:00:00Z", "2026-11-21T06:00:00Z"] {
            kept(granted).write(&path).expect("written");
            let text = fs::read_to_string(&path).expect("there");
            assert_eq!(Kept::parse(&text), Ok(kept(granted)));
        }
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let names = fs::read_dir(folder.path().join("google")).expect("a folder");
        assert_eq!(names.count(), 1, "nothing temporary stays");
    }

    #[test]
    fn of_two_grants_the_later_counts_and_refreshed_tokens_go_to_the_state() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("home.json");
        let file = TokenFile::new(path.clone(), Some(kept("2026-11-20T06:00:00Z")));
        file.refreshed(Some("new".to_owned()), Some(DateTime::UNIX_EPOCH));
        let stored = Kept::parse(&fs::read_to_string(&path).expect("there")).expect("right");
        assert_eq!(stored.access_token.as_deref(), Some("new"));
        assert_eq!(file.newest(), Some(stored));
        let signed_in = kept("2026-11-21T06:00:00Z");
        signed_in.write(&path).expect("written");
        assert_eq!(file.newest(), Some(signed_in.clone()));
        let older = TokenFile::new(path, Some(kept("2026-11-19T06:00:00Z")));
        assert_eq!(older.newest(), Some(signed_in));
    }

    #[test]
    fn nothing_of_it_is_shown() {
        let shown = format!("{:?}", kept("2026-11-20T06:00:00Z"));
        assert!(!shown.contains("ya29") && !shown.contains("1//"), "{shown}");
        let wrong = Kept::parse("{\"refresh_token\": 5, \"x\": \"1//refresh\"}");
        assert!(!wrong.expect_err("it is wrong").contains("1//"));
    }

    #[test]
    fn what_yup_oauth2_tells_of_tokens_is_told_to_nobody() {
        // It logs them at debug, which is not even compiled.
        assert!(log::STATIC_MAX_LEVEL <= log::LevelFilter::Info);
    }
}
