//! What a kind is checked against: the settings, the other files, the results of the steps before it. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::Settings;
use super::diagnostic::{Diagnostic, Source};
use super::literal;
use super::prompt_file::PromptFile;
use super::read::Reader;
use super::suggest::did_you_mean;
use super::value::{At, OneOrMany};
use super::words::without_consequences;
use crate::template::{OPAQUE, TemplateError, Templates};

/// What errors call a template that stands in the job file.
const INLINE: &str = "template";

/// Everything around one job file.
#[derive(Debug)]
pub struct World {
    /// The configuration.
    pub settings: Settings,
    /// The files of `prompts/`, by name.
    pub prompts: BTreeMap<String, Arc<Source>>,
    /// The names of all jobs.
    pub jobs: BTreeSet<String>,
}

/// Where one job's kinds are resolved.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The job file.
    pub source: &'a Arc<Source>,
    /// The configuration.
    pub settings: &'a Settings,
    /// The files and jobs around it.
    pub world: &'a World,
    /// What was found.
    pub problems: &'a mut Vec<Diagnostic>,
    /// What templates may name here, by example.
    pub examples: Map<String, Value>,
    /// Roots whose values may hold text from outside.
    pub outside: BTreeSet<String>,
    /// Whether nobody but the owner fills in `event.args`: no trigger of the job takes in what others write.
    pub hand_typed: bool,
    /// The template checker, shared by all files.
    pub checker: &'a Templates,
    /// The files of `prompts/` that the job names.
    pub prompts: BTreeSet<String>,
}

