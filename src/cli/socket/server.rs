//! The daemon's side: clients are let in, and their verbs run.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::frame::{Frame, Kind};
use super::{Output, Place, Request, VERSION};
use crate::cli::context::{Context, Lent};
use crate::cli::out::{Stream, Terminal, with};
use crate::cli::{Cli, execute};
use crate::clock::{Clock, timeout};
use crate::config::folder::Folder;
use crate::error::ErrorKind;

/// How many clients at once.
const CLIENTS: usize = 32;

/// How long a client may take to say what it wants.
const FIRST: Duration = Duration::from_secs(5);

/// The most bytes of what a client wants.
const MOST_WANTED: usize = 768 << 10;

/// The wait after a client could not be let in: no descriptors, most likely.
const BREATH: Duration = Duration::from_millis(200);

/// Lets clients in until `shutdown` completes, then waits for those that are being served. `verb` runs on a thread of its
/// own for each, and gives the exit code.
pub async fn serve(
    place: Place,
    clock: Arc<dyn Clock>,
    verb: impl Fn(Request, Output) -> u8 + Send + Sync + 'static,
    shutdown: impl Future<Output = ()>,
) {
    let (seats, verb) = (Arc::new(Semaphore::new(CLIENTS)), Arc::new(verb));
    let mut served = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let client = tokio::select! {
            client = place.listener.accept() => client,
            _ = served.join_next(), if !served.is_empty() => continue,
            () = &mut shutdown => break,
        };
        let Ok((client, _)) = client else {
            clock.sleep(BREATH).await;
            continue;
        };
        let (clock, verb) = (Arc::clone(&clock), Arc::clone(&verb));
        let seat = Arc::clone(&seats).try_acquire_owned();
        served.spawn(async move {
            match seat {
                Ok(_seat) => converse(client, clock, verb).await,
                Err(_) => {
                    let full = format!("{CLIENTS} others speak with the daemon already");
                    refuse(client, &format!("{full}\nhint: try it again in a moment")).await;
                }
            }
        });
    }
    drop(place);
    while served.join_next().await.is_some() {}
}

async fn converse(
    mut client: UnixStream,
    clock: Arc<dyn Clock>,
    verb: Arc<impl Fn(Request, Output) -> u8 + Send + Sync + 'static>,
) {
    let first = timeout(clock.as_ref(), FIRST, Frame::read(&mut client)).await;
    let Ok(Ok(Some(first))) = first else { return };
    let request = match understand(&first) {
        Ok(request) => request,
        Err(why) => return refuse(client, &why).await,
    };
    let (output, served) = Output::new(request.terminal, client.into_split(), clock);
    let run = tokio::task::spawn_blocking(move || {
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            with(output.clone(), || verb(request, output.clone()))
        }));
        let code = ran.unwrap_or_else(|_| {
            let said = b"bug: the verb ended in the middle; the daemon's journal says where\n";
            output.say(Stream::Err, said);
            ErrorKind::Bug.exit_code()
        });
        output.frame(Kind::Exit, &[code]);
    });
    served.await;
    // The seat is taken for as long as the verb goes on, whether or not anybody listens.
    let _ = run.await;
}

/// What the first frame says, or why it is not served.
fn understand(first: &Frame) -> Result<Request, String> {
    let what = "this is no command of reveille";
    if first.kind != Kind::Request {
        return Err(what.to_owned());
    }
    if first.bytes.len() > MOST_WANTED {
        let kib = MOST_WANTED >> 10;
        let what = format!("what was typed is longer than the {kib} KiB that a daemon takes");
        return Err(format!(
            "{what}\nhint: give a file, as with `--data @FILE`, or pipe it in"
        ));
    }
    let asked: serde_json::Value =
        serde_json::from_slice(&first.bytes).map_err(|_| what.to_owned())?;
    let version = asked["version"].as_str().unwrap_or("unknown");
    if version != VERSION {
        let what = format!("the daemon is version {VERSION}, this command is {version}");
        let hint = "restart the daemon, as with `systemctl restart reveille`";
        return Err(format!("{what}\nhint: {hint}"));
    }
    serde_json::from_value(asked).map_err(|error| format!("{what}: {error}"))
}

async fn refuse(mut client: UnixStream, why: &str) {
    let mut bytes = Vec::new();
    Frame::new(Kind::Refused, why).write(&mut bytes);
    // It fits into the socket's buffer, or nobody reads it.
    let _ = client.write_all(&bytes).await;
}

/// Runs the verb that `request` names, with what the daemon lends to it; gives the exit code.
pub fn answer(lent: &Lent, request: Request, output: &Output) -> u8 {
    let elsewhere = |meant: &Option<std::ffi::OsString>, own: Option<&Path>| {
        let meant = meant.as_ref().map(PathBuf::from);
        meant.is_some_and(|meant| own.and_then(|own| own.canonicalize().ok()) != Some(meant))
    };
    let folder = match &lent.folder {
        Folder::Disk(root) => Some(root.as_path()),
        Folder::Embedded => None,
    };
    if elsewhere(&request.folder, folder) || elsewhere(&request.state, Some(&lent.state)) {
        output.frame(Kind::Elsewhere, &[]);
        return 0;
    }
    let words = [std::ffi::OsString::from("reveille")];
    let said = |text: &str| output.say(Stream::Err, text.as_bytes());
    let cli = match Cli::try_parse_from(words.into_iter().chain(request.words)) {
        Ok(cli) => cli,
        Err(error) => {
            said(&error.to_string());
            return ErrorKind::Usage.exit_code();
        }
    };
    let context = Context::lent(lent.clone(), PathBuf::from(request.from));
    match execute(&context, &cli.command) {
        Ok(code) => code,
        Err(error) => {
            said(&format!("error: {error}\n"));
            error.kind.exit_code()
        }
    }
}

/// Runs a verb as if its owner had typed it, and gives what it says on both streams; the exit code is in the words.
pub async fn overhear(lent: Lent, words: Vec<String>) -> String {
    let Ok((theirs, mut ours)) = UnixStream::pair() else {
        return "the daemon has no descriptors left".to_owned();
    };
    let terminal = Terminal {
        stdin: true,
        stdout: false,
        stderr: false,
        colours: false,
    };
    let (output, served) = Output::new(terminal, theirs.into_split(), Arc::clone(&lent.clock));
    let run = tokio::task::spawn_blocking(move || {
        with(output.clone(), || verb(&lent, words, &output));
        output.frame(Kind::Exit, &[]);
    });
    let heard = async {
        let mut said = Vec::new();
        while let Ok(Some(frame)) = Frame::read(&mut ours).await {
            match frame.kind {
                Kind::Exit => break,
                Kind::Out | Kind::Err | Kind::Message => said.extend(frame.bytes),
                _ => {}
            }
        }
        drop(ours);
        said
    };
    let (said, ..) = tokio::join!(heard, served, run);
    String::from_utf8_lossy(&said).into_owned()
}

fn verb(lent: &Lent, words: Vec<String>, output: &Output) {
    let said = |text: &str| output.say(Stream::Err, text.as_bytes());
    match Cli::try_parse_from(std::iter::once("reveille".to_owned()).chain(words)) {
        Ok(cli) => {
            let context = Context::lent(lent.clone(), PathBuf::new());
            if let Err(error) = execute(&context, &cli.command) {
                said(&error.to_string());
            }
        }
        Err(error) => said(&error.to_string()),
    }
}
