//! Callbacks by the interface.

use super::{server::Server, sessions::Page};
use reqwest::Method;
use serde_json::json;

/// A queue with an agent, and a line to call over.
async fn office() -> (Server, String, String) {
    let server = Server::start().await;
    let (queue, agent, _) = server.office().await;
    let tenant = server.get("/tenant").await;
    let etag = tenant.header("etag").to_owned();
    let document = json!({ "name": tenant.ok()["name"], "outbound_line": "connected" });
    server.call(Method::PUT, "/tenant", Some(document), &[("if-match", &etag)]).await.ok();
    (server, queue, agent)
}

#[tokio::test]
async fn a_web_form_asks_for_a_callback_once_and_it_is_moved_and_cancelled() {
    let (server, queue, _) = office().await;
    let wanted = json!({ "queue": queue, "number": "+4930777888", "name": "Carla", "priority": 70 });
    let made = server.post("/callbacks", wanted.clone()).await.ok();
    assert_eq!((&made["state"], &made["name"], &made["attempts"]), (&json!("waiting"), &json!("Carla"), &json!(0)), "{made}");
    let id = made["id"].as_str().unwrap();
    assert_eq!(server.post("/callbacks", wanted).await.ok()["id"], id, "it stays one");
    let at = made["requested_at"].as_i64().unwrap() + 3_600_000;
    assert_eq!(server.call(Method::PUT, &format!("/callbacks/{id}/time"), Some(json!({ "at": at })), &[]).await.status, 204);
    let moved = server.get(&format!("/callbacks/{id}")).await.ok();
    assert_eq!((&moved["state"], &moved["due"]), (&json!("scheduled"), &json!(at)));
    assert_eq!(server.get(&format!("/callbacks?queue={queue}&state=scheduled")).await.ok()["items"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/callbacks?number=%2B4930111").await.ok()["items"], json!([]));
    assert_eq!(server.delete(&format!("/callbacks/{id}")).await.status, 204);
    server.get(&format!("/callbacks/{id}")).await.problem(404, "API-003");
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_with_its_field() {
    let (server, queue, _) = office().await;
    let refused = server.post("/callbacks", json!({ "queue": queue, "number": "me" })).await.problem(422, "CORE-003");
    assert_eq!(refused["field"], "number", "{refused}");
    let past = server.post("/callbacks", json!({ "queue": queue, "number": "+4930111", "at": 1 })).await.problem(422, "CORE-003");
    assert_eq!(past["field"], "at", "{past}");
    let rules = server.post("/queues", json!({ "name": "Sales", "callbacks": { "attempts": 0 } })).await.problem(422, "CORE-003");
    assert_eq!(rules["field"], "callbacks.attempts", "{rules}");
}

#[tokio::test]
async fn agents_see_callbacks_of_their_queues_and_ask_for_some_but_do_not_cancel() {
    let (server, queue, agent) = office().await;
    let other = server.make("/queues", json!({ "name": "Sales" })).await;
    server.post("/callbacks", json!({ "queue": other, "number": "+4930111" })).await.ok();
    let made = server.post("/users", json!({ "name": "ada", "roles": ["agent"], "agent": agent })).await.ok();
    let page = Page::sign_in(&server, "ada", made["password"].as_str().unwrap()).await;
    let ask = page.request(Method::POST, "/callbacks").header("x-csrf-token", &page.csrf);
    let own = server.send(ask.json(&json!({ "queue": queue, "number": "+4930222" }))).await.ok();
    let list = server.send(page.request(Method::GET, "/callbacks")).await.ok();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    let id = own["id"].as_str().unwrap();
    let cancel = page.request(Method::DELETE, &format!("/callbacks/{id}")).header("x-csrf-token", &page.csrf);
    server.send(cancel).await.problem(403, "AUTH-004");
}
