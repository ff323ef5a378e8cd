//! A prompt file: a template with optional front matter.

use std::ops::Range;

use serde::Deserialize;

/// A file of `prompts/`.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptFile {
    /// Who the model is and how it answers; a template too.
    pub system: Option<String>,
    /// 0 to 2.
    pub temperature: Option<f32>,
    /// At most this many tokens of answer, at least 1.
    pub max_tokens: Option<u32>,
    /// The template.
    pub body: String,
    /// How many lines of the file stand before the body, so that a template error's line can be told.
    pub body_line: usize,
}

/// What is wrong in the front matter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PromptError {
    /// One sentence.
    pub message: String,
    /// Bytes of the whole file that it is about.
    pub span: Range<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    system: Option<String>,
    temperature: Option<toml::Spanned<f32>>,
    max_tokens: Option<toml::Spanned<u32>>,
}

const FENCE: &str = "+++";

impl PromptFile {
    /// Reads a file's text. Front matter is TOML between a first line `+++` and the next line `+++`.
    ///
    /// # Errors
    /// The front matter does not end, is not TOML, has an unknown key or a value out of range.
    pub fn parse(text: &str) -> Result<Self, PromptError> {
        // Some editors put a byte order mark first.
        let start = text.len() - text.trim_start_matches('\u{feff}').len();
        let mut lines = text[start..].split_inclusive('\n');
        let first = lines.next().unwrap_or_default();
        if first.trim_end() != FENCE {
            return Ok(PromptFile {
                system: None,
                temperature: None,
                max_tokens: None,
                body: text[start..].to_owned(),
                body_line: 0,
            });
        }
        let front_start = start + first.len();
        let mut front_end = front_start;
        for (index, line) in lines.enumerate() {
            if line.trim_end() == FENCE {
                let body = &text[front_end + line.len()..];
                return read(&text[front_start..front_end], front_start, body, index + 2);
            }
            front_end += line.len();
        }
        let span = start..start + FENCE.len();
        Err(PromptError {
            message: "the front matter does not end: a line `+++` is missing".into(),
            span,
        })
    }
}

fn read(
    front: &str,
    offset: usize,
    body: &str,
    body_line: usize,
) -> Result<PromptFile, PromptError> {
    let at = |span: Range<usize>| span.start + offset..span.end + offset;
    let front: FrontMatter = toml::from_str(front).map_err(|error| PromptError {
        message: error.message().to_owned(),
        span: at(error.span().unwrap_or(0..0)),
    })?;
    let temperature = front.temperature.as_ref();
    if let Some(wrong) = temperature.filter(|value| !(0.0..=2.0).contains(value.get_ref())) {
        return Err(PromptError {
            message: "`temperature` is from 0 to 2".into(),
            span: at(wrong.span()),
        });
    }
    if let Some(wrong) = front
        .max_tokens
        .as_ref()
        .filter(|value| *value.get_ref() == 0)
    {
        return Err(PromptError {
            message: "`max_tokens` is at least 1".into(),
            span: at(wrong.span()),
        });
    }
    Ok(PromptFile {
        system: front.system,
        temperature: front.temperature.map(toml::Spanned::into_inner),
        max_tokens: front.max_tokens.map(toml::Spanned::into_inner),
        body: body.to_owned(),
        body_line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_is_optional() {
        let file = PromptFile::parse("Hello {{ name }}\n+++\n").unwrap();
        assert_eq!(
            (&file.body[..], file.body_line),
            ("Hello {{ name }}\n+++\n", 0)
        );
        assert_eq!(PromptFile::parse("").unwrap().body, "");
        let text =
            "\u{feff}+++\r\nsystem = \"Be brief\"\ntemperature = 0\nmax_tokens = 300\n+++\nHello\n";
        let file = PromptFile::parse(text).unwrap();
        assert_eq!(file.system.as_deref(), Some("Be brief"));
        assert_eq!((file.temperature, file.max_tokens), (Some(0.0), Some(300)));
        assert_eq!((&file.body[..], file.body_line), ("Hello\n", 5));
    }

    fn check(text: &str, message: &str, place: &str) {
        let error = PromptFile::parse(text).unwrap_err();
        assert!(error.message.contains(message), "{error}");
        assert_eq!(&text[error.span], place, "{text}");
    }

    #[test]
    fn errors_say_where() {
        check("+++\nsystem = \"x\"\n", "does not end", "+++");
        check(
            "+++\ntemprature = 1\n+++\n",
            "unknown field `temprature`",
            "temprature",
        );
        check("+++\nmax_tokens = 0\n+++\n", "at least 1", "0");
        check("+++\nmax_tokens = -4\n+++\n", "invalid value", "-4");
        check("+++\n\ntemperature = 3.5\n+++\n", "from 0 to 2", "3.5");
        check("+++\ntemperature = nan\n+++\n", "from 0 to 2", "nan");
        check("+++\nsystem = 5\n+++\n", "invalid type", "5");
        assert!(PromptFile::parse("+++\nsystem = \"x\n+++\n").is_err());
    }
}
