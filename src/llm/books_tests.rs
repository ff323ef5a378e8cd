//! Caps, and the ledger that holds calls to them.

use chrono::DateTime;
use proptest::prelude::*;

use crate::job::{Call, RunId};
use crate::llm::fake::Act::{Done, Hang, Say, Status};
use crate::llm::fake::{Ollama, Script};
use crate::llm::route::tests::{Desk, named};
use crate::llm::{LlmError, Model, Price};
use crate::store::Cap;

fn cap(tokens: Option<u64>, money: Option<u64>) -> Cap {
    Cap {
        name: "the day's budget".to_owned(),
        job: None,
        run: None,
        since: DateTime::UNIX_EPOCH,
        tokens,
        money,
    }
}

#[tokio::test]
async fn over_the_cap_a_route_goes_on_with_models_at_home() {
    let server = Ollama::start(Script::says("Hi")).await;
    let paid = Model {
        local: false,
        price: Some(Price {
            input: 1.0,
            cached: None,
            output: 2.0,
        }),
        max_output: 100,
        ..named("paid", &server.url)
    };
    let chain = [paid, named("home", &server.url)];
    let desk = Desk::new();
    // 312 tokens at one and 96 at two millionths: 504 millionths a call; at worst 37 and 100 tokens, 237 millionths.
    let caps = || vec![cap(None, Some(1_200_000))];
    let mut by = Vec::new();
    for _ in 0..4 {
        let answer = desk.asks(&chain, caps()).await.unwrap();
        by.push((answer.usage.model, answer.usage.cost));
    }
    let paid = || ("paid".to_owned(), 504_000);
    assert_eq!(
        by,
        [
            paid(),
            paid(),
            ("home".to_owned(), 0),
            ("home".to_owned(), 0)
        ]
    );
    let failures = desk.asks(&chain[..1], caps()).await.unwrap_err();
    let told = failures[0].error.to_string();
    let expected = "the day's budget is used up: this call may take 0.000237, and 0.000192 is left";
    assert_eq!(told, expected);
    let tokens = vec![cap(Some(900), None)];
    let failures = desk.asks(&chain[..1], tokens).await.unwrap_err();
    assert!(matches!(failures[0].error, LlmError::Budget { .. }));
}

#[tokio::test]
async fn a_model_whose_probe_no_budget_paid_for_is_found_out_by_the_next_call() {
    let server = Ollama::start(Script {
        chats: vec![vec![Status(503, "{}")], vec![Say("Hi"), Done("stop")]],
        ..Script::says("")
    });
    let server = server.await;
    let chain = [Model {
        local: false,
        ..named("paid", &server.url)
    }];
    let desk = Desk::new();
    desk.asks(&chain, Vec::new()).await.unwrap_err();
    desk.clock.advance(std::time::Duration::from_secs(7));
    let failures = desk
        .asks(&chain, vec![cap(Some(1), None)])
        .await
        .unwrap_err();
    assert!(matches!(failures[0].error, LlmError::Budget { .. }));
    assert_eq!(desk.asks(&chain, Vec::new()).await.unwrap().said.text, "Hi");
}

#[tokio::test]
async fn a_call_that_never_ended_counts_for_the_most_that_it_could_take() {
    let server = Ollama::start(Script::chat(vec![Hang])).await;
    let paid = Model {
        local: false,
        ..named("paid", &server.url)
    };
    let desk = Desk::new();
    let chain = [paid];
    let mut gone = Box::pin(desk.asks(&chain, Vec::new()));
    tokio::select! {
        _ = &mut gone => panic!("it hangs"),
        () = server.asked("/api/chat") => {}
    }
    drop(gone);
    let call = &desk.calls()[0];
    let said = call.error.as_deref().unwrap();
    assert!(said.contains("under way"), "{said}");
    assert_eq!((call.tokens_in, call.tokens_out), (37, 512));
}

#[test]
fn a_count_that_no_call_can_have_stands_for_the_most_that_it_can() {
    use super::believed;
    assert_eq!(believed(400, 37), 400);
    assert_eq!(believed(10_000, 37), 10_000);
    assert_eq!(believed(1_000_000_000_000, 37), 37);
    assert_eq!(believed(20_001, 2_000), 2_000);
}

/// A step of several calls that are under way at once.
#[derive(Debug, Clone)]
enum Move {
    /// One begins that may take so much.
    Begin(u64, u64),
    /// One of those under way ends and took a part of what it might.
    End(prop::sample::Index, u64, u64),
    /// The program ends in the middle of one.
    Die(prop::sample::Index),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => (0..400_u64, 0..400_u64).prop_map(|(prompt, answer)| Move::Begin(prompt, answer)),
        2 => (any::<prop::sample::Index>(), 0..=100_u64, 0..=100_u64)
            .prop_map(|(which, prompt, answer)| Move::End(which, prompt, answer)),
        1 => any::<prop::sample::Index>().prop_map(Move::Die),
    ];
    prop::collection::vec(one, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_interleaving_of_calls_passes_a_cap(moves in moves(), tokens in 0..3000_u64, money in 0..9000_u64) {
        let desk = Desk::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let price = Price { input: 0.001, cached: None, output: 0.002 };
        let (mut open, mut used, mut paid) = (Vec::new(), 0, 0);
        for one in moves {
            match one {
                Move::Begin(prompt, answer) => {
                    let mut worst = Call { tokens_in: prompt, tokens_out: answer, counts: true, ..Call::default() };
                    worst.cost = price.of(&worst);
                    let caps = vec![cap(Some(tokens), None), cap(None, Some(money))];
                    let whose = (RunId(1), "ask".to_owned());
                    let begun = runtime.block_on(desk.store.reserve(whose, worst.clone(), caps)).unwrap();
                    if let Ok(id) = begun {
                        open.push((id, worst));
                    }
                }
                Move::End(which, prompt, answer) if !open.is_empty() => {
                    let (id, worst) = open.remove(which.index(open.len()));
                    let mut took = Call {
                        tokens_in: worst.tokens_in * prompt / 100,
                        tokens_out: worst.tokens_out * answer / 100,
                        ..worst
                    };
                    took.cost = price.of(&took);
                    used += took.tokens_in + took.tokens_out;
                    paid += took.cost;
                    runtime.block_on(desk.store.settle_call(id, took)).unwrap();
                }
                // What it really took nobody knows: up to all of it.
                Move::Die(which) if !open.is_empty() => {
                    let (_, worst) = open.remove(which.index(open.len()));
                    used += worst.tokens_in + worst.tokens_out;
                    paid += worst.cost;
                }
                Move::End(..) | Move::Die(_) => {}
            }
            prop_assert!(used <= tokens && paid <= money, "{used} of {tokens}, {paid} of {money}");
        }
    }
}
