//! Two hashes: one that is written down, and one for lines alike but for their digits.

pub use crate::hash::fnv1a;

/// A hash that is the same for lines alike but for runs of digits; for this process only.
///
/// It makes the tree's work unnecessary for most lines, so it goes over them in words of 8 bytes.
pub fn shape(line: &[u8]) -> u64 {
    let mut hash = 0;
    let mut rest = line;
    while !rest.is_empty() {
        let text = run(rest, |byte| !byte.is_ascii_digit());
        let mut words = rest[..text].chunks_exact(8);
        for word in words.by_ref() {
            hash = mix(hash, u64::from_le_bytes(word.try_into().expect("8 bytes")));
        }
        let tail = words.remainder();
        let tail = tail
            .iter()
            .fold(1, |word, &byte| word << 8 | u64::from(byte));
        let digits = run(&rest[text..], |byte| byte.is_ascii_digit());
        hash = mix(hash, tail << 1 | u64::from(digits > 0));
        rest = &rest[text + digits..];
    }
    hash
}

fn run(bytes: &[u8], within: impl Fn(&u8) -> bool) -> usize {
    bytes
        .iter()
        .position(|byte| !within(byte))
        .unwrap_or(bytes.len())
}

fn mix(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash ^ word ^ 0xa076_1d64_78bd_642f) * 0xe703_7ed1_a0b4_28db;
    (product as u64) ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_have_one_shape_if_alike_but_for_digits() {
        let check = |one: &str, other: &str, alike| {
            let shapes = [one, other].map(|line| super::shape(line.as_bytes()));
            assert_eq!(shapes[0] == shapes[1], alike, "{one} and {other}");
        };
        check(
            "took 5 ms of 20 allowed",
            "took 12345 ms of 1 allowed",
            true,
        );
        check("1 a", "22 a", true);
        check("a 1", "a 222222222222", true);
        check("a1", "a", false);
        check("a1b", "ab", false);
        check("a12345678", "b12345678", false);
        check(
            "a longer line than a word 1",
            "a longer line than a wort 1",
            false,
        );
        check("", "1", false);
    }
}
