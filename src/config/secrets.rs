//! Reads secrets from where they are kept, and takes them out of everything that is written down or shown.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::Value;

use super::folder::Folder;
use super::secret::SecretRef;
use crate::job::{NewDelivery, Outcome, StepEnd};
use crate::net::Secret;
use crate::step::Done;
use crate::store::RunUpdate;

/// The secrets that this process may read, and those that it has read.
#[derive(Debug)]
pub struct Secrets {
    dotenv: BTreeMap<String, Secret>,
    folder: Option<PathBuf>,
    /// What has to be taken out of texts: everything read so far.
    known: Mutex<Vec<Secret>>,
}

/// Shorter ones would take innocent words out of texts.
const SCRUBBED_FROM: usize = 6;

impl Secrets {
    /// Reads the folder's `.env`; gives a warning when others may read it.
    pub fn load(folder: &Folder) -> (Self, Option<String>) {
        let root = match folder {
            Folder::Disk(root) => Some(root.clone()),
            Folder::Embedded => None,
        };
        let mut warning = None;
        let mut dotenv = BTreeMap::new();
        if let Some(path) = root.as_ref().map(|root| root.join(".env")) {
            match read_text(&path) {
                Ok(text) => {
                    dotenv = read_dotenv(&text);
                    warning = readable_by_others(&path);
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => warning = Some(format!("cannot read {}: {error}", path.display())),
            }
        }
        let secrets = Secrets {
            dotenv,
            folder: root,
            known: Mutex::default(),
        };
        (secrets, warning)
    }

    /// Reads what `named` names, so that it is scrubbed before its first use; what is missing is told of at its use.
    ///
    /// Nothing else of `.env` is a secret: a line `LANGUAGE=spanish` takes no word out of a text.
    ///
    /// Gives a warning for each file that others may read.
    pub fn learn<'r>(&self, named: impl IntoIterator<Item = &'r SecretRef>) -> Vec<String> {
        let mut warnings = BTreeSet::new();
        for from in named {
            let read = self.get(from);
            if let (Ok(_), SecretRef::File(path)) = (read, from) {
                warnings.extend(readable_by_others(&self.place(path)));
            }
        }
        warnings.into_iter().collect()
    }

    fn place(&self, path: &str) -> PathBuf {
        self.folder.clone().unwrap_or_default().join(path)
    }

    /// The secret itself.
    ///
    /// # Errors
    /// Where it should be and is not, in words for the owner.
    pub fn get(&self, from: &SecretRef) -> Result<Secret, String> {
        let secret = match from {
            SecretRef::Env(name) => match std::env::var(name) {
                Ok(value) => Secret::new(value),
                Err(_) => self.dotenv.get(name).cloned().ok_or_else(|| {
                    format!(
                        "the environment variable {name} is not set, and .env has no line {name}="
                    )
                })?,
            },
            SecretRef::File(path) => read_secret(&self.place(path))?,
            SecretRef::Credential(name) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| {
                    format!("the systemd credential {name} is not there: no $CREDENTIALS_DIRECTORY")
                })?;
                read_credential(Path::new(&folder), name)?
            }
        };
        self.know(&secret);
        Ok(secret)
    }

    /// Remembers a secret, the longest first: one that is a part of another would else leave the rest of it.
    fn know(&self, secret: &Secret) {
        let mut known = self.lock();
        if secret.expose().len() >= SCRUBBED_FROM && !known.contains(secret) {
            known.push(secret.clone());
            known.sort_by_key(|secret| Reverse(secret.expose().len()));
        }
    }

    /// The text with every known secret starred out.
    pub fn scrub(&self, text: &mut String) {
        for secret in self.lock().iter() {
            if text.contains(secret.expose()) {
                *text = text.replace(secret.expose(), "***");
            }
        }
    }

    /// Scrubs what a step leaves behind, before anybody sees it.
    pub fn scrub_done(&self, done: &mut Done) {
        match &mut done.end {
            StepEnd::Done(value) => self.scrub_value(value),
            StepEnd::Failed(reason) => self.scrub(reason),
            StepEnd::Skipped | StepEnd::Stop | StepEnd::Wait(_) => {}
        }
        done.detail
            .iter_mut()
            .for_each(|value| self.scrub_value(value));
    }

    /// Scrubs a message, and where it goes.
    pub fn scrub_message(&self, message: &mut NewDelivery) {
        self.scrub(&mut message.body);
        self.scrub_value(&mut message.target);
    }

    /// Scrubs everything that a commit would write down.
    pub fn scrub_update(&self, update: &mut RunUpdate) {
        if self.lock().is_empty() {
            return;
        }
        for step in &mut update.steps {
            step.error.iter_mut().for_each(|error| self.scrub(error));
            step.result
                .iter_mut()
                .for_each(|value| self.scrub_value(value));
            step.detail
                .iter_mut()
                .for_each(|value| self.scrub_value(value));
            let moved = step.moved.iter_mut().filter_map(|(_, to)| to.as_mut());
            moved.for_each(|value| self.scrub_value(value));
        }
        for delivery in &mut update.deliveries {
            self.scrub_message(delivery);
        }
        for (_, position) in &mut update.cursors {
            position
                .iter_mut()
                .for_each(|value| self.scrub_value(value));
        }
        if let Some(crate::job::RunState::Finished(outcome)) = &mut update.state {
            *outcome = self.scrub_outcome(outcome.clone());
        }
    }

    /// Scrubs the reason of an outcome.
    pub fn scrub_outcome(&self, mut outcome: Outcome) -> Outcome {
        match &mut outcome {
            Outcome::NothingToSay(why)
            | Outcome::Skipped(why)
            | Outcome::Failed(why)
            | Outcome::Interrupted(why) => self.scrub(why),
            Outcome::Ok | Outcome::Cancelled | Outcome::TooOld => {}
        }
        outcome
    }

    /// Scrubs every text in a value, the names of fields included.
    pub fn scrub_value(&self, value: &mut Value) {
        if self.lock().is_empty() {
            return;
        }
        match value {
            Value::String(text) => self.scrub(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.scrub_value(item)),
            Value::Object(fields) => {
                for (mut name, mut field) in std::mem::take(fields) {
                    self.scrub(&mut name);
                    self.scrub_value(&mut field);
                    fields.insert(name, field);
                }
            }
            _ => {}
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Secret>> {
        self.known
            .lock()
            .expect("nothing panics while it holds the secrets")
    }
}

/// Never waits, as at a pipe.
fn read_text(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    fs::read_to_string(path)
}

fn read_secret(path: &Path) -> Result<Secret, String> {
    match read_text(path) {
        Ok(text) => Ok(Secret::new(text.trim_end())),
        Err(error) => Err(format!(
            "cannot read the secret in {}: {error}",
            path.display()
        )),
    }
}

/// The service loads the folder `/etc/reveille/credentials` whole, as `secret`: systemd.exec(5) then calls each file in it
/// `secret_NAME`. One of its own, by a drop-in, comes first.
fn read_credential(folder: &Path, name: &str) -> Result<Secret, String> {
    let (own, of_folder) = (folder.join(name), folder.join(format!("secret_{name}")));
    if !own.exists() && of_folder.exists() {
        return read_secret(&of_folder);
    }
    read_secret(&own)
}

fn readable_by_others(path: &Path) -> Option<String> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    let shown = path.display();
    (mode & 0o077 != 0).then(|| format!("others may read {shown}: `chmod 600 {shown}`"))
}

