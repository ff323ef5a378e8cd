//! `[models.NAME]` and `[routes.NAME]`.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Settings;
use super::plain::section;
use crate::config::read::{NamedTable, Reader, Table};
use crate::config::secret::SecretRef;
use crate::config::secrets::Secrets;
use crate::config::value::{At, Span};
use crate::llm::class::{Class, Classifier};
use crate::llm::{Model, Price, Provider, Timeouts};

/// One model, as typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoredModel {
    /// Whose protocol it speaks.
    provider: Provider,
    /// The server's address; the provider's own when left out.
    url: Option<At<String>>,
    /// The server's name of the model.
    model: String,
    /// The key of a server that asks for one.
    api_key: Option<SecretRef>,
    /// The most tokens that prompt and answer may have together; Ollama is asked when left out.
    context: Option<u32>,
    /// Tokens of the longest answer.
    max_output: Option<u32>,
    /// What a million tokens cost, in the currency of your account.
    price: Option<Price>,
    /// How long each part of a call may take.
    timeout: Option<AuthoredTimeouts>,
    /// How many calls at once; one for a local server.
    lane: Option<NonZeroU32>,
    /// How long the server keeps it loaded after a call.
    keep_alive: Option<Span>,
    /// Whether what it reads stays at home; else told from the address.
    local: Option<bool>,
}

/// Where a provider's own server is.
fn home_of(provider: Provider) -> &'static str {
    match provider {
        Provider::Ollama => "http://127.0.0.1:11434",
        Provider::OpenAi => "https://api.openai.com/v1",
        Provider::Anthropic => "https://api.anthropic.com",
    }
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct AuthoredTimeouts {
    /// Until the server takes the connection; 5s.
    connect: Option<Span>,
    /// Until the model is in memory; 5m, as a Pi needs minutes.
    load: Option<Span>,
    /// From then until the first token; 2m.
    first_token: Option<Span>,
    /// Between two tokens; 30s.
    stall: Option<Span>,
    /// In all; 10m.
    total: Option<Span>,
}

/// One model.
#[derive(Debug, Clone)]
pub struct ModelSettings {
    /// Its name in routes.
    pub name: String,
    /// Whose protocol it speaks.
    pub provider: Provider,
    /// The server's address.
    pub url: url::Url,
    /// The server's name of the model.
    pub model: String,
    /// The key of a server that asks for one.
    pub api_key: Option<SecretRef>,
    /// The most tokens that prompt and answer may have together; `None` asks the server.
    pub context: Option<u32>,
    /// Tokens of the longest answer.
    pub max_output: u32,
    /// What a million tokens cost.
    pub price: Option<Price>,
    /// How long each part of a call may take.
    pub timeouts: Timeouts,
    /// How many calls at once.
    pub lane: u32,
    /// How long the server keeps it loaded after a call.
    pub keep_alive: Option<Duration>,
    /// Whether what it reads stays at home.
    pub local: bool,
}

impl ModelSettings {
    /// The model as it is called, its key read from where it is kept.
    ///
    /// # Errors
    /// A key that is not there.
    pub fn with_key(&self, secrets: &Secrets) -> Result<Model, String> {
        let api_key = self.api_key.as_ref().map(|key| secrets.get(key));
        Ok(Model {
            name: self.name.clone(),
            provider: self.provider,
            url: self.url.as_str().trim_end_matches('/').to_owned(),
            model: self.model.clone(),
            api_key: api_key.transpose()?,
            context: self.context,
            max_output: self.max_output,
            timeouts: self.timeouts,
            lane: self.lane,
            keep_alive: self.keep_alive,
            local: self.local,
            price: self.price,
        })
    }
}

/// Names of models.
type AuthoredChain = At<Vec<At<String>>>;

/// One route, as typed: `models`, or `simple`, `complex` and `tool`, or `least_used`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoredRoute {
    /// Tried in this order.
    models: Option<AuthoredChain>,
    /// For greetings and short questions.
    simple: Option<AuthoredChain>,
    /// For everything that needs thought.
    complex: Option<AuthoredChain>,
    /// For what needs tools.
    tool: Option<AuthoredChain>,
    /// The one with the fewest calls first.
    least_used: Option<AuthoredChain>,
}

