//! What the program itself has to say to its owner.

use std::fmt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::words::Tongue;
use crate::config::secrets::Secrets;
use crate::engine::Stale;
use crate::job::DeliveryId;
use crate::template::Locale;

/// Something of the program itself that its owner should hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A file of the user's folder does not load.
    File {
        /// As the person would type it.
        path: String,
        /// Each with its place in the file.
        errors: Vec<String>,
        /// What becomes of it meanwhile, where that is known.
        stale: Option<Stale>,
    },
    /// A message was given up.
    NotDelivered {
        /// Where it should have gone: its lane.
        place: String,
        /// Its number.
        delivery: DeliveryId,
        /// Why.
        reason: String,
    },
    /// It is not known whether a message arrived, and it must not be sent twice.
    Parked {
        /// Where it should have gone: its lane.
        place: String,
        /// Its number.
        delivery: DeliveryId,
        /// What happened.
        reason: String,
    },
    /// A job may not see every file that it watches.
    Blind {
        /// The job; empty for the folder of the jobs itself.
        job: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The chats of Telegram cannot be read.
    Deaf {
        /// Why, and what to do.
        reason: String,
    },
    /// A budget is used up.
    Spent {
        /// Which one.
        reason: String,
    },
    /// A server of calendars wants a person.
    SignIn {
        /// Which account or calendar.
        account: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A damaged database was moved out of the way.
    SetAside {
        /// Where it lies now.
        file: PathBuf,
        /// What was found.
        why: String,
    },
    /// The disk had no room, and has again.
    DiskWasFull {
        /// Since when.
        from: DateTime<Utc>,
        /// Until when.
        to: DateTime<Utc>,
        /// What the disk said.
        reason: String,
    },
}

/// What can be wrong for a while, and right again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A file of the user's folder.
    File(String),
    /// A place where messages go.
    Place(String),
    /// What a job watches.
    Watch(String),
    /// The chats of Telegram.
    Chats,
    /// What models may cost.
    Budget,
    /// Who asks a server of calendars.
    SignIn(String),
}

const FILE: &str = "file ";
const PLACE: &str = "place ";
const WATCH: &str = "watch ";
const CHATS: &str = "the chats";
const BUDGET: &str = "the budget";
const SIGN_IN: &str = "sign-in ";

/// What alerts are filed under. No job has a name with a space in it.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::File(path) => write!(f, "{FILE}{path}"),
            Subject::Place(place) => write!(f, "{PLACE}{place}"),
            Subject::Watch(job) => write!(f, "{WATCH}{job}"),
            Subject::Chats => f.write_str(CHATS),
            Subject::Budget => f.write_str(BUDGET),
            Subject::SignIn(account) => write!(f, "{SIGN_IN}{account}"),
        }
    }
}

impl Subject {
    /// The subject that an alert is filed under; `None` for a job's.
    pub fn of(about: &str) -> Option<Self> {
        let rest = |prefix| about.strip_prefix(prefix).map(str::to_owned);
        rest(FILE)
            .map(Subject::File)
            .or_else(|| rest(PLACE).map(Subject::Place))
            .or_else(|| rest(WATCH).map(Subject::Watch))
            .or_else(|| rest(SIGN_IN).map(Subject::SignIn))
            .or_else(|| (about == CHATS).then_some(Subject::Chats))
            .or_else(|| (about == BUDGET).then_some(Subject::Budget))
    }
}

impl Notice {
    /// What it is wrong about; `None` for what happened and is over.
    pub(super) fn subject(&self) -> Option<Subject> {
        match self {
            Notice::File { path, .. } => Some(Subject::File(path.clone())),
            Notice::NotDelivered { place, .. } | Notice::Parked { place, .. } => {
                Some(Subject::Place(place.clone()))
            }
            Notice::Blind { job, .. } => Some(Subject::Watch(job.clone())),
            Notice::Deaf { .. } => Some(Subject::Chats),
            Notice::Spent { .. } => Some(Subject::Budget),
            Notice::SignIn { account, .. } => Some(Subject::SignIn(account.clone())),
            Notice::SetAside { .. } | Notice::DiskWasFull { .. } => None,
        }
    }

    pub(super) fn reason(&self) -> String {
        match self {
            Notice::File { errors, .. } => errors.join("\n"),
            Notice::NotDelivered { reason, .. }
            | Notice::Parked { reason, .. }
            | Notice::Blind { reason, .. }
            | Notice::Deaf { reason }
            | Notice::Spent { reason }
            | Notice::SignIn { reason, .. }
            | Notice::DiskWasFull { reason, .. } => reason.clone(),
            Notice::SetAside { why, .. } => why.clone(),
        }
    }

    pub(super) fn scrub(&mut self, secrets: &Secrets) {
        match self {
            Notice::File { errors, .. } => errors.iter_mut().for_each(|text| secrets.scrub(text)),
            Notice::NotDelivered { reason, .. }
            | Notice::Parked { reason, .. }
            | Notice::Blind { reason, .. }
            | Notice::Deaf { reason }
            | Notice::Spent { reason }
            | Notice::SignIn { reason, .. }
            | Notice::DiskWasFull { reason, .. } => secrets.scrub(reason),
            Notice::SetAside { why, .. } => secrets.scrub(why),
        }
    }

