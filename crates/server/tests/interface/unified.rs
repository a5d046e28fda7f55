//! Connections to Microsoft, and the addresses that Microsoft calls.

use super::server::{Answer, Server};
use reqwest::Method;
use serde_json::{Value, json};

const ACCOUNT: &str = "cc3a8e2c-0f8d-4a65-9c5f-5a1f4d5b7e11";

fn connection() -> Value {
    json!({
        "name": "Contoso", "endpoint": "http://127.0.0.1:9", "access_key": "c2VjcmV0", "event_key": "0123456789abcdef",
        "resource_id": "0f8fad5b-d9cb-469f-a165-70867728950e", "directory_id": "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "accounts": [{ "object_id": ACCOUNT, "number": "+4930123456" }],
        "token_configuration": "http://127.0.0.1:9/openid",
    })
}

async fn post(server: &Server, path: &str, body: &Value) -> Answer {
    let request = server.client.request(Method::POST, server.url(path)).header("content-type", "application/json");
    server.send(request.body(body.to_string())).await
}

#[tokio::test]
async fn a_connections_secrets_are_never_shown_and_stay_with_their_place() {
    let server = Server::start().await;
    let made = server.post("/connections", connection()).await.ok();
    let path = format!("/connections/{}", made["id"].as_str().unwrap());
    for shown in [made.to_string(), server.get(&path).await.ok().to_string(), server.get("/configuration").await.ok().to_string()] {
        assert!(!shown.contains("c2VjcmV0") && !shown.contains("0123456789abcdef"), "{shown}");
    }
    let mut changed = connection();
    for secret in ["access_key", "event_key"] {
        changed.as_object_mut().unwrap().remove(secret);
    }
    changed["speech"] = json!("https://speech.example.com/");
    server.put(&path, changed.clone()).await.ok();
    changed["endpoint"] = json!("https://elsewhere.example.com");
    assert_eq!(server.put(&path, changed).await.problem(422, "API-002")["field"], "access_key");
    let exported = server.get("/configuration").await.ok();
    let applied = server.post("/configuration", exported).await.ok();
    assert_eq!(applied["changes"], json!([]), "what was exported changes nothing");
    assert_eq!(server.delete(&path).await.status, 204);
}

#[tokio::test]
async fn event_grid_is_let_in_by_its_key_and_shakes_hands() {
    let server = Server::start().await;
    let id = server.make("/connections", connection()).await;
    let handshake =
        json!([{ "id": "v", "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": { "validationCode": "512d" } }]);
    let answer = post(&server, &format!("/hooks/unified/{id}/events?key=0123456789abcdef"), &handshake).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "validationResponse": "512d" })));
    for key in ["", "?key=", "?key=0123456789abcdee", "?key=0123456789abcdef0"] {
        post(&server, &format!("/hooks/unified/{id}/events{key}"), &handshake).await.problem(401, "AUTH-001");
    }
    post(&server, "/hooks/unified/ucn_none/events?key=0123456789abcdef", &handshake).await.problem(404, "API-003");
    let broken = json!([{ "id": "b", "eventType": "Microsoft.Communication.IncomingCall", "data": {} }]);
    post(&server, &format!("/hooks/unified/{id}/events?key=0123456789abcdef"), &broken).await.problem(400, "API-001");
}

#[tokio::test]
async fn a_call_that_event_grid_tells_of_becomes_a_conversation() {
    let server = Server::start().await;
    let id = server.make("/connections", connection()).await;
    server.make("/queues", json!({ "name": "Support" })).await;
    server
        .make(
            "/agents",
            json!({ "name": "Ada", "line": "unified", "endpoint": { "kind": "address", "value": ACCOUNT }, "queues": ["Support"] }),
        )
        .await;
    server.make("/numbers", json!({ "number": "+4930123456", "line": "unified", "target": { "kind": "queue", "id": "Support" } })).await;
    let mut commits = server.state.tenant(server.tenant).unwrap().commits();
    let call = json!([{ "id": "i", "eventType": "Microsoft.Communication.IncomingCall", "data": {
        "to": { "kind": "unknown", "rawId": format!("28:orgid:{ACCOUNT}") },
        "from": { "kind": "phoneNumber", "rawId": "4:+49170", "phoneNumber": { "value": "+49170" } },
        "incomingCallContext": "ctx", "correlationId": "k" } }]);
    let path = format!("/hooks/unified/{id}/events?key=0123456789abcdef");
    assert_eq!(post(&server, &path, &call).await.status, 200);
    let arrival = async {
        loop {
            for stamped in commits.recv().await.unwrap().iter() {
                if let dreiklang_core::Event::ConversationStarted { caller, dialed, .. } = &stamped.event {
                    return (caller.number.clone(), dialed.clone());
                }
            }
        }
    };
    let (caller, dialed) = tokio::time::timeout(super::server::PATIENCE, arrival).await.expect("a conversation begins");
    assert_eq!((caller.as_deref(), dialed.as_str()), (Some("+49170"), "+4930123456"));
}

#[tokio::test]
async fn callbacks_need_a_token_and_prompts_a_signature() {
    let server = Server::start().await;
    let id = server.make("/connections", connection()).await;
    let event = json!([{ "id": "e", "type": "Microsoft.Communication.CallConnected", "data": { "callConnectionId": "c" } }]);
    let path = format!("/hooks/unified/{id}/calls");
    post(&server, &path, &event).await.problem(401, "AUTH-001");
    // A sign-in of ours is no token of Microsoft's.
    let ours = server.client.request(Method::POST, server.url(&path)).bearer_auth(&server.token).body(event.to_string());
    server.send(ours).await.problem(401, "AUTH-001");
    for path in ["/hooks/unified/prompts/abc.wav/99999999999/00", "/hooks/unified/prompts/abc/1/00"] {
        let asked = server.client.request(Method::GET, server.url(path));
        server.send(asked).await.problem(404, "API-003");
    }
}