/// `[classes]`: words and phrases that tell what kind of message it is, beside those that are known.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthoredClasses {
    /// Of greetings and small talk.
    simple: Vec<String>,
    /// Of what needs thought.
    complex: Vec<String>,
    /// Of what needs tools.
    tool: Vec<String>,
}

/// How a route chooses among its models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteSettings {
    /// In this order.
    Ordered(Vec<String>),
    /// By the class of the message, each class with its order.
    ByClass {
        /// Greetings and short questions.
        simple: Vec<String>,
        /// Everything that needs thought.
        complex: Vec<String>,
        /// What needs tools.
        tool: Vec<String>,
    },
    /// The one with the fewest calls first.
    LeastUsed(Vec<String>),
}

impl RouteSettings {
    /// The order for a message of this class; without one, doubt goes to the stronger models.
    pub fn chain(&self, class: Option<Class>) -> &[String] {
        match (self, class) {
            (RouteSettings::Ordered(chain) | RouteSettings::LeastUsed(chain), _) => chain,
            (RouteSettings::ByClass { simple, .. }, Some(Class::Simple)) => simple,
            (RouteSettings::ByClass { tool, .. }, Some(Class::Tool)) => tool,
            (RouteSettings::ByClass { complex, .. }, _) => complex,
        }
    }
}

pub(super) fn resolve(reader: &mut Reader<'_>, root: &mut Table<'_>, settings: &mut Settings) {
    let mut models = BTreeSet::new();
    for named in reader.take_named(root, "models") {
        let name = named.name.clone();
        models.insert(name.clone());
        if let Some(model) = model(reader, named) {
            settings.models.insert(name, model);
        }
    }
    if let Some(classes) = section::<AuthoredClasses>(reader, root, "classes") {
        let of = |class, patterns: Vec<String>| patterns.into_iter().map(move |one| (class, one));
        let all = of(Class::Simple, classes.simple)
            .chain(of(Class::Complex, classes.complex))
            .chain(of(Class::Tool, classes.tool));
        let all = Vec::from_iter(all);
        let all = all
            .iter()
            .map(|(class, pattern)| (*class, pattern.as_str()));
        settings.classifier = Arc::new(Classifier::new(all));
    }
    for named in reader.take_named(root, "routes") {
        let name = named.name.clone();
        // One that is wrong is known all the same, so that what names it is not wrong too.
        let route = route(reader, named, &models);
        let route = route.unwrap_or(RouteSettings::Ordered(Vec::new()));
        settings.routes.insert(name, route);
    }
}

fn model(reader: &mut Reader<'_>, named: NamedTable<'_>) -> Option<ModelSettings> {
    let authored: AuthoredModel = reader.table(named.table, &[])?;
    let provider = authored.provider;
    let typed = authored.url.as_ref().map(|url| url.value.as_str());
    let url = match url::Url::parse(typed.unwrap_or(home_of(provider))) {
        Ok(url) if url.has_host() && matches!(url.scheme(), "http" | "https") => url,
        _ => {
            let span = authored.url.map_or(0..0, |url| url.span);
            let right = format!("write it as \"{}\"", home_of(provider));
            reader.error(span, "this is not a web address", &right);
            return None;
        }
    };
    if provider == Provider::Ollama && url.path().trim_end_matches('/').ends_with("/v1") {
        let span = authored.url.as_ref().map_or(0..0, |url| url.span.clone());
        let right =
            "take /v1 away, or write provider = \"openai\", which is how Ollama is spoken to there";
        reader.error(span, "Ollama's own protocol is not below /v1", right);
    }
    let timeout = authored.timeout.unwrap_or_default();
    let or =
        |typed: Option<Span>, seconds| typed.map_or(Duration::from_secs(seconds), |span| span.0);
    let local = authored
        .local
        .unwrap_or_else(|| is_at_home(&url) && !is_cloud(provider, &authored.model));
    if !local && authored.price.is_none() {
        let what = format!("what the model `{}` costs is not known", named.name);
        let right = "it is not at home: write price.input and price.output, for a million tokens each (0 for nothing)";
        reader.error(named.name_span.clone(), what, right);
    }
    Some(ModelSettings {
        name: named.name,
        provider,
        url: with_path(provider, url),
        model: authored.model,
        api_key: authored.api_key,
        context: authored.context.or(match provider {
            Provider::Ollama => None,
            Provider::OpenAi | Provider::Anthropic => Some(if local { 4096 } else { 128_000 }),
        }),
        max_output: authored.max_output.unwrap_or(1024),
        price: authored.price,
        timeouts: Timeouts {
            connect: or(timeout.connect, 5),
            load: or(timeout.load, 300),
            first_token: or(timeout.first_token, 120),
            stall: or(timeout.stall, 30),
            total: or(timeout.total, 600),
        },
        lane: authored
            .lane
            .map_or(if local { 1 } else { 4 }, NonZeroU32::get),
        keep_alive: authored.keep_alive.map(|span| span.0),
        local,
    })
}

