//! The daemon's end of one client: what a verb says, and what it asks.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use super::frame::{Frame, Kind};
use crate::cli::out::{Stream, Terminal};
use crate::clock::{Clock, timeout};

/// How many bytes may be on their way before a verb has to wait for its client.
const ON_THE_WAY: usize = 1 << 20;

/// What a client reads nothing for this long is gone: it reads whether or not its own reader does.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most of what a verb says that one frame carries.
const PIECE: usize = 64 << 10;

/// Where a verb's words go: to a client. Clones are the same client.
#[derive(Debug, Clone)]
pub struct Output {
    shared: Arc<Shared>,
    frames: UnboundedSender<Frame>,
}

#[derive(Debug)]
struct Shared {
    terminal: Terminal,
    on_the_way: Mutex<OnTheWay>,
    room: Condvar,
    /// `true` once the client has hung up.
    hung_up: watch::Sender<bool>,
    stdin: Mutex<mpsc::Receiver<Vec<u8>>>,
    /// How much of its stdin the client may send; 0 while nobody asked.
    asked: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct OnTheWay {
    bytes: usize,
    /// Nobody reads any more.
    nobody: bool,
}

impl Output {
    /// A client that has said what it wants; its halves are served until the last clone is gone, which the future tells.
    pub(super) fn new(
        terminal: Terminal,
        (read, write): (OwnedReadHalf, OwnedWriteHalf),
        clock: Arc<dyn Clock>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (frames, outgoing) = unbounded_channel();
        let (stdin, arrived) = mpsc::channel();
        let shared = Arc::new(Shared {
            terminal,
            on_the_way: Mutex::default(),
            room: Condvar::new(),
            hung_up: watch::Sender::new(false),
            stdin: Mutex::new(arrived),
            asked: watch::Sender::new(0),
        });
        let carried = Arc::clone(&shared);
        let listener = Arc::clone(&shared);
        let served = async move {
            // However this ends: nobody waits for a client that nobody serves.
            let _unserved = Unserved(&carried);
            let listening = async move {
                listener.listen(read, &stdin).await;
                listener.hung_up.send_replace(true);
                drop(stdin);
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = carried.carry(outgoing, write, clock.as_ref()) => {}
                () = listening => {}
            }
        };
        (Output { shared, frames }, served)
    }

    /// What the person's streams are.
    pub fn terminal(&self) -> Terminal {
        self.shared.terminal
    }

    /// Completes when the client has hung up, or is gone.
    pub async fn hung_up(&self) {
        let mut hung_up = self.shared.hung_up.subscribe();
        // It cannot be closed: its sender is in here.
        let _ = hung_up.wait_for(|hung_up| *hung_up).await;
    }

    /// Some words.
    pub fn say(&self, stream: Stream, text: &[u8]) {
        let kind = match stream {
            Stream::Out => Kind::Out,
            Stream::Err => Kind::Err,
        };
        self.pieces(kind, text);
    }

    /// A message of a run.
    pub fn message(&self, text: &[u8]) {
        self.pieces(Kind::Message, text);
    }

    /// What the client was piped, `most` bytes of it. The thread waits for it.
    ///
    /// # Errors
    /// The client went away.
    pub fn stdin(&self, most: u64) -> io::Result<Vec<u8>> {
        self.shared.asked.send_replace(most);
        self.frame(Kind::WantStdin, &most.to_be_bytes());
        let stdin = self.shared.stdin.lock();
        let arrived = stdin.expect("one thread asks").recv();
        arrived.map_err(|_| io::Error::other("the one who typed went away"))
    }

    /// The file that the verb makes for the client.
    ///
    /// # Errors
    /// `made` cannot be read; the client has no file then.
    pub fn file(&self, made: &Path) -> io::Result<()> {
        let mut made = File::open(made)?;
        let mut piece = vec![0; PIECE];
        loop {
            let read = made.read(&mut piece)?;
            if read == 0 {
                break;
            }
            self.frame(Kind::File, &piece[..read]);
        }
        self.frame(Kind::FileEnd, &[]);
        Ok(())
    }

    /// Shows what goes on now.
    pub fn doing(&self, what: &str) {
        self.frame(Kind::Doing, what.as_bytes());
    }

    /// Shows a line about what is done.
    pub fn done(&self, line: &str) {
        self.frame(Kind::Done, line.as_bytes());
    }

    /// Takes away what is shown.
    pub fn still(&self) {
        self.frame(Kind::Still, &[]);
    }

    fn pieces(&self, kind: Kind, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            self.frame(kind, piece);
        }
    }

    /// Sends a frame; waits where too much is on its way. What a client that is gone would have had is dropped.
    pub(super) fn frame(&self, kind: Kind, bytes: &[u8]) {
        let mut on_the_way = self.shared.lock();
        while on_the_way.bytes > ON_THE_WAY && !on_the_way.nobody {
            on_the_way = self.shared.wait(on_the_way);
        }
        if !on_the_way.nobody {
            on_the_way.bytes += bytes.len();
            drop(on_the_way);
            let _ = self.frames.send(Frame::new(kind, bytes));
        }
    }
}

/// Dropped when a client is not served any more.
struct Unserved<'a>(&'a Shared);

impl Drop for Unserved<'_> {
    fn drop(&mut self) {
        self.0.lock().nobody = true;
        self.0.room.notify_all();
        self.0.hung_up.send_replace(true);
    }
}

impl Shared {
    /// Brings frames to the client until there are none any more, or nobody takes them.
    async fn carry(
        &self,
        mut frames: UnboundedReceiver<Frame>,
        mut write: OwnedWriteHalf,
        clock: &dyn Clock,
    ) {
        let (mut some, mut bytes) = (Vec::new(), Vec::new());
        while frames.recv_many(&mut some, 64).await > 0 {
            let mut carried = 0;
            for frame in some.drain(..) {
                carried += frame.bytes.len();
                frame.write(&mut bytes);
            }
            let written = timeout(clock, PATIENCE, write.write_all(&bytes)).await;
            bytes.clear();
            let mut on_the_way = self.lock();
            on_the_way.bytes -= carried;
            on_the_way.nobody = !matches!(written, Ok(Ok(())));
            let nobody = on_the_way.nobody;
            drop(on_the_way);
            self.room.notify_all();
            if nobody {
                return;
            }
        }
    }

    /// Hears what the client sends; ends when it hangs up, or sends what nobody asked for.
    async fn listen(&self, mut read: OwnedReadHalf, stdin: &mpsc::Sender<Vec<u8>>) {
        let mut bytes = Vec::new();
        while let Ok(Some(frame)) = Frame::read(&mut read).await {
            let more = bytes.len() + frame.bytes.len();
            if frame.kind != Kind::Stdin || more as u64 > *self.asked.borrow() {
                return;
            }
            if frame.bytes.is_empty() {
                self.asked.send_replace(0);
                let _ = stdin.send(std::mem::take(&mut bytes));
            } else {
                bytes.extend(frame.bytes);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, OnTheWay> {
        let lock = self.on_the_way.lock();
        lock.expect("nothing panics while it counts bytes")
    }

    fn wait<'l>(&self, lock: MutexGuard<'l, OnTheWay>) -> MutexGuard<'l, OnTheWay> {
        let woken = self.room.wait(lock);
        woken.expect("nothing panics while it counts bytes")
    }
}
