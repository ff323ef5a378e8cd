//! `reveille models`: those of the configuration, tried, fetched, and what fits this machine.

use std::io::IsTerminal;
use std::sync::Arc;

use clap::{Args, Subcommand};
use futures_util::future::join_all;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::context::Context;
use super::doctor::gib;
use super::out::{errln, outln};
use crate::config::Config;
use crate::config::secrets::Secrets;
use crate::config::settings::ModelSettings;
use crate::error::Error;
use crate::job::RunId;
use crate::llm::route::{Asking, Route};
use crate::llm::{self, Books, LlmError, Model, Provider, Reach, Request, Servers};
use crate::store::Mode;
use crate::system::Machine;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: Option<What>,

    /// The list as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Ask each a short question, and tell how fast it answers
    Test {
        /// Only these
        names: Vec<String>,
    },
    /// Have Ollama fetch a model: of the configuration by its name there, or any of Ollama's
    Pull {
        /// The model
        name: String,
    },
    /// What fits into this machine's memory
    Advise,
}

impl Arguments {
    /// Whether it fetches a model.
    pub(super) fn pulls(&self) -> bool {
        matches!(self.what, Some(What::Pull { .. }))
    }
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let (secrets, _) = Secrets::load(&folder);
    match &arguments.what {
        None => context.block_on(list(context, &config, &secrets, arguments.json))?,
        Some(What::Test { names }) => context.block_on(test(context, &config, &secrets, names))?,
        Some(What::Pull { name }) => context.block_on(pull(context, &config, &secrets, name))?,
        Some(What::Advise) => {
            advise();
            Ok(0)
        }
    }
}

/// How a model is, in words.
struct State {
    ready: bool,
    words: String,
}

async fn state(context: &Context, model: &Model) -> State {
    let clock = Arc::clone(&context.clock);
    let net = llm::client([model], Arc::clone(&clock));
    let failed = |error: &LlmError| {
        let hint = error.hint(model);
        let hint = hint.map_or_else(String::new, |hint| format!(": {hint}"));
        State {
            ready: false,
            words: format!("{error}{hint}"),
        }
    };
    let known = match llm::installed(model, &net, &*clock).await {
        Ok(known) => known,
        Err(error) => return failed(&error),
    };
    let Some(found) = known.iter().find(|known| known.is(&model.model)) else {
        return failed(&LlmError::NoModel(model.model.clone()));
    };
    if model.provider != Provider::Ollama {
        return State {
            ready: true,
            words: "ready".to_owned(),
        };
    }
    let loaded = llm::loaded(model, &net, &*clock).await.unwrap_or_default();
    let loaded = loaded.iter().find(|loaded| loaded.is(&model.model));
    let words = match loaded {
        None => format!("ready, {}, not loaded", gib(found.size)),
        Some(loaded) if loaded.size_vram == 0 => {
            format!("loaded, {}, without a GPU", gib(loaded.size))
        }
        Some(loaded) if loaded.size_vram >= loaded.size => {
            format!("loaded, {}, on the GPU", gib(loaded.size))
        }
        Some(loaded) => {
            let share = loaded.size_vram * 100 / loaded.size.max(1);
            format!("loaded, {}, {share} % on the GPU", gib(loaded.size))
        }
    };
    State { ready: true, words }
}

