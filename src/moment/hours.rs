//! A time as it is said: "half past 8", "las tres menos diez", "from 3 to 4pm".

use super::lex::Token;
use super::names::{number, unit};
use super::time::{Clock, Half, part};

/// What says that a number is a time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Intro {
    None,
    /// "las": so may three sisters be.
    Weak,
    Strong,
    /// The end of a span whose beginning is a time.
    Given,
}

/// The time that the words begin with, and how many words it is.
pub(super) fn clock(words: &[&str], tokens: &[Token]) -> Option<(Clock, usize)> {
    let (intro, skipped) = intro(words);
    let (clock, taken) = body(&words[skipped..], &tokens[skipped..], intro)?;
    Some((clock, skipped + taken))
}

fn intro(words: &[&str]) -> (Intro, usize) {
    match words {
        [
            "a" | "sobre" | "hacia" | "para" | "desde" | "tras",
            "las" | "la",
            ..,
        ] => (Intro::Strong, 2),
        ["de", "las", ..] => (Intro::Weak, 2),
        ["at", "around" | "about", ..] => (Intro::Strong, 2),
        ["at" | "around", ..] => (Intro::Strong, 1),
        ["las" | "la", ..] => (Intro::Weak, 1),
        _ => (Intro::None, 0),
    }
}

fn body(words: &[&str], tokens: &[Token], intro: Intro) -> Option<(Clock, usize)> {
    match words {
        ["noon" | "midday" | "mediodia", ..] => return Some((Clock::exact(12), 1)),
        ["midnight" | "medianoche", ..] => return Some((Clock::exact(24), 1)),
        _ => {}
    }
    if let Some((clock, taken)) = past(words, intro) {
        let (clock, more) = of_part(clock, &words[taken..]);
        return Some((clock, taken + more));
    }
    let first = *words.first()?;
    let (hour, minute, mut taken, written) = numbers(words)?;
    let mut sure = written == Written::Colon;
    let open = (1..=12).contains(&hour) && !(written == Written::Colon && first.starts_with('0'));
    let mut clock = Clock {
        hour,
        minute,
        less: 0,
        half: if open { Half::Open } else { Half::Exact },
    };
    match &words[taken..] {
        ["am", ..] => (clock, sure, taken) = (clock.said(Half::Am), true, taken + 1),
        ["pm", ..] => (clock, sure, taken) = (clock.said(Half::Pm), true, taken + 1),
        ["h", minutes, ..]
            if minute == 0 && glued(tokens, taken) && (intro != Intro::None || hour > 6) =>
        {
            clock.minute = minutes.parse().ok().filter(|minute| *minute < 60)?;
            (sure, taken) = (true, taken + 2);
        }
        ["h" | "hs" | "hrs", ..] if intro != Intro::None || hour > 6 || minute > 0 || sure => {
            (sure, taken) = (true, taken + 1);
        }
        ["horas" | "hours", ..] if intro != Intro::None => (sure, taken) = (true, taken + 1),
        ["oclock", ..] => (sure, taken) = (true, taken + 1),
        ["o", "clock", ..] | ["en", "punto", ..] => (sure, taken) = (true, taken + 2),
        ["y", "pico", ..] if intro != Intro::None => taken += 2,
        ["y", "media", ..] if minute == 0 => (clock.minute, sure, taken) = (30, true, taken + 2),
        ["y", "cuarto", ..] if minute == 0 => (clock.minute, sure, taken) = (15, true, taken + 2),
        ["menos", "cuarto", ..] if minute == 0 => (clock.less, sure, taken) = (15, true, taken + 2),
        ["y", rest @ ..] if minute == 0 && intro != Intro::None => {
            if let Some((minutes @ 1..60, more)) = number(rest)
                && !is_counted(&rest[more..])
            {
                (clock.minute, sure, taken) = (minutes, true, taken + 1 + more);
            }
        }
        ["menos", rest @ ..] if minute == 0 => {
            let (minutes, more) = number(rest).filter(|(minutes, _)| *minutes < 60)?;
            (clock.less, sure, taken) = (minutes, true, taken + 1 + more);
        }
        rest if matches!(intro, Intro::Strong | Intro::Given)
            && minute == 0
            && written == Written::Word =>
        {
            // "At nine thirty".
            if let Some((minutes @ 10..60, more)) = number(rest)
                && !is_counted(&rest[more..])
            {
                (clock.minute, sure, taken) = (minutes, true, taken + more);
            }
        }
        _ => {}
    }
    let (with_part, more) = of_part(clock, &words[taken..]);
    sure |= more > 0 && written != Written::Dot;
    let rest = &words[taken + more..];
    let ends = rest.is_empty() || tokens.get(taken + more).is_some_and(|next| next.apart);
    let accepted = match intro {
        _ if is_counted(rest) => false,
        _ if sure => true,
        Intro::Given => true,
        Intro::Strong => {
            !(written == Written::Word && rest.first().is_some_and(|next| next.ends_with("as")))
        }
        Intro::Weak => ends && written != Written::Dot,
        Intro::None => false,
    };
    accepted.then_some((with_part, taken + more))
}

