//! A file of `prompts/`: front matter, instructions, and below a line `---` the facts.
//!
//! The instructions are the same from day to day and stand first, so that a server's prefix cache holds; they may
//! not name text from outside. The facts are fenced as data.

use std::ops::Range;

use serde::Deserialize;

/// A prompt, in its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptFile<'a> {
    /// What stands before them.
    pub front: FrontMatter,
    /// What it is to do: a template without text from outside.
    pub instructions: &'a str,
    /// Where the instructions begin, in bytes of the file.
    pub instructions_at: usize,
    /// What it is to word: a template. Empty where there is no line `---`.
    pub facts: &'a str,
    /// Where the facts begin.
    pub facts_at: usize,
}

/// What is wrong with a prompt file, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptFileError {
    /// Bytes of the file.
    pub span: Range<usize>,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub right: String,
}

/// What stands between the fences at the beginning.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FrontMatter {
    /// What it is called, for a model that may call it.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Who the model is to be.
    pub system: Option<String>,
    /// 0 repeats itself, 1 varies.
    pub temperature: Option<f64>,
    /// The longest answer.
    pub max_tokens: Option<u32>,
    /// The route, for an `agent`.
    pub route: Option<String>,
    /// What it may use, for an `agent`.
    pub tools: Option<Vec<String>>,
    /// How often it may use them, for an `agent`.
    pub rounds: Option<u32>,
    /// When a tool with effects asks the owner first, for an `agent`.
    pub approval: Option<Approval>,
}

/// When a tool with effects asks the owner first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// Once text from outside is in the model's context.
    #[default]
    Outside,
    /// Always.
    Always,
}

const FENCE: &str = "+++";

impl<'a> PromptFile<'a> {
    /// The front matter, blank before it, so that places in it are places in the file.
    ///
    /// # Errors
    /// It does not end.
    pub fn front(text: &str) -> Result<String, PromptFileError> {
        let toml = front_lines(text)?;
        Ok(toml.map_or_else(String::new, |range| {
            let blank = " ".repeat(range.start.saturating_sub(1));
            format!("{blank}\n{}", &text[range])
        }))
    }

    /// Reads a prompt file.
    ///
    /// # Errors
    /// Front matter that does not end, or is not TOML, or holds unknown keys.
    pub fn parse(text: &'a str) -> Result<Self, PromptFileError> {
        let (front, body_at) = front_matter(text)?;
        let body = &text[body_at..];
        let (instructions, facts) = match rule(body) {
            Some(rule) => (&body[..rule.start], &body[rule.end..]),
            None => (body, ""),
        };
        Ok(PromptFile {
            front,
            instructions,
            instructions_at: body_at,
            facts,
            facts_at: text.len() - facts.len(),
        })
    }
}

fn front_matter(text: &str) -> Result<(FrontMatter, usize), PromptFileError> {
    let Some(lines) = front_lines(text)? else {
        return Ok((FrontMatter::default(), 0));
    };
    let front = toml::from_str(&text[lines.clone()]).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        PromptFileError {
            span: span.start + lines.start..span.end + lines.start,
            what: error.message().to_owned(),
            right: "system, temperature and max_tokens stand here, and for an agent name, description, route, tools, rounds and approval".to_owned(),
        }
    })?;
    Ok((front, text.len().min(lines.end + FENCE.len() + 1)))
}

/// The lines between the fences, where a file has them.
fn front_lines(text: &str) -> Result<Option<Range<usize>>, PromptFileError> {
    let first = format!("{FENCE}\n");
    let Some(rest) = text.strip_prefix(&first) else {
        return Ok(None);
    };
    let last = format!("\n{FENCE}\n");
    match format!("\n{rest}\n").find(&last) {
        Some(end) => Ok(Some(first.len()..first.len() + end)),
        None => Err(PromptFileError {
            span: 0..FENCE.len(),
            what: "the front matter does not end".to_owned(),
            right: format!("close it with a line `{FENCE}`"),
        }),
    }
}

/// The line `---` with its newline.
fn rule(body: &str) -> Option<Range<usize>> {
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some(at..at + line.len());
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_and_their_places() {
        let check = |text: &str, system: Option<&str>, instructions: &str, facts: &str| {
            let prompt = PromptFile::parse(text).expect("it is a prompt");
            assert_eq!(prompt.front.system.as_deref(), system, "{text:?}");
            assert_eq!(prompt.instructions, instructions, "{text:?}");
            assert_eq!(prompt.facts, facts, "{text:?}");
            assert!(text[prompt.instructions_at..].starts_with(instructions));
            assert!(text[prompt.facts_at..].starts_with(facts));
        };
        check("Say it.", None, "Say it.", "");
        check("Say it.\n---\n{{ x }}\n", None, "Say it.\n", "{{ x }}\n");
        check(
            "+++\nsystem = \"Be brief\"\n+++\nSay it.\n---\nf",
            Some("Be brief"),
            "Say it.\n",
            "f",
        );
        check("+++\n+++\nSay it.\n", None, "Say it.\n", "");
        check("+++\n+++", None, "", "");
        check("a\n--- \nb\n---\nc", None, "a\n", "b\n---\nc");
    }

    #[test]
    fn wrong_front_matter_says_where() {
        let check = |text: &str, span: Range<usize>| {
            assert_eq!(
                PromptFile::parse(text).map(|_| ()).map_err(|e| e.span),
                Err(span)
            );
        };
        check("+++\nsystem = 1\n", 0..3);
        check("+++\nsistem = \"x\"\n+++\n", 4..10);
    }
}
