//! Gives memory back that only a start or a reload needed. The one place with `unsafe`: its three calls have no safe form.
//!
//! The kernel maps sixteen pages for each that a start touches, and keeps them until memory is short: most of the program
//! is mapped then, though a daemon at rest uses a seventh of it. And the allocator keeps what it once had. On a machine whose
//! memory belongs to a language model neither should stay.

use std::fs;
use std::ops::Range;

use rustix::mm::{Advice, madvise};

/// Gives free memory back that the allocator kept.
#[expect(unsafe_code, reason = "mi_collect is a C function")]
pub fn trim() {
    // SAFETY: it is thread-safe and has no preconditions.
    unsafe {
        libmimalloc_sys::mi_collect(true);
    }
}

/// mimalloc's `mi_option_purge_delay`, in milliseconds; the bindings have no name for it.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// From now on the allocator gives back what has been free for ten milliseconds, and not only after a second: a burst would keep
/// whatever each of its moments took. At once would cost an event a tenth more.
#[expect(unsafe_code, reason = "mi_option_set_default is a C function")]
pub fn hasten() {
    // SAFETY: the option exists, and it takes any number. What the environment says of it stays.
    unsafe {
        libmimalloc_sys::mi_option_set_default(PURGE_DELAY, 10);
    }
}

/// Unmaps the pages of the program's own files that hold nothing but what the files hold: what is needed again is mapped again,
/// from the system's cache of the file.
#[expect(unsafe_code, reason = "there is no safe way to unmap pages")]
pub fn unmap() {
    let Ok(mappings) = fs::read_to_string("/proc/self/smaps") else {
        return;
    };
    for range in unchanged(&mappings) {
        let address = std::ptr::with_exposed_provenance_mut(range.start);
        // SAFETY: a mapping of a file that cannot be written through and holds no page of its own is the same after it.
        // One that was made or went since it was read is not ours to name: none of the process's files are mapped later
        // but by SQLite, which maps writable ones, and none is unmapped.
        let _ = unsafe { madvise(address, range.len(), Advice::LinuxDontNeed) };
    }
}

/// The address ranges, of a text as in proc_pid_smaps(5), of mappings that are a file's, are not writable and hold no anonymous
/// page: code and constants, but not what the loader relocated.
fn unchanged(mappings: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut last = None;
    for line in mappings.lines() {
        if let Some(head) = head(line) {
            last = head;
        } else if let Some(anonymous) = line.strip_prefix("Anonymous:")
            && anonymous.split_whitespace().next() == Some("0")
        {
            found.extend(last.take());
        }
    }
    found
}

/// `Some` where a mapping begins: its range, if it is of a file and not writable.
fn head(line: &str) -> Option<Option<Range<usize>>> {
    let mut parts = line.split_ascii_whitespace();
    let (from, to) = parts.next()?.split_once('-')?;
    let [from, to] = [from, to].map(|text| usize::from_str_radix(text, 16).ok());
    let range = from?..to?;
    let permissions = parts.next()?;
    let inode = parts.nth(2)?;
    let plain = permissions.starts_with('r') && !permissions.contains('w') && inode != "0";
    Some(plain.then_some(range))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPPINGS: &str = "\
00400000-00500000 r--p 00000000 fe:00 77   /usr/bin/reveille
Rss:                 900 kB
Anonymous:             0 kB
VmFlags: rd mr mw me
00500000-00f00000 r-xp 00100000 fe:00 77   /usr/bin/reveille
Anonymous:             0 kB
00f00000-01000000 r--p 00b00000 fe:00 77   /usr/bin/reveille
Anonymous:           900 kB
01000000-01001000 rw-p 00c00000 fe:00 77   /usr/bin/reveille
Anonymous:             0 kB
7f0000000000-7f0000001000 r-xp 00000000 00:00 0   [vdso]
Anonymous:             0 kB
";

    #[test]
    fn only_code_and_constants_are_given_back() {
        let given: Vec<_> = vec![0x40_0000..0x50_0000, 0x50_0000..0xf0_0000];
        assert_eq!(unchanged(MAPPINGS), given);
    }

    #[test]
    #[expect(unsafe_code, reason = "mi_option_get is a C function")]
    fn the_option_is_the_one_that_is_meant() {
        // SAFETY: it only reads a number.
        let delay = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert_eq!(delay(), 1000, "another version has another number for it");
        hasten();
        assert_eq!(delay(), 10);
    }

    #[test]
    fn the_program_goes_on_after_it() {
        let kept: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
        trim();
        unmap();
        assert_eq!(kept.concat().len(), 2890);
        assert!(!unchanged(&fs::read_to_string("/proc/self/smaps").unwrap()).is_empty());
    }
}
