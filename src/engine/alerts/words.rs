//! Alerts in words.

use chrono::{DateTime, Utc};

use super::Subject;
use crate::config::Settings;
use crate::job::{Alert, RunId, Saying};
use crate::telegram::Button;
use crate::template::{DateStyle, Locale};
use crate::zone::Tz;

/// How the owner is spoken to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tongue {
    pub language: Locale,
    zone: Tz,
}

/// How a run ended badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Failed,
    Interrupted,
}

impl Tongue {
    pub(super) fn of(settings: &Settings) -> Self {
        Tongue {
            language: settings.language,
            zone: settings.timezone,
        }
    }

    /// "Mon 16 Nov 02:00".
    pub(super) fn moment(&self, at: DateTime<Utc>) -> String {
        let at = at.with_timezone(&self.zone);
        let year = chrono::Datelike::year(&at);
        let date = self.language.date(at.date_naive(), DateStyle::Short, year);
        format!("{date} {}", at.format("%H:%M"))
    }

    /// "14 times since Mon 16 Nov 02:00".
    fn times(&self, alert: &Alert) -> String {
        let (count, since) = (alert.count, self.moment(alert.first_at));
        match (self.language, count) {
            (Locale::En, 1) => format!("once, {since}"),
            (Locale::En, _) => format!("{count} times since {since}"),
            (Locale::Es, 1) => format!("una vez, {since}"),
            (Locale::Es, _) => format!("{count} veces desde {since}"),
        }
    }
}

/// A run that failed.
pub(super) fn run(tongue: &Tongue, verb: Verb, alert: &Alert, saying: Saying) -> String {
    let (job, reason) = (&alert.about, &alert.reason);
    let verb = match (tongue.language, verb) {
        (Locale::En, Verb::Failed) => "failed",
        (Locale::En, Verb::Interrupted) => "was interrupted",
        (Locale::Es, Verb::Failed) => "falló",
        (Locale::Es, Verb::Interrupted) => "se interrumpió",
    };
    let again = match (tongue.language, saying) {
        (_, Saying::New | Saying::Over) => "",
        (Locale::En, Saying::Still) => " again",
        (Locale::Es, Saying::Still) => " de nuevo",
    };
    // Only what a mute hid has more than one to its name when it is new.
    let times = match alert.count {
        1 => String::new(),
        _ => format!(", {}", tongue.times(alert)),
    };
    let mut text = format!("`{job}` {verb}{again}{times}: {reason}");
    let hint = hint(tongue.language, reason);
    let show = alert.run.map(|run| match tongue.language {
        Locale::En => format!("`reveille show {}` tells the whole story", run.0),
        Locale::Es => format!("`reveille show {}` lo cuenta todo", run.0),
    });
    for line in hint.map(str::to_owned).into_iter().chain(show) {
        text = format!("{text}\n{line}");
    }
    text
}

/// Buttons below a failure of a run in a chat: they say what its owner could write. `mute` is the job, where it can be muted.
pub fn buttons(language: Locale, run: RunId, mute: Option<&str>) -> Vec<Button> {
    let (explain, hush, retry) = match language {
        Locale::En => ("Explain", "Mute 7 days", "Retry"),
        Locale::Es => ("Explicar", "Callar 7 días", "Reintentar"),
    };
    let run = run.0;
    let buttons = [
        Button::says(explain, &format!("/show {run}")),
        mute.and_then(|job| Button::says(hush, &format!("/mute {job} --for 7d"))),
        Button::says(retry, &format!("/retry {run}")),
    ];
    buttons.into_iter().flatten().collect()
}

/// What was told is over.
pub(super) fn over(tongue: &Tongue, alert: &Alert, _: Saying) -> String {
    let times = tongue.times(alert);
    match (tongue.language, Subject::of(&alert.about)) {
        (Locale::En, None) => format!("`{}` works again: it had failed {times}", alert.about),
        (Locale::Es, None) => format!(
            "`{}` vuelve a funcionar: había fallado {times}",
            alert.about
        ),
        (Locale::En, Some(Subject::File(path))) => format!("{path} loads again"),
        (Locale::Es, Some(Subject::File(path))) => format!("{path} vuelve a cargarse"),
        (Locale::En, Some(Subject::Place(place))) => {
            format!("Messages to {place} arrive again: one had failed {times}")
        }
        (Locale::Es, Some(Subject::Place(place))) => {
            format!("Los mensajes a {place} vuelven a llegar: habían fallado {times}")
        }
        (Locale::En, Some(Subject::Watch(job))) => {
            format!("`{job}` sees what it watches again")
        }
        (Locale::Es, Some(Subject::Watch(job))) => format!("`{job}` ve de nuevo lo que vigila"),
        (Locale::En, Some(Subject::SignIn(account))) => {
            format!("The calendars of `{account}` are read again")
        }
        (Locale::Es, Some(Subject::SignIn(account))) => {
            format!("Los calendarios de `{account}` se leen de nuevo")
        }
        (Locale::En, Some(Subject::Budget)) => "Models may cost something again".to_owned(),
        (Locale::Es, Some(Subject::Budget)) => "Los modelos pueden volver a costar algo".to_owned(),
        (Locale::En, Some(Subject::Chats)) => "Messages of the chats can be read again".to_owned(),
        (Locale::Es, Some(Subject::Chats)) => {
            "Los mensajes de los chats se leen de nuevo".to_owned()
        }
    }
}

/// What to do where the reason itself does not say it.
fn hint(language: Locale, reason: &str) -> Option<&'static str> {
    let known = [
        (
            &["No space left", "disk is full"][..],
            "Free some space: `df -h` shows what is full",
            "Libere espacio: `df -h` muestra qué está lleno",
        ),
        (
            &["did not end within"],
            "Give it more time with `timeout`, or look at what it waited for",
            "Dele más tiempo con `timeout`, o mire qué esperaba",
        ),
        (
            &["Permission denied", "permission denied"],
            "The user `reveille` must be allowed to: `reveille doctor` looks at permissions",
            "El usuario `reveille` debe tener permiso: `reveille doctor` mira los permisos",
        ),
    ];
    let found = known
        .iter()
        .find(|(signs, _, _)| signs.iter().any(|sign| reason.contains(sign)));
    found.map(|(_, en, es)| match language {
        Locale::En => *en,
        Locale::Es => *es,
    })
}