async fn list(
    context: &Context,
    config: &Config,
    secrets: &Secrets,
    as_json: bool,
) -> Result<u8, Error> {
    let settings = &config.settings;
    if settings.models.is_empty() {
        outln!("no model is configured: texts go out plain");
        errln!(
            "hint: add a [models.NAME] to config/reveille.toml; `reveille models advise` says which"
        );
        return Ok(0);
    }
    let each = settings.models.values().map(async |model| {
        let state = match model.with_key(secrets) {
            Ok(model) => state(context, &model).await,
            Err(words) => State {
                ready: false,
                words,
            },
        };
        (model, state)
    });
    let each = join_all(each).await;
    if as_json {
        let list = each.iter().map(|(model, state)| {
            json!({
                "name": model.name, "provider": model.provider.word(), "model": model.model,
                "url": model.url.as_str(), "local": model.local, "context": model.context,
                "max_output": model.max_output, "ready": state.ready, "state": state.words,
            })
        });
        outln!("{}", Value::Array(list.collect()));
        return Ok(0);
    }
    let width = each
        .iter()
        .map(|(model, _)| model.name.chars().count())
        .max();
    let width = width.unwrap_or(0);
    for (model, state) in &each {
        let words = match state.ready {
            true => state.words.clone(),
            false => context.paint.outcome(&state.words),
        };
        outln!("{:width$}  {}  {words}", model.name, place(model));
    }
    Ok(0)
}

/// What it is, and where.
fn place(model: &ModelSettings) -> String {
    let at = if model.local {
        "at home"
    } else {
        "in the cloud"
    };
    let price = model.price.map_or_else(String::new, |price| {
        format!(", {} in and {} out a million", price.input, price.output)
    });
    format!("{}/{}, {at}{price}", model.provider.word(), model.model)
}

async fn test(
    context: &Context,
    config: &Config,
    secrets: &Secrets,
    names: &[String],
) -> Result<u8, Error> {
    let models = &config.settings.models;
    if let Some(unknown) = names.iter().find(|name| !models.contains_key(*name)) {
        let known: Vec<&str> = models.keys().map(String::as_str).collect();
        let error = Error::usage(format!("there is no model `{unknown}`"));
        return Err(error.hint(format!("models: {}", known.join(", "))));
    }
    let store = context.open_store(Mode::Threaded)?;
    let chosen = models.values();
    let chosen: Vec<_> = chosen
        .filter(|model| names.is_empty() || names.contains(&model.name))
        .collect();
    let width = chosen.iter().map(|model| model.name.chars().count()).max();
    let width = width.unwrap_or(0).max(5);
    outln!(
        "{:width$}  {:>9} {:>11} {:>9} {:>10}",
        "",
        "load",
        "first token",
        "tokens/s",
        "tokens"
    );
    let mut failed = false;
    for settings in chosen {
        let name = &settings.name;
        let model = match settings.with_key(secrets) {
            Ok(model) => model,
            Err(why) => {
                failed = true;
                outln!("{name:width$}  {}", context.paint.outcome(&why));
                continue;
            }
        };
        let net = llm::client([&model], Arc::clone(&context.clock));
        // What another one met says nothing of this one.
        let servers = Servers::default();
        let books = Books {
            store: &store,
            run: RunId(0),
            job: "models",
            step: "test",
            person: true,
            caps: config.settings.budget.caps(
                (RunId(0), None),
                (
                    context.clock.now(),
                    config.settings.timezone,
                    config.settings.language,
                ),
            ),
        };
        let asking = Asking {
            clock: &*context.clock,
            net: &net,
            servers: &servers,
            books: &books,
        };
        // What is asked is nobody's secret.
        let chain = Reach::Anywhere.allows(model).into_iter().collect();
        let route = Route {
            name: "test".to_owned(),
            class: None,
            chain,
        };
        let mut request = Request::user("Count from one to thirty in words.");
        request.max_tokens = Some(160);
        let asked = llm::route::ask(asking, &route, &request, &mut |_| {}).await;
        match asked {
            Ok(answer) => {
                let took = &answer.usage;
                let wrote = took.total.saturating_sub(took.load + took.first_token);
                let rate = took.tokens_out as f64 / wrote.as_secs_f64().max(1e-3);
                outln!(
                    "{name:width$}  {:>7.1} s {:>9.2} s {rate:>9.1} {:>10}",
                    took.load.as_secs_f64(),
                    took.first_token.as_secs_f64(),
                    format!("{} + {}", took.tokens_in, took.tokens_out)
                );
            }
            Err(failures) => {
                failed = true;
                for failure in failures {
                    let hint = failure
                        .hint
                        .map_or_else(String::new, |hint| format!(": {hint}"));
                    let words = format!("{}{hint}", failure.error);
                    outln!("{name:width$}  {}", context.paint.outcome(&words));
                }
            }
        }
    }
    Ok(u8::from(failed))
}

