//! The folder: what loads, which secrets are there, which programs and files the jobs need.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{Access, access};

use super::finding::Finding;
use super::root::Root;
use crate::config::Config;
use crate::config::folder::Folder;
use crate::config::secret::SecretRef;
use crate::config::secrets::Secrets;
use crate::{delivery, sandbox, step};

/// All of it. Programs are looked for in the machine itself, whatever `root` is.
pub(super) fn look(root: &Root, folder: &Folder, config: &Config, state: &Path) -> Vec<Finding> {
    let mut findings = vec![loads(folder, config)];
    if let Folder::Disk(place) = folder {
        findings.extend(guarded(&place.join(".env")));
    }
    findings.extend(secrets(root, folder, config));
    findings.extend(programs(config, state));
    findings.extend(deliveries(root, config));
    findings
}

fn loads(folder: &Folder, config: &Config) -> Finding {
    let about = "configuration";
    let place = match folder {
        // The current folder is an empty path.
        Folder::Disk(place) => fs::canonicalize(place.join("."))
            .unwrap_or_else(|_| place.clone())
            .display()
            .to_string(),
        Folder::Embedded => "the example inside the program".to_owned(),
    };
    let (jobs, errors) = (config.jobs.len(), config.errors());
    if errors > 0 {
        let found = format!("{place}: {errors} errors, {jobs} jobs load");
        return Finding::cannot(about, found, "`reveille check` explains each");
    }
    if matches!(folder, Folder::Embedded) {
        let found = format!("{place}, {jobs} jobs");
        return Finding::warning(
            about,
            found,
            "`reveille init DIR`, or `reveille install`, writes one to change",
        );
    }
    Finding::ok(about, format!("{place}, {jobs} jobs"))
}

fn guarded(dotenv: &Path) -> Option<Finding> {
    let mode = fs::metadata(dotenv).ok()?.permissions().mode();
    let shown = dotenv.display();
    (mode & 0o077 != 0).then(|| {
        let found = format!("others may read {shown}");
        Finding::warning("secrets", found, format!("`chmod 600 {shown}`"))
    })
}

fn secrets(root: &Root, folder: &Folder, config: &Config) -> Vec<Finding> {
    let about = "secrets";
    let (secrets, _) = Secrets::load(folder);
    let mut named: Vec<&SecretRef> = config.secrets().collect();
    named.sort_by_key(|secret| secret.to_string());
    named.dedup();
    let (mut there, mut findings) = (Vec::new(), Vec::new());
    for secret in named {
        match (secrets.get(secret), secret) {
            (Ok(_), _) => there.push(secret.to_string()),
            (Err(_), SecretRef::Credential(name)) if !in_service() => {
                findings.push(elsewhere(root, name));
            }
            (Err(why), _) => findings.push(Finding::cannot(
                about,
                why,
                "put it there; the value is never shown",
            )),
        }
    }
    if !there.is_empty() {
        findings.insert(
            0,
            Finding::ok(about, format!("readable: {}", there.join(", "))),
        );
    }
    findings
}

/// Whether systemd has given this process its credentials.
fn in_service() -> bool {
    std::env::var_os("CREDENTIALS_DIRECTORY").is_some()
}

/// A credential, seen from a command line that has none.
fn elsewhere(root: &Root, name: &str) -> Finding {
    let about = "secrets";
    let path = Path::new("/etc/reveille/credentials").join(name);
    let shown = path.display();
    match fs::metadata(root.path(&path)) {
        Ok(_) => Finding::ok(
            about,
            format!("systemd credential {name}: in {shown}, for the service only"),
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => Finding::cannot(
            about,
            format!("systemd credential {name}: not in {shown}"),
            format!("`sudo install -m 600 /dev/stdin {shown}`, or a drop-in with LoadCredential="),
        ),
        Err(_) => Finding::warning(
            about,
            format!("systemd credential {name}: only root and the service can tell"),
            "`sudo reveille doctor`",
        ),
    }
}

fn programs(config: &Config, state: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for job in config.jobs.values() {
        for step in &job.steps {
            let needed = match &step.kind {
                step::Kind::Exec(exec) => exec.program(),
                step::Kind::Journal(_) => "journalctl",
                _ => continue,
            };
            if let Err(error) = sandbox::find(needed, &state.join("workspace")) {
                let found = format!("job {}, step {}: {error}", job.name, step.id);
                findings.push(Finding::cannot(
                    "programs",
                    found,
                    "install it, or mend the job",
                ));
            }
        }
    }
    findings
}

fn deliveries(root: &Root, config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for job in config.jobs.values() {
        for sent in &job.deliveries {
            let delivery::Kind::File(file) = &sent.kind else {
                continue;
            };
            let path = Path::new(&file.path);
            let (true, Some(parent)) = (path.is_absolute(), path.parent()) else {
                continue;
            };
            let place = parent.ancestors().find(|above| root.has(above));
            let place = root.path(place.unwrap_or(parent));
            if let Err(error) = access(&place, Access::WRITE_OK) {
                let found = format!("job {} delivers to {}: {error}", job.name, path.display());
                let todo = format!(
                    "let the user write there, and the service by ReadWritePaths={}",
                    parent.display()
                );
                findings.push(Finding::cannot("files", found, todo));
            }
        }
    }
    findings
}
