//! Text from outside as data in a prompt: fenced, and unable to leave the fence or to speak as somebody else.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

const OPEN: &str = "<<<data";
const CLOSE: &str = "data>>>";

/// `text` as fenced data under `label`. The fence is always the same, so that a prompt's prefix stays cached;
/// [`neutralise`] makes sure that the text cannot forge it.
pub fn data(label: &str, text: &str) -> String {
    let label: String = neutralise(label)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let text = neutralise(text);
    format!("{OPEN} {label}\n{}\n{CLOSE}", text.trim_end())
}

/// Takes from `text` what a model could read as a command of the conversation's own machinery: characters that do
/// not show, chat templates' control tokens, role headings at the start of a line, and the fence itself.
///
/// Words stay readable: brackets are replaced by look-alikes (`‹|im_start|›`), hidden characters are dropped.
pub fn neutralise(text: &str) -> Cow<'_, str> {
    let shown = drop_hidden(text);
    let once = disarm(&shown);
    match once {
        None => shown,
        Some(disarmed) => Cow::Owned(disarmed),
    }
}

/// Control characters but line breaks and tabs, bidi controls, zero-width characters, tags, private noncharacters.
fn is_hidden(c: char) -> bool {
    let control = c.is_control() && !matches!(c, '\n' | '\t');
    control
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn drop_hidden(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    // A line break of another kind is still a line break: dropping it would join words.
    let unified = text
        .replace("\r\n", "\n")
        .replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n");
    Cow::Owned(unified.replace(is_hidden, ""))
}

/// Full-width and mathematical look-alikes of `<` and `|` count as them, since some tokenizers fold them.
const LESS: &str = "[<＜﹤]";
const MORE: &str = "[>＞﹥]";
const BAR: &str = "[|｜∣❘▁]";

static TOKENS: LazyLock<Regex> = LazyLock::new(|| {
    let words = "s|/s|bos|eos|pad|unk|mask|think|/think|thinking|/thinking|tool_call|/tool_call|tool_response|/tool_response\
        |start_of_turn|end_of_turn|start_of_image|start_header_id|end_header_id|eot_id|system|/system|user|/user\
        |assistant|/assistant|human|/human|instructions?|/instructions?|function_calls?|/function_calls?";
    let rules = [
        // <|im_start|>, <|endoftext|>, <|eot_id|>, <｜begin▁of▁sentence｜>, <|anything|>
        format!(r"{LESS}\s*{BAR}"),
        format!(r"{BAR}\s*{MORE}"),
        // <s>, </s>, <start_of_turn>, <think>, <system>
        format!(r"{LESS}\s*(?:{words})\s*/?\s*{MORE}"),
        // <<SYS>> and the fence, of which any half would do
        format!(r"{LESS}{{2,}}|{MORE}{{2,}}"),
        // [INST], [/INST], [TOOL_CALLS], [SYSTEM_PROMPT]
        r"\[\s*/?\s*(?:INST|SYS|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|gMASK|SEP|CLS)\s*\]".into(),
    ];
    Regex::new(&format!("(?i){}", rules.join("|"))).expect("a constant pattern")
});

static ROLES: LazyLock<Regex> = LazyLock::new(|| {
    let role = "system|assistant|user|human|ai|instructions?|developer|tool|sistema|asistente|usuario|instrucciones";
    let rules = format!(
        r"(?im)^([\s>*_]*)(#{{1,6}}\s*)?[*_]*((?:new |nueva? )?(?:{role})(?: (?:prompt|message|mensaje))?)[*_]*\s*([:：])"
    );
    Regex::new(&rules).expect("a constant pattern")
});

/// ` ### Instruction` headings of the Alpaca family need no colon.
static HEADINGS: LazyLock<Regex> = LazyLock::new(|| {
    let words = "system|assistant|user|human|instructions?|response|input|sistema|asistente|usuario|instrucciones|respuesta";
    Regex::new(&format!(r"(?im)^(\s*)#{{1,6}}(\s*(?:{words})\s*:?\s*)$"))
        .expect("a constant pattern")
});

fn disarm(text: &str) -> Option<String> {
    let disarmed = TOKENS.replace_all(text, |found: &Captures<'_>| look_alike(&found[0]));
    let disarmed = HEADINGS.replace_all(&disarmed, "${1}§$2").into_owned();
    let disarmed = ROLES.replace_all(&disarmed, "${1}“$3”$4");
    (disarmed != text).then(|| disarmed.into_owned())
}

fn look_alike(token: &str) -> String {
    let replaced = token.chars().map(|c| match c {
        '<' | '＜' | '﹤' => '‹',
        '>' | '＞' | '﹥' => '›',
        '[' => '(',
        ']' => ')',
        '｜' | '∣' | '❘' | '|' => '¦',
        '▁' => '_',
        other => other,
    });
    replaced.collect()
}

#[cfg(test)]
#[path = "fence_tests.rs"]
mod tests;
