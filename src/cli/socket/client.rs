//! The side of the one who types: a daemon is looked for, and what it says is printed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::frame::{Frame, Kind};
use super::{Request, VERSION, place, printer};
use crate::cli::by_hand::told_to_end;
use crate::cli::context::{absolute, default_state};
use crate::cli::out::{Terminal, errln};
use crate::cli::paint::Paint;
use crate::cli::{Cli, Command};
use crate::clock::{Clock, Sleep, SystemClock};
use crate::error::{Error, ErrorKind};
use crate::store::Incoming;

/// How long the daemon has to say how it ended what the person stopped.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The most of stdin that one frame carries.
const PIECE: usize = 64 << 10;

/// Runs what was typed in the daemon, where one runs that is meant; gives the exit code, or `None`: it is to be run here.
///
/// `--now` always runs here: a daemon's clock is not to be changed.
///
/// # Errors
/// The daemon may not be spoken with, does not understand, or ends in the middle.
pub fn through(cli: &Cli) -> Result<Option<u8>, Error> {
    if cli.now.is_some() {
        return Ok(None);
    }
    let state = cli.state.clone().map(absolute);
    let Some(stream) = find(&state.clone().unwrap_or_else(default_state))? else {
        return Ok(None);
    };
    let folder = match &cli.dir {
        Some(dir) => Some(dir.clone()),
        None if cli.state.is_none() && Path::new("jobs").is_dir() => Some(PathBuf::from(".")),
        None => None,
    };
    let canonical = |path: PathBuf| fs::canonicalize(&path).unwrap_or(path).into_os_string();
    let request = Request {
        version: VERSION.to_owned(),
        words: std::env::args_os().skip(1).collect(),
        folder: folder.map(canonical),
        state: state.map(canonical),
        from: std::env::current_dir().unwrap_or_default().into_os_string(),
        terminal: Terminal::detect(),
    };
    let files = Files::of(&cli.command)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Error::bug(format!("cannot start: {error}")))?;
    runtime.block_on(speak(stream, &request, files))
}

/// The files that the person named: they are this process's, for the daemon's rights reach further.
struct Files {
    /// What the verb makes.
    made: Option<Incoming>,
    /// What the verb reads.
    read: Option<File>,
}

impl Files {
    fn of(command: &Command) -> Result<Self, Error> {
        let (mut made, mut read) = (None, None);
        match command {
            Command::Backup(arguments) => made = Some(Incoming::create(&arguments.file)?),
            Command::Emit(arguments) => {
                let cannot = |path: &Path, error| {
                    Error::usage(format!("cannot read {}: {error}", path.display()))
                };
                let open = |path| File::open(path).map_err(|error| cannot(path, error));
                read = arguments.file().map(open).transpose()?;
            }
            _ => {}
        }
        Ok(Files { made, read })
    }
}

/// A daemon that listens.
fn find(state: &Path) -> Result<Option<StdStream>, Error> {
    let mut forbidden = None;
    for path in place::candidates(state) {
        match place::connect(&path) {
            Ok(stream) => return Ok(Some(stream)),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                forbidden.get_or_insert(path);
            }
            // Nobody is there, or not any more.
            Err(_) => {}
        }
    }
    let Some(path) = forbidden else {
        return Ok(None);
    };
    let what = format!(
        "a daemon runs, and you may not speak with it ({})",
        path.display()
    );
    let hint = "join its group with `sudo adduser $USER reveille`, then log in again";
    Err(Error::usage(what).hint(hint))
}

/// Sends what is wanted and prints what comes back, until there is an exit code.
async fn speak(stream: StdStream, request: &Request, files: Files) -> Result<Option<u8>, Error> {
    let lost = |error: io::Error| Error::job(format!("cannot speak with the daemon: {error}"));
    stream.set_nonblocking(true).map_err(lost)?;
    let (mut hear, mut write) = UnixStream::from_std(stream).map_err(lost)?.into_split();
    let wanted = serde_json::to_vec(request)
        .map_err(|error| Error::bug(format!("what was typed cannot be sent: {error}")))?;
    // A daemon that does not listen to the end has said why.
    let _ = send(&mut write, Frame::new(Kind::Request, wanted)).await;
    let (arrived, mut frames) = unbounded_channel();
    // Whatever the person's own reader does, the daemon never waits for it.
    tokio::spawn(async move {
        while let Ok(Some(frame)) = Frame::read(&mut hear).await {
            let _ = arrived.send(frame);
        }
    });
    let (piped, mut stdin) = unbounded_channel();
    let mut read = files.read;
    let (printer, printed) = printer::start(files.made);
    let clock = SystemClock::default();
    let mut told = Box::pin(told_to_end());
    let mut too_long: Sleep = Box::pin(std::future::pending());
    let mut hung_up = false;
    let end = loop {
        let frame = tokio::select! {
            frame = frames.recv() => frame,
            Some(frame) = stdin.recv() => {
                let _ = send(&mut write, frame).await;
                continue;
            }
            () = &mut told => {
                if hung_up {
                    break Err(Error::job("stopped"));
                }
                hung_up = true;
                told = Box::pin(told_to_end());
                too_long = clock.sleep(LAST_WORDS);
                let _ = write.shutdown().await;
                continue;
            }
            () = &mut too_long => break Err(Error::job("stopped")),
        };
        let Some(frame) = frame else {
            let hint = "`reveille history` tells what became of a run";
            break Err(Error::job("the daemon ended before this command did").hint(hint));
        };
        match frame.kind {
            Kind::Exit => break Ok(frame.bytes.first().copied()),
            Kind::Elsewhere => break Ok(None),
            Kind::Refused => break Err(Error::usage(String::from_utf8_lossy(&frame.bytes))),
            Kind::WantStdin => {
                let most = frame.bytes.try_into().map_or(0, u64::from_be_bytes);
                let piped = piped.clone();
                let read: Box<dyn Read + Send> = match read.take() {
                    Some(file) => Box::new(file),
                    None => Box::new(io::stdin()),
                };
                // It may wait for ever, and ends with the process.
                thread::spawn(move || send_all(read.take(most), &piped));
            }
            _ => {
                let _ = printer.send(frame);
            }
        }
    };
    drop(printer);
    let printed = printed.join().unwrap_or(Ok(None));
    match (end?, printed?) {
        (Some(_), Some(unwritten)) => {
            let error = Paint::of(request.terminal).error("error");
            errln!("{error}: not delivered: stdout: {unwritten}");
            Ok(Some(ErrorKind::Job.exit_code()))
        }
        (code, _) => Ok(code),
    }
}

async fn send(to: &mut OwnedWriteHalf, frame: Frame) -> io::Result<()> {
    let mut bytes = Vec::new();
    frame.write(&mut bytes);
    to.write_all(&bytes).await
}

/// Sends what can be read, and an empty frame at its end.
fn send_all(mut from: impl Read, piped: &UnboundedSender<Frame>) {
    let mut piece = vec![0; PIECE];
    loop {
        // What cannot be read has ended.
        let read = from.read(&mut piece).unwrap_or(0);
        let sent = piped.send(Frame::new(Kind::Stdin, &piece[..read]));
        if read == 0 || sent.is_err() {
            return;
        }
    }
}
