//! Messages that callers left.

use super::{past::Past, server::Server, sessions::Page};
use dreiklang_server::auth::Role;
use reqwest::Method;
use serde_json::json;

/// A queue with a mailbox of its own, agent Ada who serves it, and one message in it.
async fn with_message() -> (Server, String, String) {
    let server = Server::start().await;
    let (queue, agent, _) = server.office().await;
    let document = server.get(&format!("/queues/{queue}")).await.ok();
    let mut changed = json!({ "name": "Support", "voicemail": { "longest_ms": 60_000, "most": 5 } });
    changed["waiting"] = json!({ "keys": { "1": { "kind": "voicemail", "to": { "kind": "queue", "id": "Support" } } } });
    assert_eq!(document["voicemail"]["longest_ms"], 180_000, "{document}");
    let etag = server.get(&format!("/queues/{queue}")).await.header("etag").to_owned();
    server.call(Method::PUT, &format!("/queues/{queue}"), Some(changed), &[("if-match", &etag)]).await.ok();
    let server = server
        .restart(async |store, tenant| {
            let mut past = Past::after(store, tenant).await;
            let caller = past.arrive("+4930111", "+49302000");
            past.press(caller, '1');
            past.press(caller, '#');
            past.pass(12);
            past.hang_up(caller);
            past.recorded("message.wav");
            past.write(store, tenant).await;
        })
        .await;
    let folder = server.state.config().recordings_directory();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("message.wav"), b"RIFF audio").unwrap();
    (server, queue, agent)
}

#[tokio::test]
async fn a_message_is_listed_heard_marked_and_deleted() {
    let (server, queue, agent) = with_message().await;
    let list = server.get(&format!("/messages?queue={queue}&state=new")).await.ok();
    let message = &list["items"][0];
    let id = message["id"].as_str().unwrap();
    assert_eq!(message["mailbox"], json!({ "kind": "queue", "id": queue }));
    assert_eq!((message["caller_number"].as_str(), &message["duration_ms"]), (Some("+4930111"), &json!(60_000)));
    assert_eq!(server.get(&format!("/messages?agent={agent}")).await.ok()["items"], json!([]));
    let audio = server.get(&format!("/messages/{id}/audio")).await;
    assert_eq!((audio.status, audio.header("content-type")), (200, "audio/wav"));
    let audit = server.get("/audit").await.ok();
    assert!(audit["items"].as_array().unwrap().iter().any(|entry| entry["action"] == "message.played"), "{audit}");
    let state = format!("/messages/{id}/state");
    assert_eq!(server.call(Method::PUT, &state, Some(json!({ "state": "done" })), &[]).await.status, 204);
    assert_eq!(server.get(&format!("/messages/{id}")).await.ok()["state"], "done");
    assert_eq!(server.get("/messages?state=new").await.ok()["items"], json!([]));
    assert_eq!(server.delete(&format!("/messages/{id}")).await.status, 204);
    server.get(&format!("/messages/{id}")).await.problem(404, "API-003");
}

#[tokio::test]
async fn agents_hear_messages_of_queues_they_serve_and_no_others() {
    let (server, _, agent) = with_message().await;
    let other = server.make("/agents", json!({ "name": "Bob", "endpoint": { "kind": "desk", "value": "bob" } })).await;
    let id = server.get("/messages").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    for (name, agent, hears) in [("ada", &agent, true), ("bob", &other, false)] {
        let made = server.post("/users", json!({ "name": name, "roles": ["agent"], "agent": agent })).await.ok();
        let page = Page::sign_in(&server, name, made["password"].as_str().unwrap()).await;
        let list = server.send(page.request(Method::GET, "/messages")).await.ok();
        assert_eq!(list["items"].as_array().unwrap().len(), usize::from(hears), "{name}");
        let audio = server.send(page.request(Method::GET, &format!("/messages/{id}/audio"))).await;
        assert_eq!(audio.status, if hears { 200 } else { 403 }, "{name}");
        let state = page.request(Method::PUT, &format!("/messages/{id}/state")).header("x-csrf-token", &page.csrf);
        let marked = server.send(state.json(&json!({ "state": "heard" }))).await;
        assert_eq!(marked.status, if hears { 204 } else { 403 }, "{name}");
    }
}

#[tokio::test]
async fn who_may_not_hear_recordings_does_not_hear_messages() {
    let (server, _, _) = with_message().await;
    let id = server.get("/messages").await.ok()["items"][0]["id"].as_str().unwrap().to_owned();
    let token = server.token_for(&[Role::Wallboard]).await;
    let ask = server.client.get(server.url(&format!("/api/v1/messages/{id}/audio"))).bearer_auth(token);
    server.send(ask).await.problem(403, "AUTH-004");
}

#[tokio::test]
async fn a_mailbox_that_does_not_hold_together_is_refused_with_its_field() {
    let server = Server::start().await;
    let refused = server.post("/queues", json!({ "name": "Support", "voicemail": { "most": 0 } })).await.problem(422, "CORE-003");
    assert_eq!(refused["field"], "voicemail.most", "{refused}");
    let endpoint = json!({ "kind": "desk", "value": "ada" });
    let greeting = json!({ "kind": "file", "name": "nothing.wav" });
    let agent = json!({ "name": "Ada", "endpoint": endpoint, "voicemail": { "greeting": greeting } });
    server.post("/agents", agent).await.problem(422, "API-002");
}
