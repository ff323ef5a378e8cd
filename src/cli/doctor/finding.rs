//! One thing that was looked at, and what it means.

use serde::Serialize;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// Nothing to do.
    Ok,
    /// A promise is weaker here than it could be.
    Warning,
    /// Something that the configuration needs is impossible.
    Cannot,
}

impl Verdict {
    /// The word that begins its line.
    pub(super) fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Cannot => "cannot",
        }
    }
}

/// One thing that was looked at. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// How it stands.
    pub(super) verdict: Verdict,
    /// What was looked at.
    pub(super) about: &'static str,
    /// What was found, and what that means.
    pub(super) found: String,
    /// What to do about it.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub(super) todo: Option<String>,
}

impl Finding {
    pub(super) fn ok(about: &'static str, found: impl Into<String>) -> Self {
        Finding {
            verdict: Verdict::Ok,
            about,
            found: found.into(),
            todo: None,
        }
    }

    pub(super) fn warning(
        about: &'static str,
        found: impl Into<String>,
        todo: impl Into<String>,
    ) -> Self {
        Finding {
            verdict: Verdict::Warning,
            todo: Some(todo.into()),
            ..Finding::ok(about, found)
        }
    }

    pub(super) fn cannot(
        about: &'static str,
        found: impl Into<String>,
        todo: impl Into<String>,
    ) -> Self {
        Finding {
            verdict: Verdict::Cannot,
            ..Finding::warning(about, found, todo)
        }
    }

    /// The rest of its line.
    pub(super) fn line(&self) -> String {
        let todo = self.todo.iter().map(|todo| format!(" -> {todo}"));
        format!(
            "{:<14}  {}{}",
            self.about,
            self.found,
            todo.collect::<String>()
        )
    }
}