/// An address as the provider's protocol has it: those who copy OpenAI answer below `/v1`.
fn with_path(provider: Provider, mut url: url::Url) -> url::Url {
    if provider == Provider::OpenAi && matches!(url.path(), "" | "/") {
        url.set_path("/v1");
    }
    url
}

/// Whether a server of Ollama at home only passes it on to Ollama's own (docs.ollama.com/cloud).
fn is_cloud(provider: Provider, model: &str) -> bool {
    provider == Provider::Ollama && (model.ends_with("-cloud") || model.ends_with(":cloud"))
}

/// Loopback, private and link-local addresses, and names that no public server has.
fn is_at_home(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(url::Host::Ipv6(ip)) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
        Some(url::Host::Domain(name)) => {
            !name.contains('.') || name.ends_with(".local") || name.ends_with(".lan")
        }
        None => false,
    }
}

fn route(
    reader: &mut Reader<'_>,
    named: NamedTable<'_>,
    models: &BTreeSet<String>,
) -> Option<RouteSettings> {
    let known = reader.problems.len();
    let authored: AuthoredRoute = reader.table(named.table, &[])?;
    if reader.problems.len() > known {
        return None;
    }
    let mut chain =
        |typed: Option<AuthoredChain>| typed.map(|typed| known_models(reader, typed, models));
    let ordered = chain(authored.models);
    let least_used = chain(authored.least_used);
    let classes = (
        chain(authored.simple),
        chain(authored.complex),
        chain(authored.tool),
    );
    match (ordered, least_used, classes) {
        (Some(chain), None, (None, None, None)) => Some(RouteSettings::Ordered(chain)),
        (None, Some(chain), (None, None, None)) => Some(RouteSettings::LeastUsed(chain)),
        (None, None, (Some(simple), Some(complex), Some(tool))) => Some(RouteSettings::ByClass {
            simple,
            complex,
            tool,
        }),
        _ => {
            let what = format!("the route `{}` does not say how it chooses", named.name);
            let right = "write `models`, or `least_used`, or all of `simple`, `complex` and `tool`";
            reader.error(named.name_span, what, right);
            None
        }
    }
}

fn known_models(
    reader: &mut Reader<'_>,
    typed: AuthoredChain,
    models: &BTreeSet<String>,
) -> Vec<String> {
    let known = || models.iter().map(String::as_str);
    if typed.value.is_empty() {
        reader.error(typed.span, "this list is empty", "name at least one model");
    }
    typed
        .value
        .into_iter()
        .filter_map(|model| reader.one_of(model, "model", known()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_that_only_look_local_are_not() {
        let check = |provider, model: &str, expected: bool| {
            assert_eq!(is_cloud(provider, model), expected, "{model}");
        };
        check(Provider::Ollama, "gpt-oss:120b-cloud", true);
        check(Provider::Ollama, "glm-4.6:cloud", true);
        check(Provider::Ollama, "qwen2.5:1.5b", false);
        check(Provider::OpenAi, "my-cloud", false);
    }
}
