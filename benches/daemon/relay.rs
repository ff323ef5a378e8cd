//! The limit of any such daemon here: the same HTTP libraries, in and out, and nothing between them.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;

/// A process that relays; it ends when this is dropped.
pub struct Relay(Child);

impl Relay {
    /// Starts one that listens at `hook` and calls `sink`.
    pub fn start(hook: SocketAddr, sink: SocketAddr) -> Self {
        let own = std::env::current_exe().expect("it has a path");
        let mut command = Command::new(own);
        command.args(["relay", &hook.to_string(), &format!("http://{sink}/")]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut said = child.stdout.take().expect("it is piped");
        // A byte: it listens.
        std::io::Read::read_exact(&mut said, &mut [0]).expect("it listens");
        Relay(child)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Relays until it is killed.
pub fn run(hook: &str, sink: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build();
        let state = (client.expect("a client"), sink.to_owned());
        let router = Router::new()
            .route("/hooks/{name}", post(relay))
            .with_state(state);
        let listener = tokio::net::TcpListener::bind(hook).await.expect("a port");
        println!("\n");
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let _ = stream.set_nodelay(true);
            let service = TowerToHyperService::new(router.clone());
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move {
                let _ = connection.await;
            });
        }
    });
}

async fn relay(
    State((client, sink)): State<(reqwest::Client, String)>,
    body: String,
) -> StatusCode {
    tokio::spawn(async move {
        let body: Value = serde_json::from_str(&body).expect("the client sends JSON");
        let sent = client.post(sink).body(body["n"].to_string()).send().await;
        let _ = sent.expect("the sink answers").bytes().await;
    });
    StatusCode::ACCEPTED
}
