//! The listener: where it is, whom it lets in, how it ends.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::hook::{NOT_OURS, Peer, hook, refuse};
use super::news::news;
use super::{Web, host, wanted};
use crate::clock::timeout;
use crate::journal::{self, Level};

/// How many connections at once; more wait to be let in.
const CONNECTIONS: usize = 512;

/// How long a connection may be silent, and a request's head may take.
const HEAD: Duration = Duration::from_secs(15);

/// The wait before an address is tried again, and after a connection could not be taken.
const AGAIN: [Duration; 2] = [Duration::from_secs(5), Duration::from_millis(200)];

/// How long requests that are under way have to be answered when the listener goes.
const LAST: Duration = Duration::from_secs(5);

/// The listener of one daemon: where the configuration wants it, for as long as it does.
#[derive(Debug)]
pub struct Listener {
    web: Arc<Web>,
    /// Where it was wanted when it was opened.
    first: Option<(SocketAddr, TcpListener)>,
    at: watch::Sender<Option<SocketAddr>>,
    /// Why it cannot be had, once that is said.
    said: Option<String>,
}

impl Listener {
    /// Listens, if anything wants it to; that the address cannot be had is said, and it is tried again later.
    pub async fn open(web: Web) -> Self {
        let web = Arc::new(web);
        let mut said = None;
        let first = match wanted(&web.intake.loaded()) {
            Some(address) => bind(address, &mut said)
                .await
                .map(|listener| (address, listener)),
            None => None,
        };
        let at = watch::Sender::new(address_of(first.as_ref().map(|(_, listener)| listener)));
        Listener {
            web,
            first,
            at,
            said,
        }
    }

    /// Where it listens, now and later.
    pub fn address(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.at.subscribe()
    }

    /// Answers requests until `shutdown` completes; moves where a new configuration says.
    pub async fn serve(mut self, shutdown: impl Future<Output = ()>) {
        let mut reloaded = self.web.intake.reloaded();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let address = wanted(&reloaded.borrow_and_update());
            let moved = async {
                // An error: the daemon ends, and `shutdown` says so.
                while reloaded.changed().await.is_ok() {
                    if wanted(&reloaded.borrow_and_update()) != address {
                        return;
                    }
                }
                std::future::pending().await
            };
            let listener = match (self.first.take(), address) {
                (Some((wanted, first)), Some(address)) if wanted == address => Some(first),
                (_, Some(address)) => bind(address, &mut self.said).await,
                (_, None) => None,
            };
            self.at.send_replace(address_of(listener.as_ref()));
            let retry = listener.is_none() && address.is_some();
            let clock = Arc::clone(&self.web.clock);
            let again = async {
                match retry {
                    true => clock.sleep(AGAIN[0]).await,
                    false => std::future::pending().await,
                }
            };
            let (stop, stopped) = watch::channel(false);
            let served = async {
                match listener {
                    Some(listener) => connections(listener, &self.web, HEAD, stopped).await,
                    None => std::future::pending().await,
                }
            };
            let mut served = std::pin::pin!(served);
            let ends = tokio::select! {
                () = &mut served => false,
                () = moved => false,
                () = again => false,
                () = &mut shutdown => true,
            };
            if !retry && address.is_some() {
                stop.send_replace(true);
                let _ = timeout(clock.as_ref(), LAST, served).await;
            }
            if ends {
                return;
            }
        }
    }
}

fn address_of(listener: Option<&TcpListener>) -> Option<SocketAddr> {
    listener?.local_addr().ok()
}

/// What cannot be had is said once, and is in `said` then.
async fn bind(address: SocketAddr, said: &mut Option<String>) -> Option<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => {
            let what = format!("webhooks are called at http://{address}/hooks/");
            journal::say(Level::Info, what);
            *said = None;
            Some(listener)
        }
        Err(error) => {
            let what = format!("webhooks cannot be called: cannot listen on {address}: {error}");
            if said.as_ref() != Some(&what) {
                journal::say(Level::Error, &what);
                *said = Some(what);
            }
            None
        }
    }
}

/// Answers on one listener until `stopped`, and then what is under way; `head` is the time for a request's head.
pub(super) async fn connections(
    listener: TcpListener,
    web: &Arc<Web>,
    head: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    let router = router(Arc::clone(web));
    let seats = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        let taken = tokio::select! {
            taken = accept(&listener, &seats) => taken,
            _ = open.join_next(), if !open.is_empty() => continue,
            () = told(&mut stopped) => break,
        };
        let Ok((stream, peer, seat)) = taken else {
            web.clock.sleep(AGAIN[1]).await;
            continue;
        };
        let (router, stopped) = (router.clone(), stopped.clone());
        open.spawn(async move {
            let _seat = seat;
            converse(stream, peer, router, head, stopped).await;
        });
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

async fn accept(
    listener: &TcpListener,
    seats: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let seat = Arc::clone(seats).acquire_owned().await;
    let seat = seat.expect("nobody closes the semaphore");
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, seat))
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    head: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    // Answers are small and awaited.
    let _ = stream.set_nodelay(true);
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |mut request| {
        request.extensions_mut().insert(Peer(peer));
        routes.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // What is wrong with a connection is the other side's to know.
        _ = &mut connection => {}
        () = told(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Completes when the listener goes.
async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

fn router(web: Arc<Web>) -> Router {
    Router::new()
        .route("/hooks/{name}", post(hook))
        .route("/health", get(health))
        .fallback(news)
        .with_state(web)
}

async fn health(State(web): State<Arc<Web>>, request: Request) -> Response {
    if !host::is_ours(request.headers(), &web.doors().hosts) {
        return refuse(NOT_OURS);
    }
    match (web.health)() {
        Ok(()) => "ok\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}
