//! Reads a file in chunks, and ahead of their use where that is worth a thread.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::channel;
use std::thread;

use memchr::memchr_iter;

use super::LogError;
use super::scan::{MAX_LINE, Stretch};

/// How much is read at once, in bytes: a chunk and what is carried into it stay within a core's cache.
const CHUNK: usize = 192 * 1024;
/// From how many bytes on a second thread reads ahead.
const READ_AHEAD: u64 = 8 * 1024 * 1024;
/// Chunks under way between the two threads.
const CHUNKS: usize = 3;

/// Bytes of a file, with room before them for the beginning of their first line.
#[derive(Debug)]
pub struct Chunk {
    buffer: Vec<u8>,
    length: usize,
    /// How many newlines are in it.
    pub newlines: u64,
}

impl Chunk {
    /// The chunk with `carry` (at most [`MAX_LINE`] bytes) before it.
    pub fn after(&mut self, carry: &[u8]) -> &[u8] {
        let start = MAX_LINE - carry.len();
        self.buffer[start..MAX_LINE].copy_from_slice(carry);
        &self.buffer[start..MAX_LINE + self.length]
    }

    fn empty() -> Self {
        Chunk {
            buffer: vec![0; MAX_LINE + CHUNK],
            length: 0,
            newlines: 0,
        }
    }

    /// Reads on at the beginning of `rest`, which it shortens; false at the end.
    fn fill(&mut self, file: &File, rest: &mut Stretch) -> io::Result<bool> {
        let left = rest.to.saturating_sub(rest.from);
        let room = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
        let buffer = &mut self.buffer[MAX_LINE..MAX_LINE + room];
        self.length = loop {
            match file.read_at(buffer, rest.from) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.newlines = memchr_iter(b'\n', &buffer[..self.length]).count() as u64;
        rest.from += self.length as u64;
        Ok(self.length > 0)
    }
}

/// Calls `take` with each chunk of `stretch`, in order, until the file ends or `take` fails.
///
/// # Errors
/// The file cannot be read, or what `take` failed with.
pub fn chunks(
    file: &File,
    stretch: Stretch,
    take: impl FnMut(&mut Chunk) -> Result<(), LogError>,
) -> Result<(), LogError> {
    match stretch.to.saturating_sub(stretch.from) {
        0 => Ok(()),
        READ_AHEAD.. => ahead(file, stretch, take),
        _ => in_turn(file, stretch, take),
    }
}

fn in_turn(
    file: &File,
    mut rest: Stretch,
    mut take: impl FnMut(&mut Chunk) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let mut chunk = Chunk::empty();
    while chunk.fill(file, &mut rest)? {
        take(&mut chunk)?;
    }
    Ok(())
}

/// A second thread reads and counts newlines while this one takes: copying out of the page cache costs as much
/// as searching.
fn ahead(
    file: &File,
    mut rest: Stretch,
    mut take: impl FnMut(&mut Chunk) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let (free, to_fill) = channel::<Chunk>();
    let (filled, to_take) = channel::<io::Result<Chunk>>();
    let fill = move || {
        // Ends with the file, or when nobody takes any more.
        while let Ok(mut chunk) = to_fill.recv() {
            let sent = match chunk.fill(file, &mut rest) {
                Ok(false) => return,
                Ok(true) => filled.send(Ok(chunk)),
                Err(error) => filled.send(Err(error)),
            };
            if sent.is_err() {
                return;
            }
        }
    };
    // By move: that the ends here are dropped on every way out is what ends the other thread.
    thread::scope(move |scope| {
        let reader = thread::Builder::new().name("log-reader".to_owned());
        if reader.spawn_scoped(scope, fill).is_err() {
            return in_turn(file, rest, take);
        }
        for _ in 0..CHUNKS {
            // The reader may have failed already: then its error is what comes next.
            let _ = free.send(Chunk::empty());
        }
        for chunk in to_take {
            let mut chunk = chunk?;
            take(&mut chunk)?;
            let _ = free.send(chunk);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(size: usize) {
        let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let path = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(&path, &bytes).expect("written");
        let file = File::open(&path).expect("opened");
        let stretch = Stretch {
            from: 5,
            to: size as u64,
            in_cut_line: false,
        };
        let (mut seen, mut newlines) = (Vec::new(), 0);
        chunks(&file, stretch, |chunk| {
            seen.extend_from_slice(chunk.after(b""));
            newlines += chunk.newlines;
            Ok(())
        })
        .expect("read");
        let expected = &bytes[5.min(size)..];
        assert_eq!(seen, expected);
        assert_eq!(newlines, memchr_iter(b'\n', expected).count() as u64);
        let mut taken = 0;
        let end = chunks(&file, stretch, |_| {
            taken += 1;
            Err(LogError::Cancelled)
        });
        assert_eq!(taken, usize::from(!expected.is_empty()));
        assert_eq!(end.is_err(), !expected.is_empty());
    }

    #[test]
    fn every_byte_comes_once_and_in_order_however_long_the_file() {
        for size in [
            0,
            5,
            6,
            CHUNK + 5,
            CHUNK + 6,
            3 * CHUNK,
            READ_AHEAD as usize + 12_345,
        ] {
            check(size);
        }
    }
}