impl Scope<'_> {
    /// Reports an error at `span` of the job file.
    pub fn error(&mut self, span: Range<usize>, what: impl Into<String>, right: &str) {
        let found = Diagnostic::error(self.source, span, what).label(right);
        self.problems.push(found);
    }

    /// Reports what the owner should know of at `span`, and what does not stop the job.
    pub fn warning(&mut self, span: Range<usize>, what: impl Into<String>, right: &str) {
        let found = Diagnostic::error(self.source, span, what).label(right);
        self.problems.push(found.warning());
    }

    /// A value that has to be among `known`.
    pub fn one_of(&mut self, typed: At<String>, noun: &str, known: &[&str]) -> Option<String> {
        self.reader().one_of(typed, noun, known.iter().copied())
    }

    /// Another job.
    pub fn job(&mut self, typed: At<String>) -> Option<String> {
        // The job itself is a circle, and no help to who meant another.
        let own = std::path::Path::new(&self.source.path).file_stem();
        let own = own.and_then(|own| own.to_str()).unwrap_or_default();
        let known = self.world.jobs.iter().map(String::as_str);
        let meant = typed.value == own;
        let known: Vec<_> = known.filter(|name| meant || *name != own).collect();
        if known.is_empty() {
            let what = format!("there is no job `{}`", typed.value);
            self.error(typed.span, what, "there is no other job");
            return None;
        }
        self.reader().one_of(typed, "job", known)
    }

    /// Names of calendars; none named means all, as an empty list.
    pub fn calendars(&mut self, typed: Option<At<OneOrMany<String>>>) -> Vec<String> {
        let Some(typed) = typed else {
            return Vec::new();
        };
        let settings = self.settings;
        let mut found = Vec::new();
        for value in typed.value.0 {
            let span = self.narrowed(&typed.span, &value);
            let known = settings
                .calendars
                .iter()
                .map(|calendar| calendar.name.as_str());
            let one = At { value, span };
            found.extend(self.reader().one_of(one, "calendar", known));
        }
        found
    }

    /// Where one text of a list stands.
    fn narrowed(&self, list: &Range<usize>, text: &str) -> Range<usize> {
        let raw = self.source.text.get(list.clone()).unwrap_or_default();
        let quoted = [format!("\"{text}\""), format!("'{text}'")];
        let mut found = quoted.iter().filter_map(|quoted| raw.find(quoted.as_str()));
        match found.next() {
            Some(at) => list.start + at..list.start + at + text.len() + 2,
            None => list.clone(),
        }
    }

    /// A route; the default one where none is named.
    pub fn route(&mut self, typed: Option<At<String>>) -> Option<String> {
        let settings = self.settings;
        match typed {
            Some(typed) => {
                let known = settings.routes.keys().map(String::as_str);
                self.reader().one_of(typed, "route", known)
            }
            // No model at all is a way to live: the fallback words it.
            None => Some(settings.default_route.clone().unwrap_or_default()),
        }
    }

    /// An inline template, checked against what exists at this point of the job.
    pub fn template(&mut self, typed: At<String>) -> String {
        let findings = self.checker.check(INLINE, &typed.value, &self.examples);
        self.report_inline(self.source, &typed, findings);
        typed.value
    }

    /// A path, an inline template that nobody but the owner fills in.
    pub fn path(&mut self, typed: At<String>) -> String {
        let mut ours = self.ours();
        if let (true, Some(event)) = (self.hand_typed, self.examples.get("event")) {
            let args = Map::from_iter([("args".to_owned(), event["args"].clone())]);
            ours.insert("event".to_owned(), Value::Object(args));
        }
        if self.names_beyond(&typed.value, &ours) {
            let what = "text from outside could choose this path";
            let right = "write a fixed path, or one filled in from `now`, `run` or `job`";
            self.error(typed.span.clone(), what, right);
        }
        self.template(typed)
    }

    /// An inline expression, checked likewise.
    pub fn expression(&mut self, typed: At<String>) -> String {
        let findings = self.checker.check_expression(&typed.value, &self.examples);
        self.report_inline(self.source, &typed, findings);
        typed.value
    }

    /// Whether a template names what somebody else may have written.
    pub fn names_outside(&self, template: &str) -> bool {
        self.names_beyond(template, &self.ours())
    }

    /// What templates may name that the owner or this program wrote, by example.
    fn ours(&self) -> Map<String, Value> {
        let mut ours = self.examples.clone();
        ours.retain(|root, _| !self.outside.contains(root));
        ours
    }

    fn names_beyond(&self, template: &str, ours: &Map<String, Value>) -> bool {
        let all = self.checker.check(INLINE, template, &self.examples).len();
        self.checker.check(INLINE, template, ours).len() > all
    }

    /// What an expression gives for the examples; opaque where it cannot be told.
    pub fn value_example(&self, typed: &At<String>) -> Value {
        let value = self.checker.eval(&typed.value, &(&self.examples).into());
        value.unwrap_or(OPAQUE.into())
    }

    /// A plain text of `prompts/`, checked as a template.
    pub fn fallback_file(&mut self, typed: At<String>) -> Option<String> {
        let file = self.file(typed)?;
        let findings = self.checker.check(&file.path, &file.text, &self.examples);
        for finding in findings {
            self.report(&file, 0, finding);
        }
        Some(file.text.clone())
    }

    /// A prompt of `prompts/`: front matter, instructions, facts, each checked.
    pub fn prompt_file(&mut self, typed: At<String>) -> Option<String> {
        let file = self.file(typed)?;
        let front = match PromptFile::front(&file.text) {
            Ok(front) => front,
            Err(error) => {
                let found = Diagnostic::error(&file, error.span, error.what).label(error.right);
                self.problems.push(found);
                return None;
            }
        };
        let known = self.problems.len();
        let mut reader = Reader {
            source: &file,
            problems: self.problems,
        };
        let root = reader.parse(&front);
        let syntax = reader.problems.len() - known;
        let front: Option<CheckedFront> = reader.table(root, &[]);
        without_consequences(self.problems, known, syntax);
        if let Some(system) = front.and_then(|front| front.system) {
            let findings = self
                .checker
                .check(&file.path, &system.value, &self.examples);
            self.report_inline(&file, &system, findings);
            let findings = self.outside_text(&file, &system.value);
            self.report_inline(&file, &system, findings);
        }
        let prompt = PromptFile::parse(&file.text).ok()?;
        for (text, offset) in [
            (prompt.instructions, prompt.instructions_at),
            (prompt.facts, prompt.facts_at),
        ] {
            for finding in self.checker.check(&file.path, text, &self.examples) {
                self.report(&file, offset, finding);
            }
        }
        for finding in self.outside_text(&file, prompt.instructions) {
            self.report(&file, prompt.instructions_at, finding);
        }
        Some(file.text.clone())
    }

    /// Where instructions name what somebody else may have written, which they may not.
    fn outside_text(&self, file: &Arc<Source>, instructions: &str) -> Vec<TemplateError> {
        let mut found = Vec::new();
        let ours = self.ours();
        let before = self.checker.check(&file.path, instructions, &self.examples);
        for finding in self.checker.check(&file.path, instructions, &ours) {
            if before.iter().any(|known| known.range == finding.range) {
                continue;
            }
            let named = finding
                .range
                .clone()
                .and_then(|range| instructions.get(range));
            let finding = TemplateError {
                what: format!(
                    "`{}` may hold text from outside, and stands among the instructions",
                    named.unwrap_or_default()
                ),
                hint: Some("put it below a line `---`, where the facts stand".to_owned()),
                ..finding
            };
            found.push(finding);
        }
        found
    }

    fn file(&mut self, typed: At<String>) -> Option<Arc<Source>> {
        if let Some(file) = self.world.prompts.get(&typed.value) {
            self.prompts.insert(typed.value);
            return Some(Arc::clone(file));
        }
        let what = format!("there is no file `prompts/{}`", typed.value);
        let known = || self.world.prompts.keys().map(String::as_str);
        let bare = typed.value.trim_start_matches("prompts/");
        let meant =
            known().find(|name| name.strip_suffix(".md").unwrap_or(name) == bare || *name == bare);
        let near = match meant {
            Some(name) => format!("write `{name}`"),
            None => did_you_mean(bare, known()),
        };
        let right = match (near.is_empty(), known().next()) {
            (false, _) => near,
            (true, Some(_)) => format!("there are: {}", known().collect::<Vec<_>>().join(", ")),
            (true, None) => "write the file; `prompts/` is empty".to_owned(),
        };
        self.error(typed.span, what, &right);
        None
    }

    fn reader(&mut self) -> Reader<'_> {
        Reader {
            source: self.source,
            problems: self.problems,
        }
    }

    fn report_inline(
        &mut self,
        source: &Arc<Source>,
        typed: &At<String>,
        findings: Vec<TemplateError>,
    ) {
        for finding in findings {
            let raw = source.text.get(typed.span.clone()).unwrap_or_default();
            let place = finding.range.as_ref();
            let place = place.and_then(|range| literal::place(raw, range));
            let span = place.map_or_else(
                || typed.span.clone(),
                |place| typed.span.start + place.start..typed.span.start + place.end,
            );
            self.problems.push(diagnostic(source, span, finding));
        }
    }

    fn report(&mut self, file: &Arc<Source>, offset: usize, finding: TemplateError) {
        let span = match &finding.range {
            Some(range) => range.start + offset..range.end + offset,
            None => offset..offset,
        };
        self.problems.push(diagnostic(file, span, finding));
    }
}

/// What stands in the front matter of a prompt.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CheckedFront {
    system: Option<At<String>>,
    #[allow(dead_code)] // Its type is checked as it is read.
    temperature: Option<f64>,
    #[allow(dead_code)] // Its type is checked as it is read.
    max_tokens: Option<NonZeroU32>,
    #[allow(dead_code)] // Its type is checked as it is read.
    name: Option<String>,
    #[allow(dead_code)] // Its type is checked as it is read.
    description: Option<String>,
    #[allow(dead_code)] // Its type is checked as it is read.
    route: Option<String>,
    #[allow(dead_code)] // Its type is checked as it is read.
    tools: Option<Vec<String>>,
    #[allow(dead_code)] // Its type is checked as it is read.
    rounds: Option<NonZeroU32>,
    #[allow(dead_code)] // Its type is checked as it is read.
    approval: Option<super::prompt_file::Approval>,
}

fn diagnostic(file: &Arc<Source>, span: Range<usize>, finding: TemplateError) -> Diagnostic {
    Diagnostic::error(file, span, finding.what).label(finding.hint.unwrap_or_default())
}