fn glued(tokens: &[Token], at: usize) -> bool {
    matches!(&tokens[at..], [h, minutes, ..] if h.span.end == minutes.span.start)
}

/// Words for what is counted, so that the number before is no time.
fn is_counted(rest: &[&str]) -> bool {
    let Some(next) = rest.first() else {
        return false;
    };
    let units = unit(next).is_some() && *next != "h";
    units
        || matches!(
            *next,
            "people"
                | "personas"
                | "persons"
                | "euros"
                | "euro"
                | "eur"
                | "dollars"
                | "dolares"
                | "pounds"
                | "libras"
                | "usd"
                | "km"
                | "kms"
                | "kg"
                | "kilos"
                | "metros"
                | "meters"
                | "miles"
                | "percent"
                | "times"
                | "veces"
                | "€"
                | "grados"
                | "degrees"
                | "places"
                | "sitios"
                | "items"
                | "copies"
                | "copias"
                | "guests"
                | "invitados"
        )
}

fn of_part(clock: Clock, rest: &[&str]) -> (Clock, usize) {
    if let Some((half, more)) = match rest {
        ["am", ..] => Some((Half::Am, 1)),
        ["pm", ..] => Some((Half::Pm, 1)),
        ["in", "the", "morning", ..] => Some((Half::Am, 3)),
        _ => None,
    } {
        return (clock.said(half), more);
    }
    match part(rest) {
        Some((part, more)) if !matches!(rest, ["en" | "la" | "a", ..]) => {
            (clock.said(Half::Part(part)), more)
        }
        _ => (clock, 0),
    }
}

/// "Half past 8", "ten to nine", "at half eight".
fn past(words: &[&str], intro: Intro) -> Option<(Clock, usize)> {
    let (minutes, taken) = match words {
        ["half", "past", ..] => (30, 1),
        ["half", hour, ..] if intro != Intro::None => {
            let (hour @ 1..13, 1) = number(&[*hour])? else {
                return None;
            };
            return Some((open(hour, 30, 0), 2));
        }
        ["a", "quarter", ..] => (15, 2),
        ["quarter", ..] => (15, 1),
        _ => number(words).filter(|(minutes, _)| (1..60).contains(minutes))?,
    };
    let rest = match &words[taken..] {
        ["minutes", rest @ ..] => rest,
        rest => rest,
    };
    let skipped = words.len() - rest.len() + 1;
    let hour = number(rest.get(1..)?).filter(|(hour, _)| (1..=12).contains(hour));
    match *rest.first()? {
        "past" | "after" => {
            let (hour, more) = hour?;
            Some((open(hour, minutes, 0), skipped + more))
        }
        // "Five to nine" by itself is from five to nine.
        "to" | "before"
            if minutes % 5 == 0
                && (words[0].ends_with("quarter") || taken == 2 || intro == Intro::Strong) =>
        {
            let (hour, more) = hour?;
            Some((open(hour, 0, minutes), skipped + more))
        }
        _ => None,
    }
}