/// Lines `NAME=value`, with an optional `export` and optional quotes.
fn read_dotenv(text: &str) -> BTreeMap<String, Secret> {
    let line = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
        let value = value.trim();
        let bare = ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        Some((name.trim().to_owned(), Secret::new(bare.unwrap_or(value))))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotenv_lines() {
        let read = read_dotenv("# no\nA=1\nexport B = \"two words\"\nC='x=y'\nnonsense\n");
        let read: Vec<_> = read
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()))
            .collect();
        assert_eq!(read, [("A", "1"), ("B", "two words"), ("C", "x=y")]);
    }

    #[test]
    fn what_is_named_is_known_and_the_rest_of_dotenv_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str, mode| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changed");
        };
        write(".env", "A_KEY=hunter2hunter2\nLANGUAGE=spanish\n", 0o600);
        write("open", "opensesame\n", 0o644);
        write("shut", "shutsesame\n", 0o600);
        let (secrets, _) = Secrets::load(&Folder::Disk(folder.path().to_owned()));
        let named = ["open", "shut", "missing"].map(|name| SecretRef::File(name.to_owned()));
        let key = SecretRef::Env("A_KEY".to_owned());
        let warnings = secrets.learn(named.iter().chain([&key]));
        let [warning] = &warnings[..] else {
            panic!("{warnings:?}");
        };
        assert!(warning.contains("open: `chmod 600 "), "{warning}");
        let mut text = "hunter2hunter2 opensesame shutsesame spanish".to_owned();
        secrets.scrub(&mut text);
        assert_eq!(text, "*** *** *** spanish");
    }

    #[test]
    fn a_credential_of_its_own_comes_before_one_of_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let read = |name| {
            let secret = read_credential(folder.path(), name);
            secret.map(|secret| secret.expose().to_owned())
        };
        fs::write(folder.path().join("secret_token"), "of the folder\n").expect("written");
        assert_eq!(read("token").as_deref(), Ok("of the folder"));
        fs::write(folder.path().join("token"), "its own\n").expect("written");
        assert_eq!(read("token").as_deref(), Ok("its own"));
        let missing = read("other").expect_err("it is not there");
        assert!(missing.contains("/other: "), "{missing}");
    }

    #[test]
    fn a_known_secret_is_taken_out_of_texts() {
        let (secrets, _) = Secrets::load(&Folder::Embedded);
        secrets.know(&Secret::new("hunter2hunter2"));
        let mut text = "GET https://api/bot/hunter2hunter2/x".to_owned();
        secrets.scrub(&mut text);
        assert_eq!(text, "GET https://api/bot/***/x");
    }

    #[test]
    fn a_secret_that_is_a_part_of_another_leaves_nothing_of_it() {
        let (secrets, _) = Secrets::load(&Folder::Embedded);
        for secret in ["hunter2", "hunter2-and-more", "hunter2", "short"] {
            secrets.know(&Secret::new(secret));
        }
        assert_eq!(secrets.lock().len(), 2);
        let mut value = serde_json::json!({"hunter2": ["hunter2-and-more", 1, "short"]});
        secrets.scrub_value(&mut value);
        assert_eq!(value, serde_json::json!({"***": ["***", 1, "short"]}));
    }
}
