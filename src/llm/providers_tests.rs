//! The same calls by all three protocols, on real sockets.

use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::TestClock;
use crate::llm::fake::Act::{Die, Done, Forever, Hang, Raw, Say, Status, Tool as Calls, Whole};
use crate::llm::fake::{Act, Ollama, Script};
use crate::llm::sample::{clock, model as ollama_model};
use crate::llm::{
    Called, LlmError, Message, Model, Phase, Picture, Provider, Reach, Request, Tool, ToolCall,
    call, client,
};
use crate::net::Secret;

const ALL: [Provider; 3] = [Provider::Ollama, Provider::OpenAi, Provider::Anthropic];

fn path(provider: Provider) -> &'static str {
    match provider {
        Provider::Ollama => "/api/chat",
        Provider::OpenAi => "/v1/chat/completions",
        Provider::Anthropic => "/v1/messages",
    }
}

fn model(provider: Provider, server: &Ollama) -> Model {
    let path = if provider == Provider::OpenAi {
        "/v1"
    } else {
        ""
    };
    Model {
        provider,
        url: format!("{}{path}", server.url),
        api_key: Some(Secret::new("sk-1".to_owned())),
        ..ollama_model("")
    }
}

async fn ask(
    provider: Provider,
    server: &Ollama,
    request: &Request,
    clock: &std::sync::Arc<TestClock>,
) -> (Called, String) {
    let model = Reach::Home.allows(model(provider, server)).unwrap();
    let (mut heard, net) = (String::new(), client([&*model], clock.clone()));
    let mut hear = |delta: &str| heard.push_str(delta);
    let called = call(&**clock, &net, &model, request, &mut hear).await;
    (called, heard)
}

async fn result(provider: Provider, acts: Vec<Act>) -> Result<String, LlmError> {
    let server = Ollama::start(Script::chat(acts)).await;
    let (called, _) = ask(provider, &server, &Request::user("Hello"), &clock()).await;
    called.result.map(|said| said.text)
}

fn request() -> Request {
    let found = ToolCall {
        id: "call_1".to_owned(),
        name: "calendar_list".to_owned(),
        arguments: json!({"range": "today"}),
    };
    let picture = Picture {
        media_type: "image/png".to_owned(),
        base64: "AAAA".to_owned(),
    };
    Request {
        system: Some("Be short.".to_owned()),
        messages: vec![
            Message::User("What is on?".to_owned(), vec![picture]),
            Message::Assistant("Let me see.".to_owned(), vec![found.clone()]),
            Message::Tool {
                call: found,
                text: "09:00 Stand-up".to_owned(),
            },
        ],
        tools: vec![Tool {
            name: "calendar_list".to_owned(),
            description: "Lists events".to_owned(),
            parameters: json!({"type": "object"}),
        }],
        temperature: Some(0.5),
        max_tokens: Some(100),
        ..Request::default()
    }
}

