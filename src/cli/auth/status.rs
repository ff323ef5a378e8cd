//! `reveille auth status`

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::calendar::google::{Found, Google, Kept, Write};
use crate::calendar::remote::RemoteError;
use crate::cli::context::Context;
use crate::cli::out::{errln, outln};
use crate::config::secrets::Secrets;
use crate::config::settings::{GoogleCredentials, GoogleSettings};
use crate::error::Error;
use crate::zone::Tz;

/// How an account is.
struct State {
    name: String,
    kind: &'static str,
    email: Option<String>,
    kept: Option<Kept>,
    calendars: Vec<Found>,
    /// What is wrong, and what to do.
    wrong: Option<(String, Option<String>)>,
    /// What will be.
    warning: Option<String>,
}

pub(super) async fn run(context: &Context, as_json: bool) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let (secrets, _) = Secrets::load(&folder);
    let mut states = Vec::new();
    for settings in &config.settings.google {
        states.push(state(context, settings, &secrets).await);
    }
    let zone = config.settings.timezone;
    if as_json {
        let list: Vec<Value> = states.iter().map(State::json).collect();
        outln!("{:#}", Value::from(list));
    } else if states.is_empty() {
        outln!("no account at Google is configured");
        errln!("hint: `reveille auth google --help` says how to make one");
    } else {
        states.iter().for_each(|state| state.tell(zone));
    }
    Ok(u8::from(states.iter().any(|state| state.wrong.is_some())))
}

async fn state(context: &Context, settings: &GoogleSettings, secrets: &Secrets) -> State {
    let kind = match settings.credentials {
        GoogleCredentials::ServiceAccount(_) => "service account",
        GoogleCredentials::Client { .. } => "sign-in",
    };
    let mut state = State {
        name: settings.name.clone(),
        kind,
        email: None,
        kept: None,
        calendars: Vec::new(),
        wrong: None,
        warning: None,
    };
    if let Err(error) = look(context, settings, secrets, &mut state).await {
        state.wrong = Some(match error {
            RemoteError::SignIn { why, right } => (why, Some(right)),
            RemoteError::Busy { .. } | RemoteError::Net(_) => {
                (error.to_string(), Some("try it again later".to_owned()))
            }
            other => (other.to_string(), None),
        });
    }
    let now = context.clock.now();
    state.warning = state.kept.as_ref().and_then(|kept| kept.warning(now));
    state
}

async fn look(
    context: &Context,
    settings: &GoogleSettings,
    secrets: &Secrets,
    state: &mut State,
) -> Result<(), RemoteError> {
    let clock = Arc::clone(&context.clock);
    let account = settings.account(secrets, &context.state, clock).await?;
    state.kept = account.kept();
    let kept_email = state.kept.as_ref().and_then(|kept| kept.email.clone());
    state.email = account.address().map(str::to_owned).or(kept_email);
    let google = Google::new(account, Write::No, settings.api_url.as_deref());
    state.calendars = google.calendars().await?;
    // The token may be a newer one now.
    state.kept = google.account().kept();
    Ok(())
}

impl State {
    fn json(&self) -> Value {
        let kept = self.kept.as_ref();
        let calendars: Vec<Value> = self.calendars.iter().map(|one| {
            json!({ "id": one.id, "name": one.name, "writable": one.writable, "primary": one.primary })
        }).collect();
        json!({
            "name": self.name, "kind": self.kind, "email": self.email,
            "scopes": kept.map(|kept| &kept.scopes),
            "granted_at": kept.map(|kept| kept.granted_at),
            "access_token_ends_at": kept.and_then(|kept| kept.expires_at),
            "ends_at": kept.and_then(|kept| kept.ends_at),
            "calendars": calendars,
            "wrong": self.wrong.as_ref().map(|(why, _)| why),
            "hint": self.wrong.as_ref().map(|(_, right)| right),
            "warning": self.warning,
        })
    }

    fn tell(&self, zone: Tz) {
        let email = self.email.as_ref();
        let email = email.map_or_else(String::new, |email| format!(", {email}"));
        let verdict = if self.wrong.is_some() {
            "does not work"
        } else {
            "works"
        };
        outln!("{}: {}{email}, {verdict}", self.name, self.kind);
        let local = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M");
        if let Some(kept) = &self.kept {
            let may = if kept.writes() {
                "read and change"
            } else {
                "read"
            };
            outln!("  may {may}, since {}", local(kept.granted_at));
            outln!("  scopes: {}", kept.scopes.join(" "));
            if let Some(end) = kept.expires_at {
                outln!("  access token until {}", local(end));
            }
        }
        for one in &self.calendars {
            let rights = if one.writable { "" } else { ", read only" };
            let own = if one.primary { ", primary" } else { "" };
            outln!("  calendar {} ({}{own}{rights})", one.id, one.name);
        }
        if let Some((why, right)) = &self.wrong {
            outln!("  wrong: {why}");
            if let Some(right) = right {
                outln!("  hint: {right}");
            }
        }
        if let Some(warning) = &self.warning {
            outln!("  warning: {warning}");
        }
    }
}