async fn pull(
    context: &Context,
    config: &Config,
    secrets: &Secrets,
    name: &str,
) -> Result<u8, Error> {
    let models = &config.settings.models;
    let known = models
        .get(name)
        .or_else(|| models.values().find(|model| model.model == name))
        .or_else(|| {
            models
                .values()
                .find(|model| model.provider == Provider::Ollama)
        });
    if let Some(other) = known.filter(|known| known.provider != Provider::Ollama) {
        let what = format!(
            "`{name}` is of {}, and only Ollama fetches models",
            other.provider.word()
        );
        return Err(Error::usage(what));
    }
    let Some(known) = known else {
        let error = Error::usage("no server of Ollama is configured that could fetch it");
        return Err(
            error.hint("add a [models.NAME] with `provider = \"ollama\"` to config/reveille.toml")
        );
    };
    let wanted = match models.get(name) {
        Some(model) => model.model.clone(),
        None => name.to_owned(),
    };
    let model = known.with_key(secrets).map_err(Error::usage)?;
    let net = llm::client([&model], Arc::clone(&context.clock));
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::new(0),
        false => ProgressBar::hidden(),
    };
    let style =
        ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    bar.set_style(style.expect("a constant template"));
    let pulled = llm::pull(&model, &wanted, &net, &*context.clock, |progress| {
        bar.set_message(progress.status.chars().take(40).collect::<String>());
        if progress.total > 0 {
            bar.set_length(progress.total);
            bar.set_position(progress.completed);
        }
    });
    let pulled = pulled.await;
    bar.finish_and_clear();
    if let Err(error) = pulled {
        let failed = Error::job(format!("{wanted}: {error}"));
        return Err(match error.hint(&model) {
            Some(hint) if !matches!(error, LlmError::NoModel(_)) => failed.hint(hint),
            _ => failed.hint("https://ollama.com/library lists what there is"),
        });
    }
    outln!("{wanted} is there");
    Ok(0)
}

/// Models that are known to serve, by the memory that they take loaded with 4,096 tokens of context, in MiB.
const SIZES: &[(u64, &str, &str)] = &[
    (900, "qwen2.5:0.5b", "words short facts"),
    (
        1_700,
        "qwen2.5:1.5b",
        "words a briefing, answers short questions",
    ),
    (2_800, "qwen2.5:3b", "answers, and uses a tool or two"),
    (6_200, "qwen2.5:7b", "answers well, uses tools"),
    (11_500, "qwen2.5:14b", "thinks"),
    (24_000, "qwen2.5:32b", "thinks well"),
];

/// What else needs memory, in MiB: the system, this program.
const REST: u64 = 900;

fn advise() {
    let memory = Machine::below(std::path::Path::new("/")).memory();
    let Some(memory) = memory else {
        return outln!("this machine's memory cannot be read");
    };
    let total = memory.total >> 20;
    outln!("{} of memory:", gib(memory.total));
    // Half of what is left at most: a page cache and a second program live too.
    let fits = |size: u64| size + REST <= total / 4 * 3;
    for (size, name, about) in SIZES {
        let mark = if fits(*size) { "fits    " } else { "too much" };
        outln!("  {mark}  {name:14} {:>9}  {about}", gib(size << 20));
    }
    match SIZES.iter().rev().find(|(size, _, _)| fits(*size)) {
        Some((_, name, _)) => {
            outln!("`ollama pull {name}`, and `model = \"{name}\"` in [models.NAME]")
        }
        None => outln!("none: use a model on another machine, or in the cloud"),
    }
}