#[tokio::test]
async fn an_answer_streams_and_is_counted() {
    for provider in ALL {
        let acts = vec![Say("Good "), Say("morning\n"), Done("stop")];
        let server = Ollama::start(Script::chat(acts)).await;
        let (called, heard) = ask(provider, &server, &Request::user("Hello"), &clock()).await;
        assert_eq!(called.result.unwrap().text, "Good morning", "{provider:?}");
        assert_eq!(heard, "Good morning\n");
        let cached = if provider == Provider::Ollama { 0 } else { 300 };
        let took = called.call;
        assert_eq!(
            (took.tokens_in, took.tokens_cached, took.tokens_out),
            (312, cached, 96),
            "{provider:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    for provider in ALL {
        assert_eq!(
            result(provider, vec![Whole("Good morning")])
                .await
                .as_deref(),
            Ok("Good morning"),
            "{provider:?}"
        );
    }
}

#[tokio::test]
async fn a_call_of_a_tool_is_put_together() {
    for provider in ALL {
        let acts = vec![
            Say("Let me see."),
            Calls("calendar_list", r#"{"range": "today", "from": ["home"]}"#),
            Done("stop"),
        ];
        let server = Ollama::start(Script::chat(acts)).await;
        let (called, heard) = ask(provider, &server, &request(), &clock()).await;
        let said = called.result.unwrap();
        assert_eq!((&said.text[..], &heard[..]), ("Let me see.", "Let me see."));
        let [call] = &said.calls[..] else {
            panic!("{provider:?}: {said:?}");
        };
        assert_eq!(call.name, "calendar_list", "{provider:?}");
        assert_eq!(call.arguments, json!({"range": "today", "from": ["home"]}));
    }
    let broken = vec![Calls("calendar_list", r#"{"range": tod"#), Done("stop")];
    let server = Ollama::start(Script::chat(broken)).await;
    let (called, _) = ask(Provider::OpenAi, &server, &request(), &clock()).await;
    let said = called.result.unwrap();
    assert_eq!(said.calls[0].arguments, json!(r#"{"range": tod"#));
}

#[tokio::test]
async fn each_protocol_is_spoken_as_its_server_wants_it() {
    let sent = async |provider| {
        let server = Ollama::start(Script::says("Hi")).await;
        let (called, _) = ask(provider, &server, &request(), &clock()).await;
        called.result.unwrap();
        let seen = server.seen();
        let seen = seen.into_iter().find(|seen| seen.path == path(provider));
        seen.expect("it was asked")
    };
    let openai = sent(Provider::OpenAi).await;
    assert!(openai.head.contains("authorization: Bearer sk-1"));
    let body = openai.body;
    assert_eq!(
        body["messages"][0],
        json!({"role": "system", "content": "Be short."})
    );
    assert_eq!(
        body["messages"][1]["content"][1]["image_url"]["url"],
        "data:image/png;base64,AAAA"
    );
    let call = &body["messages"][2]["tool_calls"][0];
    assert_eq!(call["function"]["arguments"], r#"{"range":"today"}"#);
    assert_eq!(
        body["messages"][3],
        json!({"role": "tool", "tool_call_id": "call_1", "content": "09:00 Stand-up"})
    );
    assert_eq!(body["tools"][0]["function"]["name"], "calendar_list");
    assert_eq!(
        (&body["max_tokens"], &body["stream"]),
        (&json!(100), &json!(true))
    );
    assert_eq!(body["stream_options"]["include_usage"], true);

    let anthropic = sent(Provider::Anthropic).await;
    assert!(anthropic.head.contains("x-api-key: sk-1"));
    assert!(anthropic.head.contains("anthropic-version: 2023-06-01"));
    let body = anthropic.body;
    assert_eq!(body["system"], "Be short.");
    assert_eq!(body["messages"][0]["content"][0]["source"]["data"], "AAAA");
    assert_eq!(
        body["messages"][1]["content"][1]["input"],
        json!({"range": "today"})
    );
    let result = &body["messages"][2]["content"][0];
    assert_eq!(
        (&result["type"], &result["tool_use_id"]),
        (&json!("tool_result"), &json!("call_1"))
    );
    assert_eq!(body["tools"][0]["input_schema"], json!({"type": "object"}));

    let ollama = sent(Provider::Ollama).await.body;
    assert_eq!(ollama["messages"][1]["images"], json!(["AAAA"]));
    let call = &ollama["messages"][2]["tool_calls"][0];
    assert_eq!(call["function"]["arguments"], json!({"range": "today"}));
    assert_eq!(ollama["messages"][3]["tool_name"], "calendar_list");
    assert_eq!(
        ollama["tools"][0]["function"]["parameters"],
        json!({"type": "object"})
    );
}

#[tokio::test]
async fn what_several_tools_gave_is_one_turn_for_anthropic() {
    let server = Ollama::start(Script::says("Hi")).await;
    let mut request = request();
    let last = request.messages[2].clone();
    request.messages.extend([last, Message::user("And?")]);
    ask(Provider::Anthropic, &server, &request, &clock()).await;
    let body = &server.bodies("/v1/messages")[0];
    let turns = body["messages"].as_array().unwrap();
    let roles: Vec<_> = turns.iter().map(|turn| turn["role"].as_str()).collect();
    assert_eq!(roles, ["user", "assistant", "user", "user"].map(Some));
    assert_eq!(turns[2]["content"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_schema_binds_the_answer_where_the_server_can() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    let request = Request {
        format: Some(schema.clone()),
        ..Request::user("A number")
    };
    let asked = async |provider, acts| {
        let server = Ollama::start(Script::chat(acts)).await;
        let (called, _) = ask(provider, &server, &request, &clock()).await;
        (
            called.result.map(|said| said.text),
            server.bodies(path(provider))[0].clone(),
        )
    };
    let says = || vec![Say("{\"n\": 1}"), Done("stop")];
    let (said, body) = asked(Provider::OpenAi, says()).await;
    assert_eq!(said.as_deref(), Ok("{\"n\": 1}"));
    assert_eq!(body["response_format"]["json_schema"]["schema"], schema);
    let (_, body) = asked(Provider::Ollama, says()).await;
    assert_eq!(body["format"], schema);
    let (said, body) = asked(
        Provider::Anthropic,
        vec![Calls("answer", "{\"n\": 1}"), Done("stop")],
    )
    .await;
    assert_eq!(said.as_deref(), Ok("{\"n\": 1}"));
    assert_eq!(body["tool_choice"]["name"], "answer");
}

#[tokio::test]
async fn thinking_stays_hidden() {
    let line = |body: Value| format!("data: {body}\n\n").leak().as_bytes();
    for key in ["reasoning_content", "reasoning"] {
        let thinks = json!({"choices": [{"delta": {key: "secret"}, "finish_reason": null}]});
        let acts = vec![Raw(line(thinks)), Say("Hi"), Done("stop")];
        assert_eq!(result(Provider::OpenAi, acts).await.as_deref(), Ok("Hi"));
    }
    let delta = json!({"type": "thinking_delta", "thinking": "secret"});
    let thinks = json!({"type": "content_block_delta", "index": 0, "delta": delta});
    let acts = vec![Raw(line(thinks)), Say("Hi"), Done("stop")];
    assert_eq!(result(Provider::Anthropic, acts).await.as_deref(), Ok("Hi"));
}

#[tokio::test]
async fn answers_of_no_use_are_told_apart() {
    for provider in ALL {
        let of = async |acts| result(provider, acts).await.unwrap_err();
        assert_eq!(
            of(vec![Done("stop")]).await,
            LlmError::Empty,
            "{provider:?}"
        );
        assert_eq!(
            of(vec![Say("Once"), Done("length")]).await,
            LlmError::Endless(512)
        );
        assert_eq!(of(vec![Forever("la la la ")]).await, LlmError::Repeating);
        assert_eq!(
            of(vec![Say("caf\u{fffd}"), Done("stop")]).await,
            LlmError::Unreadable
        );
        for acts in [
            vec![Say("Good"), Die],
            vec![Die],
            vec![Say("Good")],
            vec![Say("Good"), Raw(b"data: {\"choi"), Die],
            vec![Say("Good"), Raw(b"data: {\"choi")],
        ] {
            let error = of(acts.clone()).await;
            assert!(
                matches!(error, LlmError::BrokenOff(_)),
                "{provider:?} {acts:?}: {error}"
            );
        }
        for acts in [
            vec![Raw(b"<html><body>nginx</body></html>\n")],
            vec![Raw(b"hello\n")],
            vec![Raw(b"[1,2]\n")],
            vec![Raw(b"data: [1,2]\n\n")],
            vec![Status(404, "404 page not found")],
            vec![Status(302, "")],
        ] {
            let error = of(acts.clone()).await;
            let garbled = matches!(error, LlmError::Garbled { .. } | LlmError::Net(_));
            assert!(garbled, "{provider:?} {acts:?}: {error}");
        }
    }
}

#[tokio::test]
async fn the_servers_errors_are_put_into_plain_words() {
    let openai_missing = r#"{"error":{"message":"The model `tiny` does not exist","type":"invalid_request_error","code":"model_not_found"}}"#;
    let anthropic_missing =
        r#"{"type":"error","error":{"type":"not_found_error","message":"model: tiny"}}"#;
    for (provider, missing) in [
        (Provider::OpenAi, openai_missing),
        (Provider::Anthropic, anthropic_missing),
    ] {
        let of = async |status, body| {
            result(provider, vec![Status(status, body)])
                .await
                .unwrap_err()
        };
        assert_eq!(of(404, missing).await, LlmError::NoModel("tiny".to_owned()));
        assert_eq!(of(401, "{}").await, LlmError::Denied(401));
        for status in [429, 503, 529] {
            let retry_after = Some(Duration::from_secs(7));
            assert_eq!(
                of(status, "{}").await,
                LlmError::Busy {
                    status,
                    retry_after
                }
            );
        }
        let quota = r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
        assert!(matches!(
            of(429, quota).await,
            LlmError::Server { status: 429, .. }
        ));
        let long = r#"{"error":{"message":"This model's maximum context length is 8192 tokens"}}"#;
        assert!(matches!(of(400, long).await, LlmError::Overflow(_)));
        assert!(matches!(
            of(500, "oops").await,
            LlmError::Server { status: 500, .. }
        ));
    }
    let inside = vec![
        Say("Good"),
        Raw(b"data: {\"error\":{\"message\":\"upstream died\",\"code\":502}}\n\n"),
    ];
    let error = result(Provider::OpenAi, inside).await.unwrap_err();
    assert!(error.to_string().contains("upstream died"), "{error}");
    let inside = vec![Say("Good"), Raw(b"data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n")];
    let error = result(Provider::Anthropic, inside).await.unwrap_err();
    assert!(
        matches!(error, LlmError::Busy { status: 529, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_only_shows_that_it_lives_is_left() {
    for provider in [Provider::OpenAi, Provider::Anthropic] {
        let server = Ollama::start(Script::chat(vec![Raw(b": ping\n\n"), Hang])).await;
        let (clock, limit) = (clock(), Duration::from_secs(420));
        let asked = Request::user("Hi");
        let ((called, _), ()) = tokio::join!(ask(provider, &server, &asked, &clock), async {
            server.asked(path(provider)).await;
            clock.sleeping(2).await;
            clock.advance(limit);
        });
        let phase = Phase::FirstToken;
        assert_eq!(called.result, Err(LlmError::Timeout { phase, limit }));
        server.hung_up().await;
    }
}

#[tokio::test]
async fn a_prompt_that_does_not_fit_is_not_sent() {
    for provider in [Provider::OpenAi, Provider::Anthropic] {
        let server = Ollama::start(Script::says("Hi")).await;
        let request = Request::user("word ".repeat(9000));
        let (called, _) = ask(provider, &server, &request, &clock()).await;
        assert!(matches!(called.result, Err(LlmError::TooLong { .. })));
        assert!(server.seen().is_empty());
    }
}
