//! `approve`: the run waits for the owner's word. What is done afterwards is what the message said: nothing of the run changes
//! meanwhile.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::{At, Span};
use crate::job::{StepEnd, Wait};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// What exactly will be done.
    approve: At<String>,
    /// Later than this the answer is no.
    expires: Option<Span>,
}

/// The longest question, in characters: it is one message.
const LONGEST: usize = 1800;

/// Whether it changes how others are read, and is not seen itself.
pub(super) fn hides(c: char) -> bool {
    let marks = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    marks || (c.is_control() && c != '\n')
}

/// Somebody's word.
#[derive(Debug, Clone)]
pub struct Approve {
    /// What will be done, a template.
    pub text: String,
    /// Later than this the answer is no.
    pub expires: Duration,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Approve> {
        if self.approve.value.trim().is_empty() {
            let right = "write what exactly will be done";
            scope.error(
                self.approve.span.clone(),
                "there is nothing to say yes to",
                right,
            );
        }
        Some(Approve {
            text: scope.template(self.approve),
            expires: self
                .expires
                .map_or(Duration::from_secs(3600), |span| span.0),
        })
    }
}

impl Approve {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: false,
            outside_text: false,
            private: false,
            timeout: self.expires,
            example: json!({ "approved": true, "by": "text", "why": "text" }),
        }
    }

    /// What is asked, and until when; the engine asks it.
    pub(super) fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let asks = context.render(&self.text)?;
        // Without what turns a line around or hides in it: what is read is what is asked.
        let shown = |c: &char| !hides(*c);
        let asks: String = asks.trim().chars().filter(shown).collect();
        if asks.is_empty() {
            let why = "there is nothing to say yes to: what it asks rendered empty";
            return Err(StepError::new(why));
        }
        let length = asks.chars().count();
        if length > LONGEST {
            let why = format!(
                "what it asks has {length} characters, and {LONGEST} are the most that anybody reads"
            );
            return Err(StepError::new(why));
        }
        let until = context.clock.now() + self.expires;
        let nonce = context.clock.id().simple().to_string();
        Ok(Done {
            detail: Some(json!({ "asks": asks, "until": until })),
            ..Done::end(StepEnd::Wait(Wait::Token(nonce)))
        })
    }
}
