//! `exec`: a program that the owner wrote down. Each element of the list is one argument, never a shell's line.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::{At, Size};
use crate::sandbox::{Ended, Program};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// The program and its arguments, each a template.
    exec: At<Vec<At<String>>>,
    /// What it reads, a template.
    stdin: Option<At<String>>,
    /// The most that is kept of what it prints, for each of stdout and stderr.
    max_output: Option<Size>,
    /// Reads stdout as JSON, as `id.json`.
    json: Option<bool>,
    /// It may be run again after a crash without being asked.
    idempotent: Option<bool>,
}

/// A program.
#[derive(Debug, Clone)]
pub struct Exec {
    argv: Vec<Argument>,
    stdin: Option<String>,
    max_output: u64,
    json: bool,
    /// It may be run again after a crash.
    pub idempotent: bool,
}

/// One element of the list.
#[derive(Debug, Clone)]
struct Argument {
    text: String,
    /// Text from outside has a part in it, and no `--` stands before it: what begins with `-` would be an option.
    guarded: bool,
}

/// Whether a run fills in the very beginning, or what comes after nothing but dashes.
fn begins_filled(template: &str) -> bool {
    template.trim_start_matches('-').starts_with("{{")
}

/// Whether the owner's own letters begin an option: then it is this option, whatever is filled in.
fn begins_as_option(template: &str) -> bool {
    template.starts_with('-') && !template.trim_start_matches('-').starts_with('{')
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Exec> {
        let Some(program) = self.exec.value.first() else {
            let right = "write the program and its arguments, as [\"df\", \"-h\"]";
            scope.error(self.exec.span, "there is no program to run", right);
            return None;
        };
        if program.value.contains("{{") || program.value.contains("{%") {
            let right = "write its name; a run fills in arguments only";
            scope.error(
                program.span.clone(),
                "the program is not chosen by a run",
                right,
            );
        } else if program.value.contains(' ') && self.exec.value.len() == 1 {
            let words: Vec<String> = program
                .value
                .split(' ')
                .map(|word| format!("{word:?}"))
                .collect();
            let right = format!("write [{}]", words.join(", "));
            scope.error(
                program.span.clone(),
                "each argument is an element of its own",
                &right,
            );
        }
        let own = no_outside_code(scope, &self.exec.value);
        let mut argv = Vec::new();
        let mut after_dashes = false;
        for (position, argument) in self.exec.value.into_iter().enumerate() {
            let may_be_option = position > 0 && position < own && !after_dashes;
            let outside = may_be_option && scope.names_outside(&argument.value);
            if outside && begins_filled(argument.value.trim_start()) {
                let what = "text from outside could be read as an option here";
                let right = "put \"--\" before it";
                scope.error(argument.span.clone(), what, right);
            }
            after_dashes |= argument.value == "--";
            let guarded = outside && !begins_as_option(&argument.value);
            argv.push(Argument {
                text: scope.template(argument),
                guarded,
            });
        }
        Some(Exec {
            argv,
            stdin: self.stdin.map(|text| scope.template(text)),
            max_output: self.max_output.map_or(64 << 10, |size| size.0),
            json: self.json.unwrap_or(false),
            idempotent: self.idempotent.unwrap_or(false),
        })
    }
}

/// Programs whose first argument is code, after their options or after `-c` and `-e`.
const INTERPRETERS: &[&str] = &[
    "sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "busybox", "python", "python3", "perl",
    "ruby", "node", "lua", "awk", "gawk", "mawk", "php", "eval",
];

