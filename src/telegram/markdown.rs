//! Markdown to what Telegram takes: a text, and entities that say which part of it looks how. Nothing of the text is lost:
//! what Telegram has no form for stays as it was written.
//!
//! Not HTML or `MarkdownV2`: with those one bad character loses the whole message.

mod table;

use std::cmp::Reverse;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::rich::{Entity, Rich, Style, is_unwanted};
use table::Table;

/// Renders Markdown.
pub fn render(markdown: &str) -> Rich {
    let source: String = markdown.chars().filter(|c| !is_unwanted(*c)).collect();
    let options =
        Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
    let parser = Parser::new_ext(&source, options);
    // Definitions of links, which Markdown does not show: a line of a log may look like one.
    let definitions = parser.reference_definitions().iter();
    let mut hidden: Vec<_> = definitions.map(|(_, link)| link.span.clone()).collect();
    hidden.sort_by_key(|span| span.start);
    let mut hidden = hidden.into_iter().peekable();
    let mut page = Page::default();
    for (event, range) in parser.into_offset_iter() {
        while page.depth == 0
            && let Some(span) = hidden.next_if(|span| span.start <= range.start)
        {
            page.paragraph(&source[span]);
        }
        page.take(event);
    }
    for span in hidden {
        page.paragraph(&source[span]);
    }
    page.finish()
}

/// Whether the words behind a fence name a language; others are text.
fn is_language(words: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '#' | '_' | '.');
    (1..=32).contains(&words.len()) && words.chars().all(fits)
}

/// The longest address that is made a link, in bytes.
const LONGEST_LINK: usize = 1024;

/// Where a link may lead: addresses of another kind make a program do something.
fn may_be_followed(url: &str) -> bool {
    let scheme = url
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    url.len() <= LONGEST_LINK
        && !url.contains(char::is_whitespace)
        && scheme
            .is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https" | "mailto" | "tel"))
}

#[derive(Default)]
struct Page {
    done: Rich,
    /// Line ends that come before the next word.
    gap: usize,
    /// How many blocks are open.
    depth: usize,
    /// Looks that are open, with their first byte.
    open: Vec<(Style, usize)>,
    /// What is shown behind the end of each open link or picture, where it is not followed.
    behind: Vec<Option<String>>,
    /// The next number of each open list; `None`: points.
    lists: Vec<Option<u64>>,
    quotes: usize,
    table: Option<Table>,
}

