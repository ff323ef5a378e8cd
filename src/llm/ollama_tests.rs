//! Calls to a real socket that speaks Ollama's protocol.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::clock::TestClock;
use crate::llm::fake::Act::{Die, Done, Forever, Hang, Raw, Say, Status, Wait};
use crate::llm::fake::{Act, Ollama, Script};
use crate::llm::sample::{clock, model};
use crate::llm::{Called, LlmError, Message, Model, Phase, Reach, Request, call, client};
use crate::net::Secret;

async fn ask(model: &Model, request: &Request, clock: &Arc<TestClock>) -> (Called, String) {
    let mut heard = String::new();
    let net = client([model], clock.clone());
    let allowed = Reach::Home.allows(model.clone()).unwrap();
    let called = call(&**clock, &net, &allowed, request, &mut |delta| {
        heard.push_str(delta)
    })
    .await;
    (called, heard)
}

/// The result of one chat that goes so.
async fn chat(acts: Vec<Act>) -> Result<String, LlmError> {
    let ollama = Ollama::start(Script::chat(acts)).await;
    ask(&model(&ollama.url), &Request::user("Hello"), &clock())
        .await
        .0
        .result
        .map(|said| said.text)
}

#[tokio::test]
async fn an_answer_streams_and_is_measured() {
    let script = Script::chat(vec![Say("Good "), Wait, Say("morning\n"), Done("stop")]);
    let ollama = Ollama::start(script).await;
    let (clock, model, request) = (clock(), model(&ollama.url), Request::user("Hello"));
    let ((called, heard), ()) = tokio::join!(ask(&model, &request, &clock), async {
        ollama.asked("/api/chat").await;
        clock.sleeping(2).await;
        ollama.go_on();
    });
    assert_eq!(called.result.unwrap().text, "Good morning");
    assert_eq!(heard, "Good morning\n");
    let call = called.call;
    assert_eq!(
        (&call.model[..], &call.backend[..]),
        ("small", "ollama/tiny")
    );
    assert_eq!(
        (call.tokens_in, call.tokens_out, call.error),
        (312, 96, None)
    );
}

