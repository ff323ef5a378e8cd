//! Prints what the daemon says, on a thread of its own: a terminal or a pipe that is slow holds up nobody else.

use std::io::{self, ErrorKind, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use super::frame::{Frame, Kind};
use crate::cli::spinner::Bar;
use crate::error::Error;
use crate::store::Incoming;

/// Why a message could not be printed, where one could not.
type Unwritten = Option<io::Error>;

/// Prints what is sent to it, until that ends. `file` is what the verb makes.
pub(super) fn start(
    file: Option<Incoming>,
) -> (Sender<Frame>, JoinHandle<Result<Unwritten, Error>>) {
    let (sender, frames) = channel();
    (sender, thread::spawn(move || print(&frames, file)))
}

fn print(frames: &Receiver<Frame>, mut file: Option<Incoming>) -> Result<Unwritten, Error> {
    let mut bar = None;
    let mut unwritten = None;
    for frame in frames {
        let bytes = &frame.bytes[..];
        let text = String::from_utf8_lossy(bytes);
        match frame.kind {
            // A closed pipe, as everywhere, is the reader's word that it has enough.
            Kind::Out => drop(write(&mut io::stdout(), bytes)),
            Kind::Err => drop(write(&mut io::stderr(), bytes)),
            Kind::Message => match write(&mut io::stdout(), bytes) {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => unwritten = Some(error),
                _ => {}
            },
            Kind::Doing => bar.get_or_insert_with(Bar::new).doing(text.into_owned()),
            Kind::Done => bar.get_or_insert_with(Bar::new).done(&text),
            Kind::Still => bar.iter().for_each(Bar::clear),
            Kind::File => {
                if let Some(file) = &mut file {
                    file.write(bytes)?;
                }
            }
            Kind::FileEnd => {
                if let Some(file) = file.take() {
                    file.publish()?;
                }
            }
            // Not for people.
            _ => {}
        }
    }
    Ok(unwritten)
}

fn write(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).and_then(|()| to.flush())
}