    pub(super) fn say(&self, tongue: &Tongue) -> String {
        match tongue.language {
            Locale::En => self.english(tongue),
            Locale::Es => self.spanish(tongue),
        }
    }

    fn english(&self, tongue: &Tongue) -> String {
        match self {
            Notice::File {
                path,
                errors,
                stale,
            } => {
                let meanwhile = match stale {
                    Some(Stale::Kept(_) | Stale::Settings) => "; it goes on as it was",
                    Some(Stale::Out(_)) => "; it does not run until it is mended",
                    None => "",
                };
                let errors = first(errors, "more");
                format!(
                    "{path} does not load{meanwhile}:
{errors}"
                )
            }
            Notice::NotDelivered {
                place,
                delivery,
                reason,
            } => format!(
                "A message was not delivered to {place}: {reason}\n`reveille outbox retry {}` sends it again",
                delivery.0
            ),
            Notice::Parked {
                place,
                delivery,
                reason,
            } => format!(
                "It is not known whether a message arrived at {place}: {reason}\nIt waits for you: \
                 `reveille outbox retry {0}` sends it again, `reveille outbox drop {0}` lets it be",
                delivery.0
            ),
            Notice::Blind { job, reason } if job.is_empty() => reason.clone(),
            Notice::Blind { job, reason } => format!("`{job}`: {reason}"),
            Notice::Deaf { reason } => {
                format!("Messages of the Telegram chats cannot be read: {reason}")
            }
            Notice::Spent { reason } => format!(
                "For models, {reason} is used up: those at home go on, and texts are plain where there are none. `reveille cost` \
                 shows it"
            ),
            Notice::SignIn { account, reason } => format!("Calendars, `{account}`: {reason}"),
            Notice::SetAside { file, why } => format!(
                "The database was damaged ({why}). It lies in {} now, and a new one was begun: history and remembered \
                 positions begin anew",
                file.display()
            ),
            Notice::DiskWasFull { from, to, reason } => format!(
                "Nothing could be written from {} to {} ({reason}). It can again, and the runs go on",
                tongue.moment(*from),
                tongue.moment(*to)
            ),
        }
    }

    fn spanish(&self, tongue: &Tongue) -> String {
        match self {
            Notice::File {
                path,
                errors,
                stale,
            } => {
                let meanwhile = match stale {
                    Some(Stale::Kept(_) | Stale::Settings) => "; sigue como estaba",
                    Some(Stale::Out(_)) => "; no se ejecuta hasta que se corrija",
                    None => "",
                };
                let errors = first(errors, "más");
                format!(
                    "{path} no se puede cargar{meanwhile}:
{errors}"
                )
            }
            Notice::NotDelivered {
                place,
                delivery,
                reason,
            } => format!(
                "Un mensaje no se entregó a {place}: {reason}\n`reveille outbox retry {}` lo envía de nuevo",
                delivery.0
            ),
            Notice::Parked {
                place,
                delivery,
                reason,
            } => format!(
                "No se sabe si un mensaje llegó a {place}: {reason}\nEspera su decisión: `reveille outbox retry {0}` lo \
                 envía de nuevo, `reveille outbox drop {0}` lo descarta",
                delivery.0
            ),
            Notice::Blind { job, reason } if job.is_empty() => reason.clone(),
            Notice::Blind { job, reason } => format!("`{job}`: {reason}"),
            Notice::Deaf { reason } => {
                format!("No se pueden leer los mensajes de Telegram: {reason}")
            }
            Notice::Spent { reason } => format!(
                "Se ha agotado {reason} para modelos: siguen los de casa, y donde no hay ninguno los textos son fijos. `reveille \
                 cost` lo muestra"
            ),
            Notice::SignIn { account, reason } => format!("Calendarios, `{account}`: {reason}"),
            Notice::SetAside { file, why } => format!(
                "La base de datos estaba dañada ({why}). Ahora está en {} y se ha empezado otra: el historial y las \
                 posiciones recordadas empiezan de nuevo",
                file.display()
            ),
            Notice::DiskWasFull { from, to, reason } => format!(
                "No se pudo escribir nada desde {} hasta {} ({reason}). Ya se puede, y todo sigue",
                tongue.moment(*from),
                tongue.moment(*to)
            ),
        }
    }
}

/// So many errors of a file are told.
const SHOWN: usize = 3;

fn first(errors: &[String], more: &str) -> String {
    let shown = errors.iter().take(SHOWN).cloned();
    let rest = errors.len().saturating_sub(SHOWN);
    let rest = (rest > 0).then(|| format!("+ {rest} {more}: `reveille check`"));
    shown.chain(rest).collect::<Vec<_>>().join("\n")
}
