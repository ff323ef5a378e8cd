//! The models that the configuration names: is their server there, is the model on it, and where its files lie.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::finding::Finding;
use super::machine::gib;
use super::root::Root;
use crate::clock::Clock;
use crate::config::settings::{ModelSettings, Settings};
use crate::llm::{self, Installed, Model, Provider};
use crate::system::{Machine, Medium, storage};

/// All of it. Only Ollama's servers are asked: others take money for answers.
pub(super) async fn look(root: &Root, settings: &Settings, clock: Arc<dyn Clock>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut at_home = false;
    for settings in settings.models.values() {
        if settings.provider != Provider::Ollama || settings.api_key.is_some() {
            continue;
        }
        at_home |= is_here(settings);
        findings.push(server(root, settings, Arc::clone(&clock)).await);
    }
    if at_home {
        findings.extend(files(root));
    }
    findings
}

fn is_here(settings: &ModelSettings) -> bool {
    matches!(
        settings.url.host_str(),
        Some("127.0.0.1" | "localhost" | "[::1]")
    )
}

async fn server(root: &Root, settings: &ModelSettings, clock: Arc<dyn Clock>) -> Finding {
    let about = "models";
    let model = Model {
        name: settings.name.clone(),
        provider: settings.provider,
        url: settings.url.as_str().to_owned(),
        model: settings.model.clone(),
        api_key: None,
        context: None,
        max_output: settings.max_output,
        timeouts: settings.timeouts,
        lane: 1,
        keep_alive: None,
        local: settings.local,
        price: None,
    };
    let name = &settings.model;
    let net = llm::client([&model], Arc::clone(&clock));
    let installed = match llm::installed(&model, &net, &*clock).await {
        Ok(installed) => installed,
        Err(error) => {
            let found = format!("{name}: {error}: texts go out plain");
            let todo = "start Ollama (https://ollama.com/download), or mend `url` in [models]";
            return Finding::warning(about, found, todo);
        }
    };
    let Some(found) = installed.iter().find(|installed| installed.is(name)) else {
        let found = format!("{name}: the server does not have it: texts go out plain");
        return Finding::warning(about, found, format!("`ollama pull {name}`"));
    };
    fits(root, settings, found)
}

fn fits(root: &Root, settings: &ModelSettings, found: &Installed) -> Finding {
    let about = "models";
    let (name, size) = (&settings.model, gib(found.size));
    let memory = Machine::below(root.folder()).memory();
    let total = memory
        .filter(|_| is_here(settings))
        .map(|memory| memory.total);
    match total {
        // What the context and everything else take.
        Some(total) if found.size > total / 5 * 4 => Finding::warning(
            about,
            format!(
                "{name}: {size} do not fit into {} of memory beside the rest",
                gib(total)
            ),
            "take a smaller one, or a stronger quantisation",
        ),
        _ => Finding::ok(about, format!("{name}: ready, {size}")),
    }
}

fn files(root: &Root) -> Option<Finding> {
    let about = "model files";
    let place = places(root).into_iter().find(|place| root.has(place))?;
    let on = storage(root.folder(), &place)?;
    let shown = place.display();
    Some(match on.medium {
        Medium::SdCard => Finding::warning(
            about,
            format!(
                "{shown}, on the SD card: loading a model of 1 GiB takes the best part of a minute"
            ),
            "keep_alive = \"24h\" in [models], or OLLAMA_MODELS on an SSD",
        ),
        Medium::Network => Finding::warning(
            about,
            format!("{shown}, on another machine: loading is as slow as the network"),
            "keep_alive = \"24h\" in [models]",
        ),
        _ => Finding::ok(about, format!("{shown}, {} free", gib(on.free))),
    })
}

/// Where Ollama may keep them: as its unit says, as its installer does, as its user would.
fn places(root: &Root) -> Vec<PathBuf> {
    let mut units = vec![PathBuf::from("/etc/systemd/system/ollama.service")];
    units.extend(root.entries("/etc/systemd/system/ollama.service.d"));
    let texts = units.iter().filter_map(|unit| root.text(unit));
    let mut places: Vec<PathBuf> = texts.filter_map(|text| told(&text)).collect();
    // A drop-in comes after what it changes.
    places.reverse();
    places.extend(std::env::var_os("OLLAMA_MODELS").map(PathBuf::from));
    places.push("/usr/share/ollama/.ollama/models".into());
    let home = std::env::var_os("HOME").map(PathBuf::from);
    places.extend(home.map(|home| home.join(".ollama/models")));
    places
}

fn told(unit: &str) -> Option<PathBuf> {
    let lines = unit
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Environment="));
    let mut words = lines.flat_map(|line| line.split(['"', ' ']));
    words.find_map(|word| Some(Path::new(word.strip_prefix("OLLAMA_MODELS=")?).to_owned()))
}
