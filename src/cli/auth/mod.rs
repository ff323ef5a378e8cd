//! `reveille auth`: signing in to Google, and how the accounts are.

mod status;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::by_hand::told_to_end;
use super::context::Context;
use super::out::{errln, outln};
use crate::calendar::google::{self, Account, Asking, Credentials, Google, Kept, Write};
use crate::calendar::remote::RemoteError;
use crate::config::secrets::Secrets;
use crate::config::settings::{GoogleCredentials, GoogleSettings};
use crate::error::Error;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sign in to Google
    ///
    /// For a machine that runs by itself a service account is better: it needs no browser and its key does not end. In Google's
    /// console: make a project, enable the Google Calendar API, make a service account (IAM > Service accounts) and a key of type
    /// JSON for it. Share the calendar with the account's address, write service_account.file = "KEY.json" below [google.NAME] in
    /// config/reveille.toml, and never run this.
    ///
    /// To sign in as yourself: make an OAuth client of type "Desktop app" (APIs & Services > Credentials), download its JSON, set
    /// the consent screen's publishing status to "In production" (in Testing a sign-in ends after 7 days), and run this.
    Google(SignIn),
    /// Show how the accounts are
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct SignIn {
    /// The account: [google.NAME] in config/reveille.toml (default: the only one there that signs in, else `home`)
    #[arg(long, value_name = "NAME")]
    account: Option<String>,

    /// For making and changing events too
    #[arg(long)]
    write: bool,

    /// The browser is on another machine: shows how it gets here
    #[arg(long)]
    no_browser: bool,

    /// Where the browser comes back to, on 127.0.0.1 (default: any free one; with --no-browser 8085)
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,

    /// The OAuth client's JSON (default: `client` of the account)
    #[arg(long, value_name = "FILE")]
    client: Option<PathBuf>,

    /// Another server than Google's Calendar API
    #[arg(long, hide = true)]
    api_url: Option<String>,
}

impl Arguments {
    /// Whether it only looks.
    pub(super) fn is_status(&self) -> bool {
        matches!(self.what, What::Status { .. })
    }
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    match &arguments.what {
        What::Google(typed) => context.block_on(sign_in(context, typed))?,
        What::Status { json } => context.block_on(status::run(context, *json))?,
    }
}

async fn sign_in(context: &Context, typed: &SignIn) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let (secrets, _) = Secrets::load(&folder);
    let known = &config.settings.google;
    let name = name(typed, known)?;
    let settings = known.iter().find(|one| one.name == name);
    let client = client(context, typed, &name, settings, &secrets)?;
    let write = if typed.write { Write::Yes } else { Write::No };
    let asking = Asking {
        name: &name,
        client: &client,
        write,
        port: typed
            .port
            .unwrap_or(if typed.no_browser { 8085 } else { 0 }),
    };
    let opens = !typed.no_browser;
    let asked = google::sign_in(asking, &context.clock, move |url, port| {
        show(url, port, opens);
    });
    let kept = tokio::select! {
        // Who is shown the address may stop it.
        biased;
        () = told_to_end() => {
            errln!("stopped: nothing was changed");
            return Ok(1);
        }
        kept = asked => kept.map_err(told)?,
    };
    if !kept.scopes.iter().any(|scope| scope == google::READ) {
        let what = "the sign-in does not allow to see calendars";
        return Err(Error::job(what).hint("do it again, and tick every box that Google shows"));
    }
    let place = context.state.join("google").join(format!("{name}.json"));
    keep(&kept, &place)?;
    if write == Write::Yes && !kept.writes() {
        errln!(
            "warning: you did not allow changes: do it again, and tick every box that Google shows"
        );
    }
    let credentials = Credentials::Client {
        secret: &client,
        token: None,
    };
    let state = context.state.join("google");
    let account = Account::open(&name, credentials, &state, Arc::clone(&context.clock)).await;
    let configured = settings.and_then(|settings| settings.api_url.as_deref());
    let api_url = typed.api_url.as_deref().or(configured);
    let google = Google::new(account.map_err(told)?, Write::No, api_url);
    let mut who = String::new();
    match google.calendars().await {
        Ok(found) => {
            if let Some(primary) = found.into_iter().find(|one| one.primary) {
                who = format!(" as {}", primary.id);
                let email = Some(primary.id);
                keep(&Kept { email, ..kept }, &place)?;
            }
        }
        Err(error) => errln!("warning: signed in, but: {error}"),
    }
    outln!("Signed in{who}: {}", place.display());
    next_steps(typed, &name, settings, &place);
    Ok(0)
}

