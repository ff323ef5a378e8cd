//! What models cost this program itself: telling what kind of message it is, and hearing an answer that streams.
//!
//! `cargo bench --bench models`; a server of OpenAI's protocol on 127.0.0.1, in a thread of its own, whose time is taken off.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reveille::clock::SystemClock;
use reveille::llm::class::{Class, Classifier};
use reveille::llm::{Model, Provider, Reach, Request, Timeouts, call, client};

/// Messages as people write them.
const MESSAGES: &[&str] = &[
    "Hola, ¿qué tal?",
    "What is the capital of France?",
    "Explain how a hash map works and when a tree is the better choice",
    "list the files of the folder inbox and run the report",
    "¿Puedes comparar estos dos contratos y decirme cuál es mejor para una empresa pequeña?",
    "thanks a lot",
];

fn row(what: &str, value: f64, unit: &str, bound: f64) {
    let ok = if value > bound { "OVER" } else { "ok" };
    println!("{what:<58} {value:>10.3} {unit:<3} at most {bound} {unit}  {ok}");
}

fn classes() {
    let more: Vec<String> = (0..250)
        .flat_map(|n| [format!("pattern{n}"), format!("phrase number {n}")])
        .collect();
    let more = more.iter().map(|pattern| (Class::Tool, pattern.as_str()));
    let classifier = Classifier::new(more);
    const ROUNDS: u32 = 2_000;
    let began = Instant::now();
    for _ in 0..ROUNDS {
        for message in MESSAGES {
            std::hint::black_box(classifier.of(std::hint::black_box(message)));
        }
    }
    let each = began.elapsed() / (ROUNDS * MESSAGES.len() as u32);
    row(
        "what kind of message it is, with 500 patterns more",
        each.as_secs_f64() * 1e6,
        "us",
        20.0,
    );
}

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

/// A server that says so many tokens, one in each pause, and when it said them.
fn server(tokens: usize, pause: Duration) -> (String, Said) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/v1", listener.local_addr().expect("bound"));
    let said: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let times = Arc::clone(&said);
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        stream.set_nodelay(true).expect("a socket");
        let mut request = [0; 65_536];
        let _ = stream.read(&mut request).expect("a request");
        stream.write_all(HEAD.as_bytes()).expect("it reads");
        for number in 0..tokens {
            let token = format!("word{number} ");
            let event = format!(
                "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{token}\"}},\"finish_reason\":null}}]}}\n\n"
            );
            times.lock().expect("nobody panics").push(Instant::now());
            stream.write_all(event.as_bytes()).expect("it reads");
            if !pause.is_zero() {
                std::thread::sleep(pause);
            }
        }
        let end = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
        stream.write_all(end.as_bytes()).expect("it reads");
        processor("thread-self")
    });
    (url, (said, thread))
}

/// When each token was written, and the thread that wrote them, which gives the processor's time that it took.
type Said = (Arc<Mutex<Vec<Instant>>>, std::thread::JoinHandle<f64>);

/// When each token was heard.
fn hear(url: &str, tokens: usize) -> Vec<Instant> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let model = Model {
        name: "bench".to_owned(),
        provider: Provider::OpenAi,
        url: url.to_owned(),
        model: "bench".to_owned(),
        api_key: None,
        context: None,
        max_output: 1_000_000,
        timeouts: Timeouts::default(),
        lane: 1,
        keep_alive: None,
        local: true,
        price: None,
    };
    let clock = Arc::new(SystemClock::default());
    let model = Reach::Home.allows(model).expect("it is at home");
    let net = client([&*model], clock.clone());
    let mut heard = Vec::with_capacity(tokens);
    let called = runtime.block_on(call(
        &*clock,
        &net,
        &model,
        &Request::user("Go"),
        &mut |_| heard.push(Instant::now()),
    ));
    called.result.expect("an answer");
    heard
}

/// Seconds of the processor that this process, or this thread, took: a hundredth more or less.
fn processor(whose: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{whose}/stat")).expect("procfs");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .expect("fields")
        .split(' ')
        .collect();
    let ticks = |field: usize| fields[field].parse::<f64>().expect("a number");
    (ticks(12) + ticks(13)) / 100.0
}

fn main() {
    classes();
    const TOKENS: usize = 10_000;
    let (url, (said, thread)) = server(TOKENS, Duration::from_micros(450));
    let (began, used) = (Instant::now(), processor("self"));
    let heard = hear(&url, TOKENS);
    let took = began.elapsed().as_secs_f64();
    let used = processor("self") - used - thread.join().expect("it ended");
    let said = said.lock().expect("nobody panics");
    let mut late: Vec<Duration> = said
        .iter()
        .zip(&heard)
        .map(|(said, heard)| heard.saturating_duration_since(*said))
        .collect();
    late.sort();
    row(
        "a token from the server's write to who hears it, median",
        late[late.len() / 2].as_secs_f64() * 1e3,
        "ms",
        1.0,
    );
    let rate = TOKENS as f64 / took;
    row(
        &format!("processor while {rate:.0} tokens a second are heard, for 2,000"),
        used / took * 100.0 * 2000.0 / rate,
        "%",
        10.0,
    );
}
