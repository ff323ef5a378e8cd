//! Chains of models, with servers that are there and servers that are not, and the ledger of it all.

use std::sync::Arc;
use std::time::Duration;

use super::{Asking, Failure, Route, ask};
use crate::clock::{Clock, TestClock};
use crate::job::{Call, RunId};
use crate::llm::fake::Act::{Done, Hang, Say, Status};
use crate::llm::fake::{Ollama, Script};
use crate::llm::sample::{clock, model};
use crate::llm::{
    Answer, Books, LlmError, Model, Provider, Reach, Request, Servers, Worth, client,
};
use crate::store::{Cap, Mode, Store};

async fn nobody() -> String {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", free.local_addr().unwrap())
}

/// A process with a ledger.
pub(in crate::llm) struct Desk {
    pub clock: Arc<TestClock>,
    servers: Servers,
    pub store: Store,
    _folder: tempfile::TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
        let store = Store::open(folder.path(), clock.clone(), Mode::Inline).unwrap();
        Desk {
            clock,
            servers: Servers::default(),
            store: store.store,
            _folder: folder,
        }
    }

    fn books(&self, caps: Vec<Cap>) -> Books<'_> {
        Books {
            store: &self.store,
            run: RunId(1),
            job: "ask",
            step: "answer",
            person: false,
            caps,
        }
    }

    pub async fn asks(&self, chain: &[Model], caps: Vec<Cap>) -> Result<Answer, Vec<Failure>> {
        self.heard(chain, caps, &mut |_| {}).await
    }

    async fn heard(
        &self,
        chain: &[Model],
        caps: Vec<Cap>,
        on_delta: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Answer, Vec<Failure>> {
        let allowed = chain.iter().cloned();
        let allowed = allowed.filter_map(|model| Reach::Anywhere.allows(model));
        let route = Route {
            name: "quick".into(),
            class: Some("simple"),
            chain: allowed.collect(),
        };
        let net = client(chain, self.clock.clone());
        let asking = Asking {
            clock: &*self.clock,
            net: &net,
            servers: &self.servers,
            books: &self.books(caps),
        };
        ask(asking, &route, &Request::user("Hello"), on_delta).await
    }

    /// The models that were called so far, and whether that failed.
    fn called(&self) -> Vec<(String, bool)> {
        let calls = self.calls().into_iter();
        calls
            .map(|call| (call.model, call.error.is_some()))
            .collect()
    }

    pub fn calls(&self) -> Vec<Call> {
        let read = self.store.read_now(|reader| reader.calls_of(RunId(1)));
        read.unwrap()
    }
}

pub(in crate::llm) fn named(name: &str, url: &str) -> Model {
    Model {
        name: name.to_owned(),
        model: name.to_owned(),
        ..model(url)
    }
}

#[tokio::test]
async fn a_route_goes_on_to_the_next_model_and_lets_rest_what_is_down() {
    let script = Script {
        chats: vec![vec![Done("stop")], vec![Say("Hi"), Done("stop")]],
        ..Script::says("")
    };
    let (ollama, down) = tokio::join!(Ollama::start(script), nobody());
    let chain = [
        named("a", &down),
        named("b", &down),
        named("c", &ollama.url),
        named("d", &ollama.url),
    ];
    let (desk, mut heard) = (Desk::new(), Vec::new());
    let answer = desk
        .heard(&chain, Vec::new(), &mut |delta| {
            heard.push(delta.to_owned())
        })
        .await
        .unwrap();
    assert_eq!(
        (&answer.said.text[..], &answer.usage.model[..]),
        ("Hi", "d")
    );
    assert_eq!(heard, ["", "", "", "Hi"]);
    let called = |names: &[(&str, bool)]| {
        let names = names
            .iter()
            .map(|(name, failed)| ((*name).to_owned(), *failed));
        assert_eq!(desk.called(), Vec::from_iter(names));
    };
    // By the test's clock the refusal took no time, so that it costs no rest.
    called(&[("a", true), ("b", true), ("c", true), ("d", false)]);
    let call = &desk.calls()[3];
    assert_eq!(
        (&call.route[..], call.class.as_deref()),
        ("quick", Some("simple"))
    );
    assert_eq!(
        (&call.step[..], call.counts, call.cost),
        ("answer", false, 0)
    );
}