fn open(hour: u32, minute: u32, less: u32) -> Clock {
    Clock {
        hour,
        minute,
        less,
        half: Half::Open,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Colon,
    Dot,
    Digits,
    Word,
}

/// `17:30`, `17.30`, `17`, `cinco`: hour, minute, how many words.
fn numbers(words: &[&str]) -> Option<(u32, u32, usize, Written)> {
    let first = *words.first()?;
    let written = match first {
        first if first.contains(':') => Written::Colon,
        first if first.contains('.') => Written::Dot,
        first if first.starts_with(|c: char| c.is_ascii_digit()) => Written::Digits,
        _ => Written::Word,
    };
    let (hour, minute, taken) = match written {
        Written::Colon | Written::Dot => {
            let mut parts = first.splitn(3, [':', '.']);
            let (hour, minute) = (parts.next()?, parts.next()?);
            let seconds = parts.next().unwrap_or("00");
            if hour.len() > 2 || minute.len() != 2 || seconds.len() != 2 {
                return None;
            }
            (hour.parse().ok()?, minute.parse().ok()?, 1)
        }
        _ => number(words).map(|(hour, taken)| (hour, 0, taken))?,
    };
    ((hour < 24 || (hour, minute) == (24, 0)) && minute < 60 && first.len() < 12)
        .then_some((hour, minute, taken, written))
}

/// "De 10 a 12", "from 3 to 4pm", "9-11am": both times, and how many words.
pub(super) fn span(words: &[&str], tokens: &[Token]) -> Option<((Clock, Clock), usize)> {
    let (opener, opened) = match words {
        ["from" | "between" | "entre" | "desde" | "de", ..] => (1, true),
        _ => (0, false),
    };
    let (words, tokens) = (&words[opener..], &tokens[opener..]);
    let (said, skipped) = intro(words);
    joint(
        words,
        tokens,
        (opened, if opened { Intro::Given } else { said }),
        opener,
        skipped,
    )
}

/// "9-10" where a day comes before it.
pub(super) fn bare_span(words: &[&str], tokens: &[Token]) -> Option<((Clock, Clock), usize)> {
    joint(words, tokens, (true, Intro::Given), 0, 0)
}

/// Two times and what joins them.
fn joint(
    words: &[&str],
    tokens: &[Token],
    (opened, given): (bool, Intro),
    opener: usize,
    skipped: usize,
) -> Option<((Clock, Clock), usize)> {
    let rest = &words[skipped..];
    // Without a word that opens it, one of the two has to be a time by itself.
    let sure = body(rest, &tokens[skipped..], given);
    let (first, taken) = sure.or_else(|| body(rest, &tokens[skipped..], Intro::Given))?;
    let at = skipped + taken;
    let joined = match &words[at..] {
        ["to" | "a" | "-" | "until" | "till" | "hasta", ..] => 1,
        ["and" | "y", ..] if opened => 1,
        _ => return None,
    };
    let at = at + joined;
    let (second_said, skipped) = intro(&words[at..]);
    let at = at + skipped;
    let given = if opened || sure.is_some() {
        Intro::Given
    } else {
        second_said
    };
    let (second, taken) = body(&words[at..], &tokens[at..], given)?;
    Some(((first, second), opener + at + taken))
}

/// A time where only a time can follow.
pub(super) fn given(words: &[&str], tokens: &[Token]) -> Option<(Clock, usize)> {
    let (_, skipped) = intro(words);
    let (clock, taken) = body(&words[skipped..], &tokens[skipped..], Intro::Given)?;
    Some((clock, skipped + taken))
}