impl Page {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.put(&text),
            Event::Code(code) => self.code(&code),
            Event::Html(text) | Event::InlineHtml(text) => self.put(&text),
            Event::SoftBreak | Event::HardBreak => self.put("\n"),
            Event::Rule => {
                self.block(2);
                self.put("———");
                self.block(2);
            }
            Event::TaskListMarker(done) => {
                let text = &mut self.done.text;
                if self.gap == 0 && text.ends_with(POINT) {
                    text.truncate(text.len() - POINT.len());
                }
                self.put(if done { "☑ " } else { "☐ " });
            }
            Event::InlineMath(text) | Event::DisplayMath(text) => self.put(&text),
            Event::FootnoteReference(name) => self.put(&format!("[{name}]")),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Emphasis => self.open(Style::Italic),
            Tag::Strong => self.open(Style::Bold),
            Tag::Strikethrough => self.open(Style::Strike),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                let inside = self
                    .open
                    .iter()
                    .any(|(style, _)| matches!(style, Style::Link(_)));
                let followed = may_be_followed(&dest_url) && !inside;
                if followed {
                    self.open(Style::Link(dest_url.into_string()));
                    self.behind.push(None);
                } else {
                    self.behind.push(Some(dest_url.into_string()));
                }
            }
            Tag::TableCell => {
                if let Some(row) = self.table.as_mut().and_then(|table| table.rows.last_mut()) {
                    row.push(String::new());
                }
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            block => {
                self.depth += 1;
                self.start_block(block);
            }
        }
    }

    fn start_block(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.block(2);
                self.open(Style::Bold);
            }
            Tag::BlockQuote(_) => {
                self.block(2);
                self.quotes += 1;
                if self.quotes == 1 {
                    self.open(Style::Quote);
                }
            }
            Tag::CodeBlock(kind) => {
                self.block(2);
                let words = match &kind {
                    CodeBlockKind::Fenced(words) => words.trim(),
                    CodeBlockKind::Indented => "",
                };
                let language = Some(words).filter(|words| is_language(words));
                self.open(Style::Pre(language.map(str::to_owned)));
                if language.is_none() && !words.is_empty() {
                    self.put(&format!("{words}\n"));
                }
            }
            Tag::List(first) => {
                self.block(if self.lists.is_empty() { 2 } else { 1 });
                self.lists.push(first);
            }
            Tag::Item => {
                self.block(1);
                self.put(&"  ".repeat(self.lists.len().saturating_sub(1)));
                match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let shown = format!("{number}. ");
                        *number = number.saturating_add(1);
                        self.put(&shown);
                    }
                    _ => self.put(POINT),
                }
            }
            Tag::Table(_) => {
                self.block(2);
                self.table = Some(Table::default());
            }
            // A paragraph of an item begins behind its point.
            Tag::Paragraph if self.lists.is_empty() => self.block(2),
            _ if self.lists.is_empty() => self.block(2),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis => self.close(&Style::Italic),
            TagEnd::Strong => self.close(&Style::Bold),
            TagEnd::Strikethrough => self.close(&Style::Strike),
            TagEnd::Link | TagEnd::Image => match self.behind.pop().flatten() {
                Some(address) if !address.is_empty() && !self.done.text.ends_with(&address) => {
                    self.put(&format!(" ({address})"));
                }
                Some(_) => {}
                None => self.close_link(),
            },
            TagEnd::TableCell | TagEnd::TableHead | TagEnd::TableRow => {}
            block => {
                self.depth = self.depth.saturating_sub(1);
                self.end_block(block);
            }
        }
    }

    fn end_block(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.close(&Style::Bold);
                self.block(2);
            }
            TagEnd::BlockQuote(_) => {
                self.quotes -= 1;
                if self.quotes == 0 {
                    self.close(&Style::Quote);
                }
                self.block(2);
            }
            TagEnd::CodeBlock => {
                if let Some(place) = self
                    .open
                    .iter()
                    .rposition(|(style, _)| matches!(style, Style::Pre(_)))
                {
                    // A block of nothing but its language: somebody's fence was meant otherwise.
                    if let (Style::Pre(Some(language)), start) = &self.open[place]
                        && *start == self.done.text.len()
                    {
                        let language = language.clone();
                        self.put(&language);
                    }
                    let (style, start) = self.open.remove(place);
                    self.entity(style, start);
                }
                self.block(2);
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.block(if self.lists.is_empty() { 2 } else { 1 });
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    self.open(Style::Pre(None));
                    self.put(&table.drawn());
                    self.end_block(TagEnd::CodeBlock);
                }
            }
            _ => self.block(if self.lists.is_empty() { 2 } else { 1 }),
        }
    }

    /// At least so many line ends come before the next word.
    fn block(&mut self, lines: usize) {
        self.gap = self.gap.max(lines);
    }

    fn paragraph(&mut self, text: &str) {
        self.block(2);
        self.put(text.trim());
        self.block(2);
    }

    fn put(&mut self, text: &str) {
        if let Some(cell) = self
            .table
            .as_mut()
            .and_then(|table| table.rows.last_mut()?.last_mut())
        {
            cell.push_str(&text.replace('\n', " "));
            return;
        }
        if text.is_empty() {
            return;
        }
        let before = self.done.text.len();
        if before > 0 {
            let had = self
                .done
                .text
                .bytes()
                .rev()
                .take_while(|byte| *byte == b'\n')
                .count();
            let wanted = self.gap.saturating_sub(had);
            self.done.text.extend(std::iter::repeat_n('\n', wanted));
        }
        self.gap = 0;
        let begins = self.done.text.len();
        for (_, start) in self.open.iter_mut().filter(|(_, start)| *start == before) {
            *start = begins;
        }
        self.done.text.push_str(text);
    }

    /// Code stands in no other look but a quotation: what is open ends before it and goes on behind.
    fn code(&mut self, code: &str) {
        if self.table.is_some()
            || self
                .open
                .iter()
                .any(|(style, _)| matches!(style, Style::Link(_)))
        {
            return self.put(code);
        }
        let spread: Vec<(Style, usize)> = self
            .open
            .iter()
            .filter(|(style, _)| *style != Style::Quote)
            .cloned()
            .collect();
        for (style, start) in spread {
            self.entity(style, start);
        }
        // The gap comes before the code, not into it.
        self.put("\u{200b}");
        self.done.text.pop();
        let start = self.done.text.len();
        self.done.text.push_str(code);
        self.entity(Style::Code, start);
        let end = self.done.text.len();
        for (style, start) in &mut self.open {
            if *style != Style::Quote {
                *start = end;
            }
        }
    }

    fn open(&mut self, style: Style) {
        self.open.push((style, self.done.text.len()));
    }

    fn close(&mut self, style: &Style) {
        if let Some(place) = self.open.iter().rposition(|(open, _)| open == style) {
            let (style, start) = self.open.remove(place);
            // Twice bold is bold.
            if !self.open.iter().any(|(open, _)| *open == style) {
                self.entity(style, start);
            }
        }
    }

    fn close_link(&mut self) {
        if let Some(place) = self
            .open
            .iter()
            .rposition(|(open, _)| matches!(open, Style::Link(_)))
        {
            let (style, start) = self.open.remove(place);
            self.entity(style, start);
        }
    }

    /// A look from `start` to here, without the space at its ends.
    fn entity(&mut self, style: Style, start: usize) {
        let whole = &self.done.text[start..];
        let end = start + whole.trim_end().len();
        let start = start + (whole.len() - whole.trim_start().len());
        if start < end {
            self.done.entities.push(Entity { style, start, end });
        }
    }

    fn finish(mut self) -> Rich {
        let end = self.done.text.trim_end().len();
        self.done.text.truncate(end);
        let begins = end - self.done.text.trim_start().len();
        self.done.text.drain(..begins);
        for entity in &mut self.done.entities {
            entity.start = entity.start.saturating_sub(begins);
            entity.end = entity.end.min(end) - begins;
        }
        self.done
            .entities
            .retain(|entity| entity.start < entity.end);
        // What holds another comes first: a quotation before the code that is all of it.
        let outside = |entity: &Entity| {
            (
                entity.start,
                Reverse(entity.end),
                entity.style != Style::Quote,
            )
        };
        self.done.entities.sort_by_key(outside);
        self.done
    }
}

const POINT: &str = "• ";

#[cfg(test)]
mod tests;