#[tokio::test]
async fn one_model_that_fails_costs_one_timeout() {
    let slow = Ollama::start(Script {
        chats: vec![vec![Hang]; 2],
        ..Script::says("")
    });
    let (slow, good) = tokio::join!(slow, Ollama::start(Script::says("Hi")));
    let chain = [named("slow", &slow.url), named("good", &good.url)];
    let desk = Desk::new();
    let limit = chain[0].timeouts.first_token;
    let asked = || desk.asks(&chain, Vec::new());
    let waits = async |asked: usize| {
        while slow.bodies("/api/chat").len() < asked {
            tokio::task::yield_now().await;
        }
        desk.clock.sleeping(2).await;
        desk.clock.advance(limit);
    };
    let (first, ()) = tokio::join!(asked(), waits(1));
    assert_eq!(first.unwrap().usage.model, "good");
    // All that follow go round it, for ten times as long as it cost.
    for _ in 0..3 {
        assert_eq!(asked().await.unwrap().usage.model, "good");
    }
    desk.clock.advance(limit * 10 - Duration::from_secs(1));
    assert_eq!(asked().await.unwrap().usage.model, "good");
    assert_eq!(slow.bodies("/api/chat").len(), 1);
    // Then one finds out whether it works, and the others do not wait with it.
    desk.clock.advance(Duration::from_secs(1));
    let other = async {
        while slow.bodies("/api/chat").len() < 2 {
            tokio::task::yield_now().await;
        }
        assert!(
            desk.servers
                .may_ask(&chain[0], desk.clock.monotonic())
                .is_err()
        );
        waits(2).await;
    };
    let (probe, ()) = tokio::join!(asked(), other);
    assert_eq!(probe.unwrap().usage.model, "good");
    let rests = desk.servers.may_ask(&chain[0], desk.clock.monotonic());
    let Err(LlmError::Rests { left, .. }) = rests else {
        panic!("{rests:?}");
    };
    assert_eq!(left, limit * 20);
}

#[tokio::test]
async fn a_model_that_works_again_is_asked_again() {
    let server = Ollama::start(Script {
        chats: vec![vec![Status(503, "{}")], vec![Say("Hi"), Done("stop")]],
        ..Script::says("")
    });
    let (desk, server) = (Desk::new(), server.await);
    let chain = [named("a", &server.url)];
    let asked = || desk.asks(&chain, Vec::new());
    let failures = asked().await.unwrap_err();
    assert!(matches!(failures[0].error, LlmError::Busy { .. }));
    let failures = asked().await.unwrap_err();
    assert!(
        matches!(failures[0].error, LlmError::Rests { .. }),
        "{failures:?}"
    );
    // What the server itself asked for.
    desk.clock.advance(Duration::from_secs(7));
    assert_eq!(asked().await.unwrap().said.text, "Hi");
    assert_eq!(asked().await.unwrap().said.text, "Hi");
    assert_eq!(desk.called().len(), 3);
}

#[tokio::test]
async fn a_route_without_an_answer_says_why_for_each() {
    let url = nobody().await;
    let cloud = Model {
        provider: Provider::OpenAi,
        local: false,
        ..named("cloud", &format!("{url}/v1"))
    };
    let desk = Desk::new();
    let chain = [cloud, named("small", &url)];
    let failures = desk.asks(&chain, Vec::new()).await.unwrap_err();
    for failure in &failures {
        let told = failure.error.to_string();
        let expected = format!("no server answers at {url}: ");
        assert!(told.starts_with(&expected), "{told}");
        assert_eq!(failure.error.worth(), Worth::AnotherServer);
    }
    let hints = failures.iter().map(|failure| failure.hint.as_deref());
    assert_eq!(
        Vec::from_iter(hints),
        [
            Some("look at the network, and at `url`"),
            Some("start it with `ollama serve`")
        ]
    );
    assert_eq!(desk.called().len(), 2);
}

#[test]
fn what_has_to_stay_at_home_reaches_no_other_model() {
    let home = named("a", "http://127.0.0.1:9");
    let cloud = Model {
        local: false,
        ..home.clone()
    };
    assert!(Reach::Home.allows(cloud.clone()).is_none());
    assert!(Reach::Home.allows(home).is_some());
    assert!(Reach::Anywhere.allows(cloud).is_some());
    assert_eq!(Reach::Anywhere.and(Reach::Home), Reach::Home);
    assert_eq!(Reach::default(), Reach::Home);
}
