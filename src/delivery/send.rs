//! From a delivery of the job file to a message of the outbox, and from there out.

use std::path::Path;

use serde_json::{Value, json};

use super::{Delivery, Kind};
use crate::job::NewDelivery;
use crate::template::{Context, TemplateError, Templates};
use crate::workspace::{Put, Workspace};

/// Renders a delivery; `None` when there is nothing to send.
///
/// # Errors
/// A template that does not render.
pub fn prepare(
    delivery: &Delivery,
    templates: &Templates,
    context: &Context,
) -> Result<Option<NewDelivery>, TemplateError> {
    if let Some(when) = &delivery.when
        && !templates.truthy(when, context)?
    {
        return Ok(None);
    }
    let body = templates.render("text", &delivery.text, context)?;
    let body = body.trim_end();
    if body.trim().is_empty() {
        return Ok(None);
    }
    let target = match &delivery.kind {
        Kind::File(file) => json!({
            "path": templates.render("file", &file.path, context)?,
            "append": file.append,
            // Only the owner's own word leaves the workspace, and a run fills in no part of it.
            "anywhere": file.path.starts_with('/'),
        }),
        Kind::Telegram(telegram) => {
            json!({ "to": format!("{:?}", telegram.to), "silent": telegram.silent })
        }
        Kind::Webhook(webhook) => json!({ "host": webhook.url.host_str() }),
        Kind::Email(email) => json!({ "to": email.to }),
        Kind::Console(_) => Value::Null,
    };
    Ok(Some(NewDelivery {
        kind: delivery.kind.word().to_owned(),
        target,
        body: body.to_owned(),
    }))
}

/// Sends one message of the outbox; `print` is the terminal.
///
/// A channel that this version does not connect to is printed. Gives the receipt of the other side.
///
/// # Errors
/// Why it could not be sent.
pub async fn send(
    message: &NewDelivery,
    state: &Path,
    print: &mut (dyn FnMut(&str) + Send),
) -> Result<Option<Value>, String> {
    match message.kind.as_str() {
        "file" => write(message, state).await,
        "console" => {
            print(&message.body);
            Ok(None)
        }
        other => {
            print(&message.body);
            Ok(Some(json!({ "printed_instead_of": other })))
        }
    }
}

/// Whether a message has no way out but the terminal of the person who asked.
pub fn is_for_terminal(message: &NewDelivery) -> bool {
    message.kind != "file"
}

async fn write(message: &NewDelivery, state: &Path) -> Result<Option<Value>, String> {
    let workspace = Workspace::new(state.join("workspace"));
    let path = message.target["path"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if path.starts_with('/') && message.target["anywhere"] != true {
        return Err(format!(
            "{path} was filled in by the run, and leaves the workspace"
        ));
    }
    let text = format!("{}\n", message.body);
    let put = if message.target["append"] == true {
        Put::Append
    } else {
        Put::Replace
    };
    let work = move || workspace.deliver(&path, text.as_bytes(), put);
    match tokio::task::spawn_blocking(work).await {
        Ok(written) => written.map(|()| None).map_err(|error| error.to_string()),
        Err(bug) => Err(format!("a bug: {bug}")),
    }
}