/// Text from outside may be an argument of a script, and never the script. Gives the first argument that is the
/// script's own and no option, where the script stands after `-c`.
fn no_outside_code(scope: &mut Scope<'_>, argv: &[At<String>]) -> usize {
    let name = |word: &At<String>| word.value.rsplit('/').next().unwrap_or_default().to_owned();
    let interprets = |word: &At<String>| INTERPRETERS.contains(&name(word).as_str());
    let Some(at) = argv.iter().position(interprets) else {
        return argv.len();
    };
    let is_code = |word: &At<String>| !word.value.starts_with('-') && !interprets(word);
    let Some(code) = argv[at..].iter().position(is_code).map(|after| at + after) else {
        return argv.len();
    };
    if scope.names_outside(&argv[code].value) {
        let program = name(&argv[at]);
        let what = format!("text from outside would be run as code by `{program}`");
        let right = "write the script here and give it the text as an argument: [\"sh\", \"-c\", \"... \\\"$1\\\"\", \"sh\", \"{{ ... }}\"]";
        scope.error(argv[code].span.clone(), what, right);
    }
    let by_option = argv[at..code]
        .iter()
        .any(|word| word.value.starts_with('-') && word.value.ends_with('c'));
    if by_option { code + 1 } else { argv.len() }
}

impl Exec {
    /// The program, as written: no run chooses it.
    pub fn program(&self) -> &str {
        &self.argv[0].text
    }

    pub(super) fn declaration(&self) -> Declaration {
        let mut example = json!({
            "stdout": "text", "stderr": "text", "code": 0, "omitted_bytes": 0
        });
        if self.json {
            example["json"] = Value::String(crate::template::OPAQUE.to_owned());
        }
        Declaration {
            effects: true,
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(30),
            example,
        }
    }

    /// The program and its arguments as a run would start it.
    ///
    /// # Errors
    /// A template that does not render, or text from outside that would be an option.
    pub fn argv(&self, context: &Context<'_>) -> Result<Vec<String>, StepError> {
        let argv = self.argv.iter().map(|argument| {
            let text = context.render(&argument.text)?;
            if argument.guarded && text.starts_with('-') {
                let written = &argument.text;
                return Err(StepError::new(format!(
                    "the argument `{written}` came out as `{}`, which the program would take for an option: put \"--\" before it",
                    text.chars().take(40).collect::<String>()
                )));
            }
            Ok(text)
        });
        argv.collect()
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let workspace = context.workspace();
        let workspace = workspace.folder();
        let mut folder = tokio::fs::DirBuilder::new();
        let made = folder.recursive(true).mode(0o700).create(workspace).await;
        made.map_err(|error| {
            StepError::new(format!("cannot make {}: {error}", workspace.display()))
        })?;
        let stdin = self
            .stdin
            .as_ref()
            .map(|text| context.render(text))
            .transpose()?;
        let program = Program {
            stdin: stdin.map(String::into_bytes),
            timeout: context.limit,
            max_output: usize::try_from(self.max_output).unwrap_or(usize::MAX),
            zone: Some(context.settings.timezone.name().to_owned()),
            ..Program::new(self.argv(context)?, workspace)
        };
        let finished = program.run(context.clock.as_ref()).await;
        let finished = finished.map_err(|error| StepError::new(error.to_string()))?;
        let (stdout, stderr) = (finished.stdout.text(), finished.stderr.text());
        let said = format!("{stdout}{stderr}");
        let code = match finished.ended {
            Ended::Code(code) => code,
            Ended::Signal(signal) => {
                return Err(StepError::new(format!("signal {signal} ended it")).with_output(&said));
            }
            Ended::TimedOut => {
                let seconds = context.limit.as_secs_f64();
                let reason = format!("it was ended after its timeout of {seconds} s");
                return Err(StepError::new(reason).with_output(&said));
            }
        };
        if code != 0 {
            let last = stderr
                .lines()
                .rfind(|line| !line.trim().is_empty())
                .unwrap_or_default();
            let reason = format!(
                "exit code {code}{}{last}",
                if last.is_empty() { "" } else { ": " }
            );
            return Err(StepError::new(reason).with_output(&said));
        }
        let omitted = finished.stdout.omitted + finished.stderr.omitted;
        let mut result = json!({
            "stdout": stdout, "stderr": stderr, "code": code, "omitted_bytes": omitted
        });
        if self.json {
            result["json"] = serde_json::from_str(&stdout).map_err(|error| {
                StepError::new(format!("stdout is not JSON: {error}")).with_output(&said)
            })?;
        }
        Ok(Done::result(result))
    }
}