#[tokio::test]
async fn the_request_says_what_was_asked() {
    let ollama = Ollama::start(Script::says("{}")).await;
    let mut model = model(&format!("{}/", ollama.url));
    model.api_key = Some(Secret::new("KEY"));
    let request = Request {
        system: Some("Be brief".into()),
        messages: vec![
            Message::user("a"),
            Message::assistant("b"),
            Message::user("c"),
        ],
        temperature: Some(0.5),
        max_tokens: Some(100),
        format: Some(json!("json")),
        talk: 0,
        within: None,
        tools: Vec::new(),
        closed: false,
    };
    let (called, _) = ask(&model, &request, &clock()).await;
    assert_eq!(called.result.unwrap().text, "{}");
    let load =
        json!({"model": "tiny", "options": {"num_ctx": 2048}, "keep_alive": 1800, "stream": false});
    assert_eq!(ollama.bodies("/api/generate"), [load]);
    let chat = &ollama.bodies("/api/chat")[0];
    let options = json!({"num_ctx": 2048, "num_predict": 100, "temperature": 0.5});
    assert_eq!(chat["options"], options);
    let roles = json!([
        {"role": "system", "content": "Be brief"}, {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"},
    ]);
    assert_eq!(chat["messages"], roles);
    assert_eq!(
        (&chat["format"], &chat["truncate"]),
        (&json!("json"), &json!(false))
    );
    assert!(
        ollama
            .seen()
            .iter()
            .all(|seen| seen.head.contains("Bearer KEY"))
    );

    model.keep_alive = Some(Duration::MAX);
    let (called, _) = ask(&model, &Request::user("Hello"), &clock()).await;
    assert!(called.result.is_ok());
    assert_eq!(ollama.bodies("/api/chat")[1]["keep_alive"], -1);
}

#[tokio::test]
async fn the_context_is_never_too_small() {
    let ollama = Ollama::start(Script::says("Hi")).await;
    let mut model = model(&ollama.url);
    let long = Request::user("word ".repeat(3000));
    let (called, _) = ask(&model, &long, &clock()).await;
    assert!(called.result.is_ok());
    assert_eq!(ollama.bodies("/api/chat")[0]["options"]["num_ctx"], 4096);
    model.context = Some(2048);
    let (called, _) = ask(&model, &long, &clock()).await;
    assert!(matches!(
        called.result,
        Err(LlmError::TooLong { context: 2048, .. })
    ));
    model.context = None;
    let (called, _) = ask(&model, &Request::user("word ".repeat(4000)), &clock()).await;
    assert!(matches!(
        called.result,
        Err(LlmError::TooLong { context: 4096, .. })
    ));
    assert_eq!(ollama.bodies("/api/show"), [json!({"model": "tiny"})]);
    assert_eq!(ollama.bodies("/api/chat").len(), 1);
}

/// Lets `phase`'s limit pass once `path` has been asked for.
async fn limit(script: Script, path: &str, phase: Phase, limit: Duration) -> Ollama {
    let ollama = Ollama::start(script).await;
    let (clock, model, request) = (clock(), model(&ollama.url), Request::user("Hello"));
    let ((called, _), ()) = tokio::join!(ask(&model, &request, &clock), async {
        ollama.asked(path).await;
        clock.sleeping(2).await;
        clock.advance(limit - Duration::from_millis(1));
        // Both limits still run, or this would wait for ever.
        clock.sleeping(2).await;
        clock.advance(Duration::from_millis(1));
    });
    assert_eq!(called.result, Err(LlmError::Timeout { phase, limit }));
    assert_eq!(called.call.error.is_some(), called.result.is_err());
    assert!(called.call.total >= limit);
    ollama
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let (clock, request) = (clock(), Request::user("Hello"));
    let model = model(&format!("{url}/ollama/TOKEN"));
    let ((called, _), ()) = tokio::join!(ask(&model, &request, &clock), async {
        let _accepted = silent.accept().await.unwrap();
        clock.sleeping(3).await;
        clock.advance(Duration::from_secs(5));
    });
    let error = called.result.unwrap_err();
    assert!(
        matches!(&error, LlmError::Unreachable { url: shown, .. } if *shown == url),
        "{error}"
    );
}

#[tokio::test]
async fn a_slow_load_is_one_long_wait() {
    let mut script = Script::says("Hi");
    script.load = vec![Hang];
    let ollama = limit(
        script,
        "/api/generate",
        Phase::Load,
        Duration::from_secs(300),
    )
    .await;
    ollama.hung_up().await;
    assert_eq!(ollama.bodies("/api/generate").len(), 1);
    assert!(ollama.bodies("/api/chat").is_empty());

    let mut script = Script::says("Hi");
    script.load = vec![Wait];
    let ollama = Ollama::start(script).await;
    let (clock, model, request) = (clock(), model(&ollama.url), Request::user("Hello"));
    let ((called, _), ()) = tokio::join!(ask(&model, &request, &clock), async {
        ollama.asked("/api/generate").await;
        clock.sleeping(2).await;
        clock.advance(Duration::from_secs(299));
        ollama.go_on();
    });
    assert_eq!(called.result.unwrap().text, "Hi");
    assert_eq!(called.call.load, Duration::from_secs(299));
    assert_eq!(ollama.hang_ups(), 0);
}

#[tokio::test]
async fn a_slow_prompt_ends_at_its_limit() {
    let script = Script::chat(vec![Hang]);
    let ollama = limit(
        script,
        "/api/chat",
        Phase::FirstToken,
        Duration::from_secs(120),
    )
    .await;
    ollama.hung_up().await;
}

#[tokio::test]
async fn a_stalled_stream_ends_at_its_limit() {
    let script = Script::chat(vec![Say("Good"), Hang]);
    let ollama = Ollama::start(script).await;
    let (clock, model, request) = (clock(), model(&ollama.url), Request::user("Hello"));
    let (first, mut heard) = (Arc::new(tokio::sync::Notify::new()), String::new());
    let net = client([&model], clock.clone());
    let allowed = Reach::Home.allows(model).unwrap();
    let mut on_delta = |delta: &str| {
        heard.push_str(delta);
        first.notify_one();
    };
    let (called, ()) = tokio::join!(
        call(&*clock, &net, &allowed, &request, &mut on_delta),
        async {
            first.notified().await;
            clock.sleeping(2).await;
            clock.advance(Duration::from_secs(30));
        }
    );
    let limit = Duration::from_secs(30);
    assert_eq!(
        called.result,
        Err(LlmError::Timeout {
            phase: Phase::Stall,
            limit
        })
    );
    assert_eq!(called.call.tokens_out, 1);
}

#[tokio::test]
async fn the_whole_call_has_a_limit() {
    let ollama = Ollama::start(Script::chat(vec![Hang])).await;
    let (clock, mut model, request) = (clock(), model(&ollama.url), Request::user("Hello"));
    model.timeouts.first_token = Duration::from_secs(3600);
    let ((called, _), ()) = tokio::join!(ask(&model, &request, &clock), async {
        ollama.asked("/api/chat").await;
        clock.sleeping(2).await;
        clock.advance(Duration::from_secs(600));
    });
    let limit = Duration::from_secs(600);
    assert_eq!(
        called.result,
        Err(LlmError::Timeout {
            phase: Phase::Total,
            limit
        })
    );
    assert_eq!(called.call.total, limit);
}

#[tokio::test]
async fn answers_of_no_use_are_told_apart() {
    let garbled = |error: &LlmError| matches!(error, LlmError::Garbled { .. });
    let broken_off = |error: &LlmError| matches!(error, LlmError::BrokenOff(_));
    assert_eq!(chat(vec![Done("stop")]).await, Err(LlmError::Empty));
    assert_eq!(
        chat(vec![Say("<think>x</think> \n"), Done("stop")]).await,
        Err(LlmError::Empty)
    );
    assert_eq!(
        chat(vec![Say("caf\u{fffd}"), Done("stop")]).await,
        Err(LlmError::Unreadable)
    );
    assert_eq!(
        chat(vec![Say("a\u{0}b"), Done("stop")]).await,
        Err(LlmError::Unreadable)
    );
    let broken = Raw(b"{\"message\":{\"content\":\"caf\xe9\"},\"done\":false}\n");
    assert_eq!(chat(vec![broken]).await, Err(LlmError::Unreadable));
    assert_eq!(
        chat(vec![Say("Once"), Done("length")]).await,
        Err(LlmError::Endless(512))
    );
    for acts in [
        vec![Raw(b"<html><body>nginx</body></html>\n")],
        vec![Raw(b"<!doctype html>")],
        vec![Raw(b"hello\n")],
        vec![Raw(b"{\"foo\":1}\n")],
        vec![Raw(b"[1,2]\n")],
        vec![Status(404, "404 page not found")],
        vec![Status(405, "<html>")],
    ] {
        let error = chat(acts.clone()).await.unwrap_err();
        assert!(garbled(&error), "{acts:?}: {error}");
    }
    for acts in [
        vec![Say("Good"), Die],
        vec![Die],
        vec![Say("Good"), Raw(b"{\"message\":{\"con")],
        vec![Say("Good"), Raw(b"{\"message\":{\"con"), Die],
        vec![Say("Good")],
    ] {
        let error = chat(acts.clone()).await.unwrap_err();
        assert!(broken_off(&error), "{acts:?}: {error}");
    }
}

#[tokio::test]
async fn a_stream_without_end_is_left() {
    for (piece, expected) in [
        ("la la la ", LlmError::Repeating),
        ("", LlmError::Endless(512)),
        ("<think>", LlmError::Endless(512)),
    ] {
        let ollama = Ollama::start(Script::chat(vec![Forever(piece)])).await;
        let (called, _) = ask(&model(&ollama.url), &Request::user("Hello"), &clock()).await;
        assert_eq!(called.result, Err(expected), "{piece}");
        ollama.hung_up().await;
    }
}

#[tokio::test]
async fn a_server_that_only_speaks_chat_loads_by_talking() {
    for missing in [Status(404, "404 page not found"), Status(405, "<html>")] {
        let script = Script {
            load: vec![missing],
            ..Script::says("Good morning")
        };
        let server = Ollama::start(script).await;
        let (called, _) = ask(&model(&server.url), &Request::user("Hi"), &clock()).await;
        assert_eq!(called.result.unwrap().text, "Good morning");
        assert_eq!(called.call.load, Duration::from_millis(2));
    }
}

#[tokio::test]
async fn the_servers_errors_are_put_into_plain_words() {
    let missing = r#"{"error":"model 'tiny' not found"}"#;
    let memory =
        r#"{"error":"model requires more system memory (5.5 GiB) than is available (3.1 GiB)"}"#;
    let error = chat(vec![Status(404, missing)]).await.unwrap_err();
    assert_eq!(
        error.hint(&model("http://x")).as_deref(),
        Some("pull it: `ollama pull tiny`")
    );
    let error = chat(vec![Status(500, memory)]).await.unwrap_err();
    assert!(
        matches!(&error, LlmError::Memory(why) if why.contains("5.5 GiB")),
        "{error}"
    );
    for status in [401, 403] {
        assert_eq!(
            chat(vec![Status(status, "<html>")]).await,
            Err(LlmError::Denied(status))
        );
    }
    for status in [429, 503] {
        let retry_after = Some(Duration::from_secs(7));
        let busy = LlmError::Busy {
            status,
            retry_after,
        };
        assert_eq!(chat(vec![Status(status, "{}")]).await, Err(busy));
    }
    let error = chat(vec![Status(500, "oops")]).await.unwrap_err();
    assert!(
        matches!(error, LlmError::Server { status: 500, .. }),
        "{error}"
    );
    let inside = Raw(b"{\"error\":\"llama runner process has terminated\"}\n");
    let error = chat(vec![Say("Good"), inside]).await.unwrap_err();
    assert!(error.to_string().contains("terminated"), "{error}");
    let last = Raw(b"{\"error\":\"an error without a line break\"}");
    let error = chat(vec![last]).await.unwrap_err();
    assert!(matches!(error, LlmError::Server { .. }), "{error}");

    let mut script = Script::says("Hi");
    script.load = vec![Status(404, missing)];
    let ollama = Ollama::start(script).await;
    let (called, _) = ask(&model(&ollama.url), &Request::user("Hello"), &clock()).await;
    assert_eq!(called.result, Err(LlmError::NoModel("tiny".into())));
}
