//! What travels over the socket: a kind (one byte), a length (four, the highest first), and so many bytes.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncRead, AsyncReadExt};

/// The most bytes that one frame carries.
pub(super) const MOST: usize = 1 << 20;

/// What a frame is.
///
/// The first frame of a client, [`Kind::Refused`] and the bytes of both never change: that is how two versions of the
/// program tell each other that they are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// From the client: what was typed, as JSON. The first frame, once.
    Request,
    /// From the client: some of its stdin; an empty one ends it.
    Stdin,
    /// For stdout.
    Out,
    /// For stderr.
    Err,
    /// A message of a run, for stdout: it is not delivered if that cannot be written.
    Message,
    /// What goes on now, for a spinner.
    Doing,
    /// What is done, for a line above the spinner.
    Done,
    /// The spinner goes.
    Still,
    /// The client is to send its stdin, up to so many bytes (eight, the highest first).
    WantStdin,
    /// Some of the file that the verb makes for the client.
    File,
    /// The file is whole.
    FileEnd,
    /// This daemon is not the one that is meant.
    Elsewhere,
    /// No: why, and what to do, as text.
    Refused,
    /// The exit code (one byte). The last frame.
    Exit,
}

const KINDS: [(Kind, u8); 14] = [
    (Kind::Request, b'q'),
    (Kind::Stdin, b'i'),
    (Kind::Out, b'o'),
    (Kind::Err, b'e'),
    (Kind::Message, b'm'),
    (Kind::Doing, b'd'),
    (Kind::Done, b'l'),
    (Kind::Still, b's'),
    (Kind::WantStdin, b'w'),
    (Kind::File, b'f'),
    (Kind::FileEnd, b'g'),
    (Kind::Elsewhere, b'n'),
    (Kind::Refused, b'r'),
    (Kind::Exit, b'x'),
];

/// One message between client and daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

impl Frame {
    /// At most [`MOST`] bytes.
    pub(super) fn new(kind: Kind, bytes: impl Into<Vec<u8>>) -> Self {
        Frame {
            kind,
            bytes: bytes.into(),
        }
    }

    /// Adds it to `to` as it travels.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        let kind = KINDS.iter().find(|(kind, _)| *kind == self.kind);
        let (_, letter) = kind.expect("every kind has its letter");
        let length = u32::try_from(self.bytes.len()).expect("a frame is small");
        to.push(*letter);
        to.extend(length.to_be_bytes());
        to.extend(&self.bytes);
    }

    /// The next frame; `None` where the other side has ended between two.
    ///
    /// # Errors
    /// What arrives is none, or one that is too large.
    pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<Option<Self>> {
        let letter = match from.read_u8().await {
            Ok(letter) => letter,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        };
        let wrong = |what: &str| Error::new(ErrorKind::InvalidData, what.to_owned());
        let kind = KINDS.iter().find(|(_, known)| *known == letter);
        let (kind, _) = kind.ok_or_else(|| wrong("no such frame"))?;
        let length = from.read_u32().await? as usize;
        if length > MOST {
            return Err(wrong("a frame that is too large"));
        }
        let mut bytes = vec![0; length];
        from.read_exact(&mut bytes).await?;
        Ok(Some(Frame { kind: *kind, bytes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_frame_arrives_as_it_was_sent() {
        let mut bytes = Vec::new();
        for (kind, _) in KINDS {
            Frame::new(kind, "text").write(&mut bytes);
        }
        let mut from = &bytes[..];
        for (kind, _) in KINDS {
            let frame = Frame::read(&mut from).await.unwrap();
            assert_eq!(frame, Some(Frame::new(kind, "text")));
        }
        assert_eq!(Frame::read(&mut from).await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_is_none_is_refused_before_there_is_memory_for_it() {
        for bytes in [&b"z\0\0\0\0"[..], b"o\xff\xff\xff\xff", b"o\0\0\0\x05four"] {
            let mut from = bytes;
            assert!(Frame::read(&mut from).await.is_err(), "{bytes:?}");
        }
    }
}
