//! Text made plain for matching: lower case, without accents, one ASCII byte a character.

use std::ops::Range;

/// Folded text that knows where each byte came from.
pub(super) struct Folded {
    bytes: Vec<u8>,
    origins: Vec<usize>,
}

/// Stands where something has been read already.
const MASK: u8 = b'~';

impl Folded {
    pub fn new(text: &str) -> Self {
        let mut folded = Folded {
            bytes: Vec::with_capacity(text.len()),
            origins: Vec::with_capacity(text.len() + 1),
        };
        for (origin, c) in text.char_indices() {
            if let Some(byte) = fold(c) {
                folded.bytes.push(byte);
                folded.origins.push(origin);
            }
        }
        folded.origins.push(text.len());
        folded
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("folding gives ASCII")
    }

    /// Hides a part from later rules.
    pub fn mask(&mut self, part: Range<usize>) {
        self.bytes[part].fill(MASK);
    }

    /// Where a part of the folded text lies in the original.
    pub fn origin(&self, part: &Range<usize>) -> Range<usize> {
        self.origins[part.start]..self.origins[part.end]
    }
}

fn fold(c: char) -> Option<u8> {
    Some(match c {
        'º' | 'ª' => b'^',
        '°' => b'*',
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{feff}' => return None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' => b'-',
        '‘' | '’' | '`' | '´' => b'\'',
        '~' => b' ',
        '０'..='９' => b'0' + u8::try_from(u32::from(c) - u32::from('０')).unwrap_or(0),
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'Á' | 'À' | 'Â' | 'Ä' | 'Ã' => b'a',
        'é' | 'è' | 'ê' | 'ë' | 'É' | 'È' | 'Ê' | 'Ë' => b'e',
        'í' | 'ì' | 'î' | 'ï' | 'Í' | 'Ì' | 'Î' | 'Ï' => b'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'Ó' | 'Ò' | 'Ô' | 'Ö' | 'Õ' => b'o',
        'ú' | 'ù' | 'û' | 'ü' | 'Ú' | 'Ù' | 'Û' | 'Ü' => b'u',
        'ñ' | 'Ñ' => b'n',
        'ç' | 'Ç' => b'c',
        '\n' => b'\n',
        c if c.is_ascii() => u8::try_from(c).unwrap_or(b' ').to_ascii_lowercase(),
        c if c.is_whitespace() => b' ',
        c if c.is_alphanumeric() => b'x',
        _ => b'?',
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_kept() {
        let text = "Mañana – 10:15 h";
        let folded = Folded::new(text);
        assert_eq!(folded.as_str(), "manana - 10:15 h");
        let place = folded.as_str().find("10:15").unwrap();
        assert_eq!(&text[folded.origin(&(place..place + 5))], "10:15");
        assert_eq!(Folded::new("man\u{303}ana９").as_str(), "manana9");
    }
}
