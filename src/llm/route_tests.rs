//! Chains of models, with servers that are there and servers that are not.

use super::{Down, Lanes, Route, ask};
use crate::llm::fake::Act::{Done, Say};
use crate::llm::fake::{Ollama, Script};
use crate::llm::ollama::tests::{clock, model};
use crate::llm::{Model, Provider, Request, Worth, client};

async fn nobody() -> String {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", free.local_addr().unwrap())
}

#[tokio::test]
async fn a_route_goes_on_to_the_next_model_and_remembers_who_is_down() {
    let ollama = Ollama::start(Script {
        chats: vec![vec![Done("stop")], vec![Say("Hi"), Done("stop")]],
        ..Script::says("")
    });
    let (ollama, down_url) = tokio::join!(ollama, nobody());
    let mut chain = vec![
        model(&down_url),
        model(&down_url),
        model(&ollama.url),
        model(&ollama.url),
    ];
    for (index, model) in chain.iter_mut().enumerate() {
        model.name = format!("model {index}");
    }
    let route = Route {
        name: "quick".into(),
        chain,
    };
    let (clock, down, mut heard) = (clock(), Down::default(), Vec::new());
    let net = client(&route.chain, clock.clone());
    let mut on_delta = |delta: &str| heard.push(delta.to_owned());
    let request = Request::user("Hello");
    let routed = ask(
        &*clock,
        &net,
        &route,
        &request,
        (&Lanes::default(), &down),
        &mut on_delta,
    )
    .await;
    let answer = routed.answer.unwrap();
    assert_eq!(
        (&answer.text[..], &answer.usage.model[..]),
        ("Hi", "model 3")
    );
    let called: Vec<_> = routed
        .calls
        .iter()
        .map(|call| (&call.model[..], call.error.is_some()))
        .collect();
    assert_eq!(
        called,
        [("model 0", true), ("model 2", true), ("model 3", false)]
    );
    assert_eq!(heard, ["", "", "Hi"]);

    let routed = ask(
        &*clock,
        &net,
        &route,
        &request,
        (&Lanes::default(), &down),
        &mut |_| {},
    )
    .await;
    let called: Vec<_> = routed.calls.iter().map(|call| &call.model[..]).collect();
    assert_eq!(called, ["model 2"]);
}

#[tokio::test]
async fn a_route_without_an_answer_says_why_for_each() {
    let url = nobody().await;
    let mut cloud = model("https://api.example.org");
    cloud.provider = Provider::OpenAi;
    let chain = vec![cloud, model(&url)];
    let route = Route {
        name: "quick".into(),
        chain,
    };
    let clock = clock();
    let net = client(&route.chain, clock.clone());
    let request = Request::user("Hello");
    let routed = ask(
        &*clock,
        &net,
        &route,
        &request,
        (&Lanes::default(), &Down::default()),
        &mut |_| {},
    )
    .await;
    let failures = routed.answer.unwrap_err();
    let told: Vec<_> = failures
        .iter()
        .map(|failure| failure.error.to_string())
        .collect();
    assert_eq!(
        told[0],
        "provider `openai` cannot be called by this version yet"
    );
    assert!(
        told[1].starts_with(&format!("no server answers at {url}: ")),
        "{}",
        told[1]
    );
    assert_eq!(failures[1].error.worth(), Worth::AnotherServer);
    assert_eq!(
        failures[1].error.hint().as_deref(),
        Some("start it with `ollama serve`")
    );
    assert_eq!(routed.calls.len(), 2);
}

#[tokio::test]
async fn one_server_is_asked_one_thing_at_a_time() {
    let model = Model {
        lane: 1,
        ..model("http://127.0.0.1:9")
    };
    let lanes = Lanes::default();
    let first = lanes.place(&model).await;
    let mut second = Box::pin(lanes.place(&model));
    tokio::select! {
        biased;
        _ = &mut second => panic!("the lane has one place"),
        () = std::future::ready(()) => {}
    }
    drop(first);
    drop(second.await);
}
