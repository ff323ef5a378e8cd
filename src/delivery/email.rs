//! `email`: a letter.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Making, Sending, Sent};
use crate::clock::timeout;
use crate::config::resolve::Scope;
use crate::config::settings::{EmailSettings, Security};
use crate::config::value::{At, OneOrMany, is_mailbox};
use crate::hash::fnv1a;
use crate::job::DeliveryId;
use crate::template::TemplateError;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// Addresses, or `owner`.
    email: At<OneOrMany<String>>,
    /// The subject line, a template.
    subject: Option<At<String>>,
}

/// A letter.
#[derive(Debug, Clone)]
pub struct Email {
    /// Addresses, or `owner`.
    pub to: Vec<String>,
    /// The subject line, a template.
    pub subject: Option<String>,
}

/// What sending takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Addresses.
    pub to: Vec<String>,
    /// The subject line.
    #[serde(default)]
    pub subject: String,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Email> {
        for address in &self.email.value.0 {
            if address != OWNER && !is_mailbox(address) {
                let what = format!("`{address}` is not an email address");
                scope.error(
                    self.email.span.clone(),
                    what,
                    "write name@host, or \"owner\"",
                );
                return None;
            }
        }
        if scope.settings.email.is_none() {
            let right = "add an [email] section to config/reveille.toml";
            let what = "nothing says which server takes letters";
            scope.warning(self.email.span, what, right);
        }
        Some(Email {
            to: self.email.value.0,
            subject: self.subject.map(|subject| scope.template(subject)),
        })
    }
}

const OWNER: &str = "owner";

impl Email {
    pub(super) fn target(&self, making: &Making<'_>) -> Result<Target, TemplateError> {
        let to = self.to.iter().map(|address| match &making.settings.email {
            Some(settings) if address == OWNER => settings.to.clone(),
            _ => address.clone(),
        });
        let subject = match &self.subject {
            Some(subject) => making.render("subject", subject)?,
            None => making.job.name.clone(),
        };
        Ok(Target {
            to: to.collect(),
            // A subject is one line.
            subject: subject.split_whitespace().collect::<Vec<_>>().join(" "),
        })
    }
}

/// Until the server has taken everything but the letter itself.
const GREETING: Duration = Duration::from_secs(60);

/// Until it has confirmed the letter: servers look for spam before they do.
const TAKING: Duration = Duration::from_secs(120);

impl Target {
    pub(super) async fn send(
        self,
        id: DeliveryId,
        body: &str,
        settings: &EmailSettings,
        sending: Sending<'_>,
    ) -> Sent {
        let letter = match self.letter(id, body, settings, sending) {
            Ok(letter) => letter,
            Err(why) => return Sent::Refused(why),
        };
        let login = settings.login.as_ref();
        let login = login.map(|(user, password)| {
            let password = sending.secrets.get(password)?;
            Ok(Credentials::new(user.clone(), password.expose().to_owned()))
        });
        let login = match login.transpose() {
            Ok(login) => login,
            Err(why) => return Sent::Refused(why),
        };
        let clock = &*sending.channels.clock;
        let server = &settings.server;
        let mut connection = match timeout(clock, GREETING, greet(settings, login, &letter)).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return refused(server, &error),
            Err(late) => return Sent::later(format!("{server}: {late}")),
        };
        let bytes = letter.formatted();
        let taken = match timeout(clock, TAKING, connection.message(&bytes)).await {
            Ok(Ok(answer)) => Sent::Delivered(Some(json!({ "said": answer.first_line() }))),
            Ok(Err(error)) if error.status().is_some() => refused(server, &error),
            Ok(Err(error)) => Sent::Unknown(said(server, &error)),
            Err(late) => Sent::Unknown(format!("{server}: {late}")),
        };
        if let Sent::Delivered(_) = taken {
            // It has the letter: a server that says no farewell changes nothing.
            let _ = timeout(clock, Duration::from_secs(5), connection.quit()).await;
        }
        taken
    }

    fn letter(
        &self,
        id: DeliveryId,
        body: &str,
        settings: &EmailSettings,
        sending: Sending<'_>,
    ) -> Result<Message, String> {
        let mailbox = |address: &str| {
            let read: Result<Mailbox, _> = address.parse();
            read.map_err(|error| format!("`{address}` cannot be written to: {error}"))
        };
        let from = mailbox(&settings.from)?;
        // The same each time that this delivery is sent, so that a second copy is known for one.
        let told = fnv1a(format!("{}\n{}\n{body}", self.to.join(","), self.subject).as_bytes());
        let message_id = format!("<reveille.{}.{told:016x}@{}>", id.0, from.email.domain());
        let mut letter = Message::builder()
            .from(from)
            .date(sending.channels.clock.now().into())
            .message_id(Some(message_id))
            .subject(&self.subject)
            .header(ContentType::TEXT_PLAIN);
        for address in &self.to {
            letter = letter.to(mailbox(address)?);
        }
        let letter = letter.body(body.to_owned());
        letter.map_err(|error| format!("the letter cannot be written: {error}"))
    }
}

/// Everything before the letter itself: until it has begun, nobody has it.
async fn greet(
    settings: &EmailSettings,
    login: Option<Credentials>,
    letter: &Message,
) -> Result<AsyncSmtpConnection, SmtpError> {
    let place = (settings.server.as_str(), settings.port);
    let hello = ClientId::default();
    let limit = Some(GREETING);
    let tls = || TlsParameters::new(settings.server.clone());
    let wrapped = match settings.security {
        Security::Tls => Some(tls()?),
        Security::Starttls | Security::None => None,
    };
    let connecting = AsyncSmtpConnection::connect_tokio1(place, limit, &hello, wrapped, None);
    let mut connection = connecting.await?;
    if settings.security == Security::Starttls {
        connection.starttls(tls()?, &hello).await?;
    }
    if let Some(login) = login {
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        connection.auth(&mechanisms, &login).await?;
    }
    let envelope = letter.envelope();
    let from: Option<Address> = envelope.from().cloned();
    connection.command(Mail::new(from, Vec::new())).await?;
    for to in envelope.to() {
        connection
            .command(Rcpt::new(to.clone(), Vec::new()))
            .await?;
    }
    connection.command(Data).await?;
    Ok(connection)
}

/// The server has not got it: RFC 5321, section 4.2.1, has 5yz for never.
fn refused(server: &str, error: &SmtpError) -> Sent {
    let reason = said(server, error);
    if error.is_permanent() || error.is_client() {
        Sent::Refused(reason)
    } else {
        Sent::later(reason)
    }
}

/// lettre's words begin with the kind of error in its own names.
fn said(server: &str, error: &SmtpError) -> String {
    let mut source: Option<&dyn std::error::Error> = std::error::Error::source(error);
    let mut last = None;
    while let Some(found) = source {
        last = Some(found.to_string());
        source = found.source();
    }
    let why = last.unwrap_or_else(|| error.to_string());
    match error.status() {
        Some(code) => format!("{server} answered {code}: {why}"),
        None => format!("{server}: {why}"),
    }
}