fn name(typed: &SignIn, known: &[GoogleSettings]) -> Result<String, Error> {
    let name = match &typed.account {
        Some(name) => name.clone(),
        None => {
            let is_person =
                |one: &&GoogleSettings| matches!(one.credentials, GoogleCredentials::Client { .. });
            let mut people = known.iter().filter(is_person);
            match (people.next(), people.next()) {
                (Some(only), None) => only.name.clone(),
                (None, _) => "home".to_owned(),
                (Some(_), Some(_)) => {
                    let what = "more than one account signs in";
                    return Err(Error::usage(what).hint("say which: --account NAME"));
                }
            }
        }
    };
    if crate::config::value::is_name(&name) {
        return Ok(name);
    }
    let what = format!("`{name}` cannot be an account's name");
    Err(Error::usage(what).hint("write letters, digits, `-` and `_`"))
}

/// The OAuth client's JSON.
fn client(
    context: &Context,
    typed: &SignIn,
    name: &str,
    settings: Option<&GoogleSettings>,
    secrets: &Secrets,
) -> Result<String, Error> {
    if let Some(path) = &typed.client {
        let path = context.place(path);
        let read = std::fs::read_to_string(&path);
        return read
            .map_err(|error| Error::usage(format!("cannot read {}: {error}", path.display())));
    }
    match settings.map(|settings| &settings.credentials) {
        Some(GoogleCredentials::Client { client, .. }) => secrets
            .get(client)
            .map(|secret| secret.expose().to_owned())
            .map_err(Error::usage),
        Some(GoogleCredentials::ServiceAccount(_)) => {
            let what = format!("[google.{name}] is a service account: nobody has to sign in");
            Err(Error::usage(what).hint("`reveille auth status` shows how it is"))
        }
        None => {
            let what = "there is no OAuth client to sign in with";
            let hint = "give the JSON of one: --client FILE; `reveille auth google --help` says where it comes from, and what \
                        is better than signing in";
            Err(Error::usage(what).hint(hint))
        }
    }
}

fn keep(kept: &Kept, place: &std::path::Path) -> Result<(), Error> {
    let written = kept.write(place);
    written.map_err(|error| Error::job(format!("cannot write {}: {error}", place.display())))
}

/// What stops it, as a person is told.
fn told(error: RemoteError) -> Error {
    match error {
        RemoteError::SignIn { why, right } => Error::job(why).hint(right),
        other => Error::job(other),
    }
}

fn show(url: &str, port: u16, opens: bool) {
    if !opens {
        let user = std::env::var("USER").unwrap_or_else(|_| "USER".to_owned());
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname");
        let host = host.map_or_else(|_| "HOST".to_owned(), |host| host.trim().to_owned());
        outln!(
            "On the machine with the browser, first:\n\n    ssh -L {port}:127.0.0.1:{port} {user}@{host}\n"
        );
    }
    outln!("Open this and say yes, within 5 minutes:\n\n    {url}\n");
    let desktop = ["WAYLAND_DISPLAY", "DISPLAY"];
    if opens && desktop.iter().any(|name| std::env::var_os(name).is_some()) {
        let mut browser = Command::new("xdg-open");
        browser.arg(url).stdin(Stdio::null());
        // Whoever has none reads the address.
        let _ = browser.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    }
}

fn next_steps(
    typed: &SignIn,
    name: &str,
    settings: Option<&GoogleSettings>,
    place: &std::path::Path,
) {
    if settings.is_none() {
        let client = typed.client.as_deref().unwrap_or("CLIENT.json".as_ref());
        let client = std::fs::canonicalize(client).unwrap_or_else(|_| client.to_owned());
        outln!(
            "Add to config/reveille.toml:\n\n    [google.{name}]\n    client.file = \"{}\"\n",
            client.display()
        );
    }
    outln!(
        "A service with a state of its own does not find it there: copy it to /etc/reveille/credentials/google-{name} and write \
         token.credential = \"google-{name}\" below [google.{name}] ({}).",
        place.display()
    );
}
